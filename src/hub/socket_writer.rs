//! The socket of a connection, as far as its send queue knows it.

use std::io;

use crate::wire::DisconnectReason;

/// A writer that never waits.
pub trait SocketWriter: Send + Sync {
    /// Writes as many bytes as are taken at once.
    ///
    /// # Errors
    /// `WouldBlock` if none are taken now; any other error ends the connection.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionEnd {
    /// At once: the socket is gone, or nothing more is to be sent.
    Gone,
    /// After all replies were sent.
    Finished,
    /// After all replies were sent; then the connection becomes a link to another server.
    Upgraded,
    /// By the server, after the replies and this reason were sent.
    Disconnected(DisconnectReason),
}
