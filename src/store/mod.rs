//! The store: commits batches of records, gives pages of timelines back, loads the state. One directory, one SQLite
//! database that an operator can open, query and back up with the tools that everybody knows.
//!
//! Never here: sockets, the hub, rules.

mod archive;
mod backup;
mod backwards;
mod checkpoint;
mod connection;
mod directory;
mod dump;
mod index;
mod key_file;
mod links;
mod load;
mod pages;
mod project;
#[cfg(test)]
mod properties;
mod readers;
mod record;
mod removed;
#[cfg(test)]
mod retelling;
mod retention;
mod rows;
mod schema;
mod sqlite;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod wishes;
mod writer;

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::chat::{Record, Snapshot, StoredMessage, TimelineQuery};
use crate::id::Seq;

pub use backup::backup;
pub use directory::Directory;
pub use dump::{DumpError, Progress, export, import};
pub use key_file::{path as key_path, read as read_key, write as write_key};
pub use retention::{Rules, Sweep, Swept};
pub use sqlite::SqliteStore;

pub use crate::settings::Durability;

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

    /// The oldest messages that a view shows, by id, at most `limit` of them and [`PAGE_BYTES`] of bodies, but at least
    /// one. Only what is durable.
    ///
    /// [`PAGE_BYTES`]: crate::limits::PAGE_BYTES
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn page(&self, view: &TimelineQuery, limit: usize) -> Result<Page, StoreError>;

    /// The newest messages that a view shows, at most `limit` of them, bounded like [`Store::page`]. Only what is
    /// durable.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn newest_page(&self, view: &TimelineQuery, limit: usize) -> Result<NewestPage, StoreError>;

    /// The newest message of a view's spans that retention has removed; 0 where it has removed none. A reader who goes on
    /// from an earlier place has missed something, and is to be told so (`truncated`, PROTOCOL §7): what is still there
    /// comes after this one, but for what other timelines of the view hold.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn removed_upto(&self, view: &TimelineQuery) -> Result<Seq, StoreError>;

    /// Does one step of a sweep of retention: a transaction short enough to stand between two commits. What it removes is
    /// gone for good, and space with it, by and by; a kill at any time loses at most the step.
    ///
    /// # Errors
    /// Where the store cannot be read or written. The sweep may go on with the same step later.
    fn sweep(&self, sweep: &mut Sweep) -> Result<Swept, StoreError>;

    /// Whether reading waits for a disk: then it is not done on a thread that serves traffic.
    fn waits(&self) -> bool {
        true
    }

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
    /// otherwise the newest durable one. What came after the view was made is not in the view: a reader moves no cursor
    /// past the head of that moment.
    pub upto: Seq,
    /// A limit cut the page: there is more. Such a page may even be empty, where the view shows none of very many
    /// entries; the next one goes on after `upto`.
    pub more: bool,
}

/// The end of a view, oldest first.
#[derive(Clone, Debug, Default)]
pub struct NewestPage {
    /// The messages.
    pub messages: Vec<StoredMessage>,
    /// A limit cut the page: there may be more before this entry. Such a page may even be empty, where the view shows
    /// none of very many entries. None where the page reaches back to the view's start.
    pub before: Option<Seq>,
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

impl CommitError {
    /// What happened, for those to whom the outcome does not matter.
    fn into_cause(self) -> StoreError {
        let (Self::RolledBack(cause) | Self::Unknown(cause)) = self;
        cause
    }
}

/// Why the store cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The data directory cannot be made or written.
    #[error("the data directory {} cannot be used: {source}", directory.display())]
    Directory {
        /// Which.
        directory: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The key file cannot be read or written.
    #[error("the key file {} cannot be used: {source}", file.display())]
    KeyFile {
        /// Which.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Whoever can read the key file can pass for this server, and whoever can write it can make this server another.
    #[error("others than its owner can read or write the key file {}; chmod 600 it, or move it away to become a new server", .0.display())]
    KeyExposed(PathBuf),
    /// Another process holds the lock of the data directory.
    #[error("the data directory {} is in use by another server", .0.display())]
    InUse(PathBuf),
    /// The data directory holds something else, which must not be touched.
    #[error("the data directory {} is not empty and holds no store of kabar; choose an empty or a new one", .0.display())]
    Foreign(PathBuf),
    /// The data directory holds no store, or there is no such directory.
    #[error("there is no store of kabar in {}", .0.display())]
    Missing(PathBuf),
    /// The data directory was made for a store, and nothing has happened in it.
    #[error("there is nothing in the store in {} yet; the first start of a server begins it", .0.display())]
    Empty(PathBuf),
    /// Something would have to be overwritten.
    #[error("{} is not empty, and nothing in it is overwritten; choose an empty or a new directory", .0.display())]
    NotEmpty(PathBuf),
    /// An import would have to be mixed with what is there.
    #[error("the store in {} is in use already; an import needs an empty or a new directory", .0.display())]
    Used(PathBuf),
    /// An older server has written the store, and only a server changes it.
    #[error("the store in {} is that of an older server; start this version's server on it once", .0.display())]
    Older(PathBuf),
    /// A newer server has written the store.
    #[error("the store has version {found}, this server knows versions up to {known}; use the newer server")]
    Newer {
        /// The version of the store.
        found: u32,
        /// The newest that is known here.
        known: u32,
    },
    /// The store holds what this server never writes.
    #[error("the store is damaged: {0}")]
    Damaged(Box<str>),
    /// A batch does not follow the newest log entry.
    #[error("log entry {found} does not follow entry {head}")]
    OutOfOrder {
        /// The newest entry before it.
        head: Seq,
        /// The entry that was to be stored.
        found: Seq,
    },
    /// It cannot be told what an earlier commit left on the disk.
    #[error("a commit failed before; the store has to be opened anew")]
    Failed,
    /// The system has no thread for the checkpointer.
    #[error("no thread can be started: {0}")]
    Thread(#[source] io::Error),
    /// The database says so.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
}

/// The lock is taken even where a thread panicked with it: nothing here is left half-changed by a panic.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
