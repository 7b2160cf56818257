//! `kabar cluster invite` and `kabar cluster join`: a machine becomes a node of a running cluster.

use std::error::Error;
use std::io::{self, BufRead, ErrorKind, IsTerminal, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};

use kabar::limits::JOIN_TOKEN_BYTES;
use kabar::server::{self, FetchStep, JOIN_TOKEN_REQUEST, JoinToken};

use crate::cli::admin::{exchange, unreachable};
use crate::cli::args::Location;
use crate::cli::progress::{ProgressLine, grouped};

/// In place of a token: read it from standard input.
const STANDARD: &str = "-";

pub(super) fn invite(location: &Location) -> Result<(), Box<dyn Error>> {
    let path = server::admin_socket(&location.load_all()?.server.data);
    let stream = UnixStream::connect(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
            "no node runs and serves here: a node that does makes the token, so start this one, or ask another one"
                .into()
        }
        _ => unreachable(&path, &error),
    })?;
    let reply = exchange(stream, JOIN_TOKEN_REQUEST).map_err(|error| format!("{}: {error}", path.display()))?;
    let reply = String::from_utf8(reply)?;
    let Some(token) = reply.strip_prefix("OK ") else {
        return Err(reply.strip_prefix("ERROR ").unwrap_or("this server makes no join tokens").into());
    };
    writeln!(io::stdout(), "{}", token.trim_end())?;
    if io::stderr().is_terminal() {
        eprintln!(
            "On the new machine: kabar cluster join, with this token. It is good once, for an hour. Keep it secret."
        );
    }
    Ok(())
}

pub(super) fn join(location: &Location, token: Option<&str>) -> Result<(), Box<dyn Error>> {
    let config = location.load_all()?;
    let token: JoinToken = read_token(token)?.parse()?;
    let line = Arc::new(Mutex::new(ProgressLine::new("joining")));
    let shown = line.clone();
    let show = move |step| show(&mut shown.lock().unwrap_or_else(PoisonError::into_inner), &step);
    let joined = server::join_cluster(&config, &token, Arc::new(show));
    // Erases the line, though another thread may still have the other half.
    *line.lock().unwrap_or_else(PoisonError::into_inner) = ProgressLine::new("joining");
    let at = joined?;
    let data = config.server.data.display();
    writeln!(io::stdout(), "OK: {data} has the cluster's data up to entry {at}. Now start this node: kabar serve")?;
    Ok(())
}

/// The token of the command line; of standard input or the terminal if there is none: other users of the machine can read
/// command lines.
fn read_token(token: Option<&str>) -> Result<String, Box<dyn Error>> {
    match token {
        Some(token) if token != STANDARD => Ok(token.to_owned()),
        None if io::stdin().is_terminal() => Ok(rpassword::prompt_password("Join token: ")?),
        _ => {
            let mut line = String::new();
            io::stdin().lock().take(JOIN_TOKEN_BYTES as u64 + 2).read_line(&mut line)?;
            Ok(line)
        }
    }
}

fn show(line: &mut ProgressLine, step: &FetchStep) {
    let FetchStep::Failed { node, problem } = step else { return line.show_or_log(&text_of(step)) };
    // The line is begun anew below what is said here.
    *line = ProgressLine::new("joining");
    let of = if node.is_empty() { "" } else { ": " };
    eprintln!("kabar: there is no copy of the data yet: {node}{of}{problem}. It is tried again; Ctrl-C ends this");
}

fn text_of(step: &FetchStep) -> String {
    match step {
        FetchStep::Failed { problem, .. } => problem.to_string(),
        FetchStep::Copying { node, percent } => format!("{node} copies its store ({percent}%)"),
        FetchStep::Receiving { node, bytes, of, bytes_per_second } => {
            let percent = bytes.saturating_mul(100).checked_div(*of).unwrap_or(100);
            let megabytes = |bytes: u64| bytes / 1_000_000;
            let (done, rate) = (grouped(megabytes(*bytes)), megabytes(*bytes_per_second));
            format!("{done} of {} MB from {node} ({percent}%), {rate} MB/s", grouped(megabytes(*of)))
        }
        FetchStep::Verifying { percent } => format!("verifying ({percent}%)"),
    }
}
