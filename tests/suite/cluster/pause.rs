//! Waits for what processes do among themselves.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// How long a cluster may take for what it has to do. Only a failing test waits that long.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// How long an answer may take before the one who asked goes elsewhere.
const ANSWER: Duration = Duration::from_secs(1);

/// Between two tries.
pub(super) fn pause() {
    thread::sleep(Duration::from_millis(10));
}

/// Asks again and again, until there is something.
#[track_caller]
pub(super) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
        pause();
    }
}

#[track_caller]
pub(super) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    wait_for(what, || is_so().then_some(()));
}

/// A connection that gives up soon. `None` if nobody listens.
pub(super) fn connect(address: SocketAddr) -> Option<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, ANSWER).ok()?;
    stream.set_read_timeout(Some(ANSWER)).unwrap();
    stream.set_nodelay(true).unwrap();
    Some(stream)
}

/// The status and the body of a page. `None` if nobody answers.
pub(super) fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    request(address, &format!("GET {path} HTTP/1.0\r\nHost: x\r\n\r\n"))
}

/// The status and the body of the answer to a body that is sent.
pub(super) fn post(address: SocketAddr, path: &str, body: &str) -> Option<(u16, String)> {
    request(address, &format!("POST {path} HTTP/1.0\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

fn request(address: SocketAddr, request: &str) -> Option<(u16, String)> {
    let (mut stream, mut response) = (connect(address)?, String::new());
    stream.write_all(request.as_bytes()).ok()?;
    stream.read_to_string(&mut response).ok()?;
    let (head, body) = response.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}
