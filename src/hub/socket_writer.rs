//! The other end of a connection, as far as the hub knows it.

use std::io;

use crate::wire::DisconnectReason;

/// Where a connection's bytes go.
pub trait SocketWriter: Send + Sync {
    /// Writes what goes without waiting.
    ///
    /// # Errors
    /// `WouldBlock` where nothing goes now; anything else ends the connection.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;
}

/// How a connection comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionEnd {
    /// The socket is gone.
    Gone,
    /// The server ends it, and says why first.
    Disconnected(DisconnectReason),
}
