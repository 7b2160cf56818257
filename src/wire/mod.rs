//! The wire: bytes to lines to requests, outcomes to frames (PROTOCOL §1, §4).
//!
//! Never here: the state, sockets, I/O, rules of the chat.

mod codec;
mod telnet;

pub use codec::{Line, LineCodec, LineError};
