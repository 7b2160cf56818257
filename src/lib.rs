//! kabar, a chat server daemon that anything with a socket can use: lines in, JSON out.

pub mod chat;
pub mod config;
pub mod id;
pub mod json;
pub mod limits;
pub mod logging;
pub mod name;
pub mod store;
pub mod password;
pub mod time;
pub mod wire;
