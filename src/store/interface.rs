//! The interface between the hub and its store.

use crate::chat::{CommandMark, ConversationPage, ConversationQuery, Record, Snapshot, TimelineQuery};
use crate::id::Seq;
use crate::store::error::{CommitError, StoreError};
use crate::store::page::{NewestPage, Page};
use crate::store::retention::sweep::{Sweep, Swept};

/// The records of one or more commands, which are committed together.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    pub records: &'a [Record],
    pub commands: &'a [CommandMark],
}

/// A store of log records. The embedded one is [`SqliteStore`](crate::store::sqlite::SqliteStore); a node that is of a
/// cluster has [`NodeStore`](crate::cluster::NodeStore) before it.
pub trait Store: Send + Sync + 'static {
    /// Reads what the state is restored from.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn load(&self) -> Result<Snapshot, StoreError>;

    /// Writes a batch to stable storage, atomically. Records must continue the log without a gap. After `Ok` the batch
    /// survives a power cut (unless the durability is fast), and [`Store::page`] includes it.
    ///
    /// # Errors
    /// [`CommitError`] distinguishes a rolled back batch from an unknown outcome.
    fn commit(&self, batch: &[Record]) -> Result<(), CommitError>;

    /// As [`Store::commit`], for a store that keeps what the records do not say of their commands.
    ///
    /// # Errors
    /// As [`Store::commit`].
    fn commit_part(&self, part: Part<'_>) -> Result<(), CommitError> {
        self.commit(part.records)
    }

    /// Bodies of messages, in bytes, beyond which the rest of a batch is committed on its own: some bytes more for the records
    /// of the command at the end, which are never torn apart.
    fn batch_bytes(&self) -> usize {
        usize::MAX
    }

    /// Reads the oldest durable messages that match a query: at most `limit`, and no more after [`PAGE_BYTES`] of bodies,
    /// but at least one.
    ///
    /// [`PAGE_BYTES`]: crate::limits::PAGE_BYTES
    ///
    /// # Errors
    /// If the store cannot be read.
    fn page(&self, query: &TimelineQuery, limit: usize) -> Result<Page, StoreError>;

    /// Reads the newest durable messages that match a query, bounded like [`Store::page`].
    ///
    /// # Errors
    /// If the store cannot be read.
    fn newest_page(&self, query: &TimelineQuery, limit: usize) -> Result<NewestPage, StoreError>;

    /// Reads the list of a user's conversations.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn conversations(&self, query: &ConversationQuery) -> Result<ConversationPage, StoreError>;

    /// The newest entry that retention has removed from the query's spans, 0 if there is none. A reader that continues
    /// from an earlier entry has missed messages, which it must be told (`truncated`, PROTOCOL §7). Other timelines of the
    /// query may still have entries up to this one.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn low_watermark(&self, query: &TimelineQuery) -> Result<Seq, StoreError>;

    /// Runs one step of a retention sweep: at most one short transaction, between two commits. A kill loses at most the
    /// step.
    ///
    /// # Errors
    /// If the store cannot be read or written. The step may be retried.
    fn sweep(&self, sweep: &mut Sweep) -> Result<Swept, StoreError>;

    /// Whether what is committed is where the next start finds it.
    ///
    /// # Errors
    /// If the data directory was deleted or replaced.
    fn check_place(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Whether reading blocks on a disk, and so must not happen on a thread that serves connections.
    fn waits(&self) -> bool {
        true
    }

    /// Flushes the index, so that the next start need not recover it. Called once, after the last commit.
    ///
    /// # Errors
    /// If the store cannot be written. No data is lost then; the next start takes longer.
    fn close(&self) -> Result<(), StoreError>;
}
