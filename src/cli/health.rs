//! `kabar health`: asks the monitoring listener of a running server, for containers and scripts.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use kabar::config::ConfigError;
use kabar::limits::{HEALTH_BYTES, HEALTH_WAIT};
use kabar::server::reachable;

use crate::cli::args::Settings;

pub(super) fn health(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let listen = settings.load()?.metrics.listen;
    let Some(address) = listen.first().copied() else {
        let problem = "expected an address: kabar health asks the monitoring listener, and there is none";
        return Err(ConfigError::new("[metrics] listen", problem).into());
    };
    let (status, body) = get(reachable(address), "/readyz").map_err(|error| format!("{address}: {error}"))?;
    if status != 200 {
        return Err(format!("not ready: {body}").into());
    }
    writeln!(io::stdout(), "{body}")?;
    Ok(())
}

/// The status and the body of a page.
fn get(address: SocketAddr, path: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, HEALTH_WAIT)?;
    stream.set_read_timeout(Some(HEALTH_WAIT))?;
    stream.set_write_timeout(Some(HEALTH_WAIT))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.take(HEALTH_BYTES).read_to_string(&mut text)?;
    let no_http = || io::Error::other("no monitoring listener of kabar answers there");
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(no_http)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(no_http)?;
    Ok((status, body.trim_end().to_owned()))
}
