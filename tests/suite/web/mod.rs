//! The web listener: the files of the page, the handshake, and the protocol over WebSocket.

mod chat;
mod files;
mod handshake;
mod hostile;
mod refusals;
