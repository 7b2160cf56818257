//! The seam between the link protocol and what carries its bytes: TCP with TLS, or the network of a simulation.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::id::PeerKey;

/// A connection in both directions.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for S {}

/// An encrypted stream to a server that proved to have the private key of `key`.
pub struct PeerStream {
    /// The decrypted bytes in both directions.
    pub stream: Box<dyn ByteStream>,
    /// The public key of the peer.
    pub key: PeerKey,
    /// The address that the peer was dialled at, or connected from.
    pub address: SocketAddr,
}

impl fmt::Debug for PeerStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerStream").field("key", &self.key).field("address", &self.address).finish_non_exhaustive()
    }
}

/// Opens streams to other servers.
pub trait Transport: Send + Sync + 'static {
    /// Asks the server at a chat port for a link. The caller checks by the key whether it is the expected server.
    ///
    /// The peer may still reject our key; that surfaces as an error on the first read.
    fn dial(
        &self,
        host: &str,
        port: u16,
        purpose: DialPurpose,
    ) -> Pin<Box<dyn Future<Output = Result<PeerStream, DialError>> + Send + '_>>;
}

/// The purpose of dialling a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialPurpose {
    /// A user who names any host and port: a failure is told after the same time, whatever is there.
    ForUser,
    /// The link to a server that is known.
    Reconnect,
}

/// Why a server could not be dialled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// No address of the host lies in an allowed network; none was dialled.
    #[error("no address of the host lies in a network that this server may dial")]
    Forbidden,
    /// No server answered, or one of another kind.
    #[error("{0}")]
    Unreachable(String),
    /// The other server's reason, in printable ASCII of at most [`LINK_REASON_BYTES`](crate::limits::LINK_REASON_BYTES).
    #[error("the other server refused: {0}")]
    Refused(String),
}
