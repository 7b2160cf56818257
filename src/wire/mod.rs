//! The wire: bytes to lines to requests, outcomes to frames (PROTOCOL §1, §4).
//!
//! Never here: the state, sockets, I/O, rules of the chat.

mod ask;
mod codec;
mod http;
mod parse;
mod request;
mod telnet;
mod verbs;
mod words;

pub use codec::{Line, LineCodec, LineError};
pub use parse::parse;
pub use request::{Ask, Fault, Parsed, Person, Rejection, Request, Tag};
pub use verbs::{VERBS, Verb};
