//! Input of a connection.

use crate::wire::codec::Line;

/// Input of a client.
#[derive(Debug, PartialEq, Eq)]
pub enum Input {
    /// A request.
    Line(Line),
    /// Something that is answered with these bytes, below the protocol.
    Control(Vec<u8>),
    /// The client ends the connection, or broke the rules of its transport.
    End,
}
