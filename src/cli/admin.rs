//! `kabar admin`: the commands of administrators from the shell, of a running server or on the data directory of a stopped one.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use clap::Args;
use kabar::config::Config;
use kabar::limits::{ADMIN_REPLY_BYTES, ADMIN_REQUEST};
use kabar::server;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::cli::args::Location;
use crate::cli::client::password;

pub(super) const HELP: &str = "\
Commands:
  kickuser USER                      log a user out everywhere
  ban TARGET [for DURATION] [REASON] keep out USER, USER@REALM, an address, a
                                     network, or realm:REALM; 30m, 12h, 7d, 4w
  unban TARGET                       let TARGET in again
  bans [before ID] [limit N]         who is kept out
  lock USER, unlock USER             let nobody log in as USER, or undo that
  adduser USER [FULLNAME COUNTRY]    make an account; asks for the password
  setpass USER                       another password; asks for it
  wall TEXT                          tell everyone, as the server
  stats                              the server in numbers
  users [after USER] [limit N]       all accounts
  invite [N] [DAYS]                  a code with which N may register
  invites, uninvite ID               the codes that are good; revokes one

A password is asked for at a terminal, else read from standard input.

Exit status: 0 done; 1 refused; 64 bad usage; 69 the server or the store
cannot be reached; 78 bad configuration.";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct AdminArgs {
    #[command(flatten)]
    location: Location,
    /// Print the reply as JSON
    #[arg(long)]
    json: bool,
    /// Read the password from a file
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// A command with its parameters
    #[arg(required = true, value_name = "COMMAND", trailing_var_arg = true)]
    words: Vec<String>,
}

/// Why a command was not done, with the exit status of sysexits.h.
#[derive(Debug)]
pub(super) struct AdminError {
    problem: String,
    pub(super) status: u8,
}

impl fmt::Display for AdminError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl Error for AdminError {}

const REFUSED: u8 = 1;
const USAGE: u8 = 64;
const UNAVAILABLE: u8 = 69;

fn failed(status: u8, problem: impl Into<String>) -> Box<dyn Error> {
    Box::new(AdminError { problem: problem.into(), status })
}

pub(super) fn run(args: &AdminArgs) -> Result<(), Box<dyn Error>> {
    let config = args.location.load_all()?;
    let line = request(args)?;
    let reply = ask(&config, line.expose_secret())?;
    show(&reply, args.json)
}

/// The request line. A password is not among the words: other users of the machine could read it.
fn request(args: &AdminArgs) -> Result<SecretString, Box<dyn Error>> {
    let mut words = args.words.clone();
    if words.iter().any(|word| word.contains(['\n', '\r'])) {
        return Err(failed(USAGE, "expected words without line breaks"));
    }
    let has_password = ["adduser", "setpass"].iter().any(|word| words[0].eq_ignore_ascii_case(word));
    if has_password {
        let user = words.get(1).ok_or_else(|| failed(USAGE, format!("{}: expected USER", words[0])))?;
        let typed = password::read(args.password_file.as_deref(), &format!("Password for {user}: "))?;
        password::confirm(args.password_file.as_deref(), &typed)?;
        words.insert(2, typed.expose_secret().to_owned());
    }
    Ok(words.join(" ").into())
}

/// Asks the server that runs on the data directory; if there is none, performs the request on the store.
fn ask(config: &Config, line: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let path = server::admin_socket(&config.server.data);
    match UnixStream::connect(&path) {
        Ok(stream) => {
            exchange(stream, line).map_err(|error| failed(UNAVAILABLE, format!("{}: {error}", path.display())))
        }
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            server::administer_store(config, line).map_err(|error| failed(UNAVAILABLE, error.to_string()))
        }
        Err(error) => Err(failed(UNAVAILABLE, unreachable(&path, &error))),
    }
}

pub(super) fn unreachable(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}; run this as the user that the server runs as", path.display())
}

/// Sends a request to the server that runs, and reads the reply.
pub(super) fn exchange(mut stream: UnixStream, line: &str) -> io::Result<Vec<u8>> {
    stream.set_read_timeout(Some(ADMIN_REQUEST))?;
    stream.set_write_timeout(Some(ADMIN_REQUEST))?;
    stream.write_all(line.as_bytes())?;
    stream.write_all(b"\n")?;
    stream.shutdown(Shutdown::Write)?;
    let mut reply = Vec::new();
    stream.take(ADMIN_REPLY_BYTES).read_to_end(&mut reply)?;
    if reply.is_empty() {
        return Err(io::Error::other("the server ended the connection without a reply: try again"));
    }
    Ok(reply)
}

/// Prints the reply, which is a frame for programs and then lines for people.
fn show(reply: &[u8], as_json: bool) -> Result<(), Box<dyn Error>> {
    let text = String::from_utf8_lossy(reply);
    let (frame, lines) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let value: Value = serde_json::from_str(frame)?;
    let is_done = value["status"] == "OK";
    if as_json {
        writeln!(io::stdout(), "{frame}")?;
    } else if is_done {
        for line in lines.lines() {
            writeln!(io::stdout(), "{}", line.strip_prefix("[OK] ").unwrap_or(line))?;
        }
    }
    if is_done {
        return Ok(());
    }
    let is_usage = ["bad_parameter", "unknown_command"].iter().any(|code| value["code"] == *code);
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let (code, detail) = (text("code"), text("detail"));
    let problem = if detail.is_empty() { code } else { format!("{detail} ({code})") };
    Err(failed(if is_usage { USAGE } else { REFUSED }, problem))
}
