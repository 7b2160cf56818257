//! WebSocket (RFC 6455) as a transport of the protocol: a request or a reply is a text message (PROTOCOL, Over WebSocket).
//!
//! tungstenite reads and writes the frames. The socket is not its own: bytes come from a connection's read buffer, and
//! go to its send queue.

mod decoder;
mod renderer;
#[cfg(test)]
mod tests;

pub use decoder::MessageDecoder;
pub(super) use renderer::WebSocket;
