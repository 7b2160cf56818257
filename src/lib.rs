//! kabar, a chat server daemon that anything with a socket can use: lines in, JSON out.
//!
//! One ordered log; everything else is a view of it. The rooms, each of which uses only those below it:
//!
//! - [`server`] builds the house and takes it down in order
//! - [`net`] listens, and lives each connection's life
//! - [`federation`] joins servers
//! - [`hub`] owns the state, the order of changes, and who is connected
//! - [`store`] keeps the log and its timelines on disk; [`wire`] turns bytes into requests and outcomes into frames
//! - [`chat`] is the domain: pure functions over the log
//! - [`name`], [`id`], [`time`], [`json`], [`limits`], [`settings`], [`socket`] are what all of them speak in
//!
//! `docs/ARCHITECTURE.md` follows one request through them.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod chat;
pub mod config;
pub mod federation;
pub mod hub;
pub mod id;
pub mod json;
pub mod limits;
pub mod logging;
pub mod name;
pub mod net;
pub mod password;
pub mod server;
pub mod settings;
pub mod socket;
pub mod store;
pub mod time;
pub mod wire;
