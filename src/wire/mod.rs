//! The wire: bytes to lines to requests, outcomes to frames (PROTOCOL §1, §4).
//!
//! Never here: the state, sockets, I/O, rules of the chat.

mod ask;
mod codec;
mod help;
mod http;
mod parse;
mod reply;
mod request;
#[cfg(test)]
mod samples;
mod style;
mod telnet;
mod text;
mod verbs;
mod wording;
mod words;

pub use codec::{Line, LineCodec, LineError, has_control_character};
pub use parse::parse;
pub use request::{Ask, Fault, Parsed, Person, Rejection, Request, Tag};
pub use style::{Farewell, Heading, Style};
pub use verbs::{VERBS, Verb};
pub use wording::{lost, returned};
