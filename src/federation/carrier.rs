//! How links reach one another: the seam between the link protocol and what carries it.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::id::PeerKey;

/// Bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A channel to another server, which has proved who it is.
pub struct Carried {
    /// What is written here only the other server can read, and the other way round.
    pub stream: Box<dyn Stream>,
    /// Who the other server is.
    pub key: PeerKey,
    /// Where it is.
    pub address: SocketAddr,
}

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carried").field("key", &self.key).field("address", &self.address).finish_non_exhaustive()
    }
}

/// What dials. Another carrier than TCP's is a simulation.
pub trait Carrier: Send + Sync + 'static {
    /// Asks the server at a chat port for a link, and gives the channel. Whether that server is the one that was meant is
    /// the caller's to say, by its key.
    ///
    /// It is not known yet, by then, whether the other server took us for whom we are: a refusal shows in reading.
    fn dial(&self, host: &str, port: u16) -> Pin<Box<dyn Future<Output = Result<Carried, DialError>> + Send + '_>>;
}

/// Why a server could not be dialled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// No address of the host lies in a network that may be dialled; none was.
    #[error("no address of the host lies in a network that this server may dial")]
    Forbidden,
    /// Nobody is there, or no server of ours; why.
    #[error("{0}")]
    Unreachable(String),
    /// The other server said why, in printable ASCII of at most [`LINK_REASON_BYTES`](crate::limits::LINK_REASON_BYTES).
    #[error("the other server refused: {0}")]
    Refused(String),
}
