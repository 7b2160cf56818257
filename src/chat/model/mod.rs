//! The data of the domain, with the methods that need nothing else. No module here imports one of a higher layer.

pub mod ban;
pub mod bans;
pub mod body;
pub mod command_mark;
pub mod conversation;
pub mod group;
pub mod idempotency;
pub mod inbox_shares;
pub mod message;
pub mod peer;
pub mod position;
pub mod realm;
pub mod remote_message;
pub mod session;
pub mod timeline;
pub mod user;
