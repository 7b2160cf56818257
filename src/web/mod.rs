//! The web listener: the page for people with a browser, and WebSocket as one more way to speak the protocol. And the
//! monitoring listener, for programs of the operator.
//!
//! Never here: what a request does. A WebSocket is a connection like any other as soon as its handshake is over.

mod files;
mod forwarded;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod handshake;
mod http_stream;
mod listener;
mod metrics;
mod monitor;
mod monitor_listener;
mod process;
mod refusal;
mod response;
mod service;
mod site;

pub(crate) use listener::serve;
pub(crate) use monitor::Monitor;
pub(crate) use monitor_listener::serve_monitoring;
pub(crate) use site::Web;
