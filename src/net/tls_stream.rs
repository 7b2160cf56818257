//! TLS on a connection's socket, without waiting: what a thread writes is encrypted and leaves at once.

use std::future::poll_fn;
use std::io::{self, IoSlice, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use rustls::{ServerConfig, ServerConnection};
use tokio::net::TcpStream;

use crate::limits::TLS_WRITE_BYTES;

pub(crate) struct TlsStream {
    tcp: TcpStream,
    state: Mutex<TlsState>,
}

struct TlsState {
    connection: ServerConnection,
    /// Bytes at the front of what is being written that are encrypted already, and not all with the socket. They count as
    /// written once they are, so that a full socket blocks the writer. The next write begins with the same bytes.
    encrypted: usize,
    is_truncated: bool,
}

impl TlsStream {
    pub(super) fn new(tcp: TcpStream, config: Arc<ServerConfig>) -> io::Result<Self> {
        let connection = ServerConnection::new(config).map_err(io::Error::other)?;
        Ok(Self { tcp, state: Mutex::new(TlsState { connection, encrypted: 0, is_truncated: false }) })
    }

    pub(super) fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    /// Waits until both sides have agreed on keys. Nothing can be read or written before.
    pub(super) async fn handshake(&self) -> io::Result<()> {
        poll_fn(|context| self.poll_handshake(context)).await
    }

    fn poll_handshake(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut state = self.lock();
            match state.flush(&self.tcp) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    drop(state);
                    ready!(self.tcp.poll_write_ready(context))?;
                    continue;
                }
                flushed => flushed?,
            }
            if !state.connection.is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            match state.receive(&self.tcp) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    drop(state);
                    ready!(self.tcp.poll_read_ready(context))?;
                }
                received => {
                    received?;
                }
            }
        }
    }

    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.lock();
        loop {
            match state.connection.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    state.is_truncated = true;
                    return Ok(0);
                }
                read => return read,
            }
            state.receive(&self.tcp)?;
        }
    }

    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.lock();
        if state.connection.is_handshaking() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if state.encrypted == 0 {
            let next = bytes.get(..TLS_WRITE_BYTES).unwrap_or(bytes);
            state.encrypted = state.connection.writer().write(next)?;
        }
        state.flush(&self.tcp)?;
        Ok(std::mem::take(&mut state.encrypted))
    }

    pub(super) fn is_truncated(&self) -> bool {
        self.lock().is_truncated
    }

    /// Tells the peer that nothing more comes, if the socket takes that at once.
    pub(super) fn send_close(&self) {
        let mut state = self.lock();
        state.connection.send_close_notify();
        // A socket that is full or gone is closed without it.
        let _sent = state.flush(&self.tcp);
    }

    fn lock(&self) -> MutexGuard<'_, TlsState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TlsState {
    /// Decrypts what the socket has. Returns the bytes that it had; 0 means that the peer closed its side.
    fn receive(&mut self, tcp: &TcpStream) -> io::Result<usize> {
        let received = self.connection.read_tls(&mut Nonblocking(tcp))?;
        let processed = self.connection.process_new_packets();
        // An answer of TLS itself, such as an alert. If the socket is full, the next write sends it.
        let _sent = self.flush(tcp);
        processed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok(received)
    }

    /// Writes what is encrypted.
    fn flush(&mut self, tcp: &TcpStream) -> io::Result<()> {
        while self.connection.wants_write() {
            if self.connection.write_tls(&mut Nonblocking(tcp))? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }
}

/// A socket whose reads and writes fail with `WouldBlock` rather than wait.
struct Nonblocking<'a>(&'a TcpStream);

impl Read for Nonblocking<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl Write for Nonblocking<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
