//! What a connection received.

use crate::wire::codec::Line;

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Input {
    /// A request.
    Line(Line),
    /// Something that is answered with these bytes, below the protocol.
    Control(Vec<u8>),
    /// The client ends the connection, or broke the rules of its transport.
    End,
}
