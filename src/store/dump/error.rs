//! Why an export or an import failed.

use std::io;

use crate::store::error::StoreError;

/// Why an export or an import failed.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// A line of an import is wrong.
    #[error("{place}: {problem}")]
    Line {
        /// `FILE:LINE` or `FILE:LINE:COLUMN`.
        place: String,
        /// The mistake, and what was expected. Never contains a password hash.
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
