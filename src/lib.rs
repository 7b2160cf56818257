//! kabar, a chat server daemon that anything with a socket can use: lines in, JSON out.

pub mod chat;
pub mod id;
pub mod json;
pub mod limits;
pub mod name;
pub mod store;
pub mod time;
