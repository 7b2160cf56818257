//! Connections that only take a place.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use crate::attacks::Target;
use crate::server::Addresses;

/// H5: of 16 accounts, as many connections as each may have, and all again that are closed.
pub(super) fn one_token(target: &Target) {
    hold(target, 3_000, |number| target.logged_in(number), b"ping\n");
}

/// H5: strangers that keep saying something.
pub(super) fn strangers(target: &Target) {
    hold(target, 3_000, |number| target.connect(number), b"\n");
}

/// H5: connections that ask to become links, and say no more.
pub(super) fn half_links(target: &Target) {
    let half_link = |number| {
        let mut stream = target.connect(number)?;
        stream.write_all(b"link 1\n")?;
        Ok(stream)
    };
    hold(target, 500, half_link, b"");
}

/// The beginning of a TLS record of 512 bytes, and of the client's greeting in it.
const TLS_BEGIN: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
const HEAD: &[u8] = b"GET / HTTP/1.1\r\nx: ";
/// The handshake of a WebSocket, and the beginning of a frame of 4,000 bytes.
const FRAME: &[u8] = b"GET /ws HTTP/1.1\r\nhost: kabar\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\xfe\x0f\xa0mask";

/// Slow-loris: lines, heads, handshakes and frames that never end, on every listener.
pub(super) fn slow_loris(target: &Target) {
    let Addresses { json, text, web, metrics, tls, tls_web } = target.addresses;
    let begins: [(SocketAddr, &[u8]); 7] = [
        (json, b"send x "),
        (text, b"send x "),
        (web, HEAD),
        (web, FRAME),
        (metrics, HEAD),
        (tls, TLS_BEGIN),
        (tls_web, TLS_BEGIN),
    ];
    let begin = |number: usize| {
        let (listener, begin) = begins[number % begins.len()];
        let mut stream = target.connect_to(listener, number)?;
        stream.write_all(begin)?;
        Ok(stream)
    };
    hold(target, 1_400, begin, b"a");
}

/// Makes connections, says something on each once a second, and makes those again that were closed.
fn hold(target: &Target, count: usize, connect: impl Fn(usize) -> io::Result<TcpStream>, word: &[u8]) {
    let mut held: Vec<TcpStream> = Vec::new();
    while target.goes_on() {
        held.retain_mut(|stream| {
            let mut chunk = [0; 4096];
            let _is_blocking = stream.set_nonblocking(true);
            let is_open = match io::Read::read(stream, &mut chunk) {
                Ok(count) => count > 0,
                Err(error) => error.kind() == io::ErrorKind::WouldBlock,
            };
            is_open && (word.is_empty() || stream.write(word).is_ok())
        });
        for number in held.len()..count.min(held.len() + 500) {
            match connect(number) {
                Ok(stream) => held.push(stream),
                Err(_) => target.tally.broken(),
            }
            if !target.goes_on() {
                return;
            }
        }
        thread::sleep(Duration::from_millis(500));
    }
}
