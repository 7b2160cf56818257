//! The web listener: the page for people with a browser, and WebSocket as one more way to speak the protocol.
//!
//! Never here: what a request does. A WebSocket is a connection like any other as soon as its handshake is over.

mod files;
mod forwarded;
mod handshake;
mod listener;
mod response;
mod service;
mod site;

pub(crate) use listener::serve;
pub(crate) use site::Web;
