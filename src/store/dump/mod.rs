//! The accounts, groups and messages of a store as lines of JSON, to move them to and from other programs.
//! `docs/EXPORT.md` describes the lines.
//!
//! An export is the log told by name; an import performs it again: each line becomes the command that a client would
//! have sent, is decided by the domain, and its events are appended as a server appends them.

mod administration;
mod appender;
mod error;
mod export;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzzing;
mod import;
mod line;
mod messages;
mod reader;
mod steps;
#[cfg(test)]
mod tests;

pub use error::DumpError;
pub use export::export;
pub use import::import;
