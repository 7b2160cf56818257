//! The accounts, groups and messages of a store as lines of JSON, to move them to and from other programs.
//! `docs/EXPORT.md` describes the lines.
//!
//! An export is the log told by name; an import performs it again: each line becomes the command that a client would
//! have sent, is decided by the domain, and its events are appended as a server appends them.

mod appender;
mod export;
mod import;
mod line;
mod messages;
mod reader;
mod steps;
#[cfg(test)]
mod tests;

use std::io;

use crate::store::StoreError;

pub use export::export;
pub use import::import;

/// Progress of a backup, an export or an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Pages of a backup, lines of an export or an import.
    pub count: u64,
    /// Of all; `None` if the total is not known.
    pub percent: Option<u8>,
}

impl Progress {
    pub(super) fn new(count: u64, done: u64, all: Option<u64>) -> Self {
        let percent = all.filter(|all| *all > 0).map(|all| (done.min(all).saturating_mul(100) / all) as u8);
        Self { count, percent }
    }
}

/// Why an export or an import failed.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// A line of an import is wrong.
    #[error("{place}: {problem}")]
    Line {
        /// `FILE:LINE` or `FILE:LINE:COLUMN`.
        place: String,
        /// What is wrong, and what was expected. Never contains a password hash.
        problem: String,
    },
    /// The lines cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The store cannot be opened, read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for DumpError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}
