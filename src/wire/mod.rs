//! The wire: bytes to lines to requests, responses to frames (PROTOCOL §1, §4).
//!
//! Never here: the state, sockets, I/O, rules of the chat.

mod action;
mod administration;
mod args;
mod catalog;
mod codec;
mod command_spec;
mod commands;
mod errors;
#[cfg(test)]
mod fixtures;
mod format;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod help;
mod input;
mod input_decoder;
mod json;
mod other_protocols;
mod parameters;
mod parse;
mod parsers;
mod phrase;
mod render;
mod renderers;
mod request;
mod telnet;
mod text;
mod websocket;

pub use action::{Action, NewProfile, SessionRequest};
pub use catalog::returned;
pub use codec::{Line, LineCodec, LineError, has_control_character};
pub use command_spec::CommandSpec;
pub use commands::COMMANDS;
pub use errors::{ParseErrorKind, code, codes, line_code};
pub use format::{Dialect, DisconnectReason, ListenerKind, ReplyFormat};
pub use input::Input;
pub use input_decoder::InputDecoder;
pub use parse::{audited_words, parse};
pub use render::Render;
pub use request::{ParseError, Parsed, ReplyContext, Request, Tag};
