//! Everything a store holds as lines of JSON, and back: `docs/EXPORT.md` describes them.

mod export;
mod form;
mod import;
mod line;
mod realm_line;
#[cfg(test)]
mod tests;

use std::io;

use crate::store::StoreError;

pub use export::export;
pub use import::import;

/// How far a backup, an export or an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Pages of a backup, lines of an export or an import.
    pub count: u64,
    /// Of all; none where that is not known.
    pub percent: Option<u8>,
}

impl Progress {
    pub(super) fn new(count: u64, done: u64, all: Option<u64>) -> Self {
        let percent = all.filter(|all| *all > 0).map(|all| (done.min(all).saturating_mul(100) / all) as u8);
        Self { count, percent }
    }
}

/// Why an export or an import did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// A line of an import is wrong: where, and what.
    #[error("{place}: {problem}")]
    Line {
        /// `FILE:LINE` or `FILE:LINE:COLUMN`.
        place: String,
        /// What is wrong, and what was expected. Never holds a password hash or a token.
        problem: String,
    },
    /// The lines cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for TransferError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}
