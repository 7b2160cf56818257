//! A client that waits for each reply.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;
use socket2::{Domain, SockRef, Socket, Type};

/// How long an honest client waits for a reply before it calls the request unanswered.
const PATIENCE: Duration = Duration::from_secs(20);
const FRAME_END: &[u8] = b"\r\n\r\n";

pub(crate) struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, received: Vec::new() })
    }

    /// Sends a line and returns its reply. Pushes that come before it are skipped.
    pub(crate) fn ask(&mut self, line: &str) -> io::Result<Value> {
        self.stream.write_all(format!("{line}\n").as_bytes())?;
        loop {
            let frame = self.frame()?;
            if frame.get("event").is_none() {
                return Ok(frame);
            }
        }
    }

    fn frame(&mut self) -> io::Result<Value> {
        let mut scanned = 0;
        loop {
            let found = memchr::memmem::find(self.received.get(scanned..).unwrap_or_default(), FRAME_END);
            if let Some(place) = found {
                let end = scanned + place + FRAME_END.len();
                let frame = serde_json::from_slice(&self.received[..end]).map_err(io::Error::other);
                self.received.drain(..end);
                return frame;
            }
            scanned = self.received.len().saturating_sub(FRAME_END.len());
            let mut chunk = [0; 16 * 1024];
            let count = self.stream.read(&mut chunk)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.received.extend_from_slice(&chunk[..count]);
        }
    }
}

/// A connection from another address of this machine.
pub(crate) fn connect_from(source: [u8; 4], address: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((source, 0)).into())?;
    socket.connect_timeout(&address.into(), PATIENCE)?;
    Ok(socket.into())
}

/// Closes with a reset: what was sent and not read is gone.
pub(crate) fn reset(stream: TcpStream) {
    let _is_closed_anyway = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    drop(stream);
}

/// An address that nothing listens on.
pub(crate) fn free_address() -> io::Result<SocketAddr> {
    std::net::TcpListener::bind((IpAddr::from([127, 0, 0, 1]), 0))?.local_addr()
}
