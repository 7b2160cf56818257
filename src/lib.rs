//! kabar, a chat server daemon that anything with a socket can use: lines in, JSON out.
//!
//! Every change is an event of one ordered log; the state, the inboxes and the tables are derived from it. The modules,
//! each of which uses only those below it:
//!
//! - [`server`] starts and stops everything
//! - `web`: the page, and WebSocket
//! - `net`: listeners, connections, sessions
//! - [`federation`]: links to other servers
//! - `hub`: the shared state, the order of changes, delivery to connections
//! - [`cluster`]: the log that several nodes share; [`channel`]: encrypted connections between them
//! - [`identity`]: the server's key pair, and TLS that proves it
//! - [`store`]: the log and its timelines on disk; [`wire`]: bytes to requests, responses to replies
//! - [`chat`]: the domain, pure functions over the state
//! - `certificates`: what TLS listeners show
//! - [`client`]: the other end of the protocol, for programs and for `kabar chat`
//! - [`name`], [`id`], [`time`], `json`, [`limits`], `log_limit`, `settings`, `socket`, `varint`: used by all of them
//!
//! `docs/ARCHITECTURE.md` follows one request through them.

#![cfg_attr(any(test, feature = "fuzzing"), allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod certificates;
pub mod channel;
pub mod chat;
pub mod client;
pub mod cluster;
pub mod config;
pub mod federation;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod hub;
pub mod id;
pub mod identity;
mod json;
pub mod limits;
mod log_limit;
pub mod logging;
pub mod name;
mod net;
pub mod password;
#[cfg(test)]
mod seeds;
pub mod server;
mod settings;
mod socket;
pub mod store;
pub mod time;
mod varint;
mod web;
pub mod wire;
