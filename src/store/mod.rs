//! The store: commits batches of records, gives pages of timelines back, loads the state. One directory, one SQLite
//! database that an operator can open, query and back up with the tools that everybody knows.
//!
//! Never here: sockets, the hub, rules.

use crate::chat::{Record, Snapshot, StoredMessage, View};
use crate::id::Seq;

/// The seam for the engine behind the hub: the embedded one now, a replicated log later.
pub trait Store: Send + Sync + 'static {
    /// What is needed to build the state again.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn load(&self) -> Result<Snapshot, StoreError>;

    /// Puts a batch on stable storage, all of it or nothing. Records come in the order of the log, without a gap. When
    /// this returns `Ok` the batch survives a power cut (unless the durability is fast) and [`Store::page`] shows it.
    ///
    /// # Errors
    /// [`CommitError`], which tells whether the batch may have reached the disk.
    fn commit(&self, batch: &[Record]) -> Result<(), CommitError>;

    /// The oldest messages that a view shows, by id, at most `limit` of them.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn page(&self, view: &View, limit: usize) -> Result<Page, StoreError>;

    /// Makes the next opening fast; called once, after the last commit.
    ///
    /// # Errors
    /// Where the store cannot be written. Nothing is lost then: the next opening only takes longer.
    fn close(&self) -> Result<(), StoreError>;
}

/// A part of a view, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The messages.
    pub messages: Vec<StoredMessage>,
    /// The page holds all that the view shows up to and with this entry: the last message's where the page was cut,
    /// the newest durable entry's otherwise.
    pub upto: Seq,
    /// A limit cut the page: there is more.
    pub more: bool,
}

/// Why a batch is not known to be on stable storage.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// It is not: the transaction was rolled back (a full disk). The store is whole and may be tried again.
    #[error("the batch was rolled back: {0}")]
    RolledBack(#[source] StoreError),
    /// It cannot be told (a failed sync). The store must not be written again before it was opened anew.
    #[error("it cannot be told whether the batch was stored: {0}")]
    Unknown(#[source] StoreError),
}
