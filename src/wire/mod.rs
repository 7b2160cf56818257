//! The wire: bytes to lines to requests, outcomes to frames (PROTOCOL §1, §4).
//!
//! Never here: the state, sockets, I/O, rules of the chat.

mod args;
mod ask;
mod catalog;
mod codec;
mod commands;
#[cfg(test)]
mod fixtures;
mod format;
mod help;
mod http;
mod json;
mod parse;
mod request;
mod telnet;
mod text;

pub use catalog::{lost, returned};
pub use codec::{Line, LineCodec, LineError, has_control_character};
pub use commands::{COMMANDS, CommandSpec};
pub use format::{DisconnectReason, ReplyContext, ReplyFormat};
pub use parse::parse;
pub use request::{Ask, Fault, NewProfile, Parsed, Rejection, Request, Tag};
