//! The question whether an unknown certificate is to be trusted from now on, as ssh asks it.

use std::error::Error;
use std::io::{self, IsTerminal, Write};

use kabar::client::{ClientError, Connection, Fingerprint, ServerAddress, Trust};

use crate::cli::client::credentials::Credentials;

/// Connects once. A certificate that nobody vouches for is pinned if it has the expected fingerprint, or if the person at
/// the terminal says so. A server that cannot be reached is no error here: a client may wait for it.
pub(crate) async fn establish(
    credentials: &Credentials,
    server: &ServerAddress,
    expected: Option<Fingerprint>,
) -> Result<Trust, Box<dyn Error>> {
    let known = credentials.known_servers();
    let trust = Trust::pinned(known.clone());
    if !server.tls {
        return Ok(trust);
    }
    let Err(error) = Connection::open(server, &trust).await else { return Ok(trust) };
    let ClientError::Untrusted { shown, pinned, .. } = &error else { return Ok(trust) };
    let is_agreed = match expected {
        Some(expected) => expected == *shown,
        // A certificate that changed is never a matter of pressing a key.
        None => pinned.is_none() && ask(&error.to_string())?,
    };
    if !is_agreed {
        return Err(error.into());
    }
    known.pin(server, shown)?;
    Ok(trust)
}

fn ask(question: &str) -> io::Result<bool> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    eprintln!("{question}\nCompare it with what the server's operator tells you.");
    eprint!("Trust it from now on (yes/no)? ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("yes"))
}
