//! The handshake on a fresh stream: both servers send a hello, and each accepts the other or closes with a reason.

mod error;
mod exchange;
mod framed_stream;

pub(super) use error::HandshakeError;
pub(crate) use exchange::LinkRequest;
pub(super) use exchange::{HandshakeKind, Handshaken, handshake};
pub(super) use framed_stream::FramedStream;
