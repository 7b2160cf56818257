//! The checkpointer: copies the write-ahead log back into the database, off the commit path.

use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

use crate::limits::{WAL_CHECKPOINT_PAGES, WAL_MAX_PAGES};
use crate::store::{StoreError, locked};

/// What is in the write-ahead log, in pages.
struct Log {
    pages: u32,
    copied: u32,
}

/// A thread with a connection of its own; ends and is joined when this is dropped.
pub(super) struct Checkpointer {
    connection: Arc<Mutex<Connection>>,
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub(super) fn start(connection: Connection) -> Result<Self, StoreError> {
        let connection = Arc::new(Mutex::new(connection));
        let (wake, woken) = mpsc::sync_channel(1);
        let thread = thread::Builder::new()
            .name("checkpointer".to_owned())
            .spawn({
                let connection = Arc::clone(&connection);
                move || copy_when_woken(&connection, &woken)
            })
            .map_err(StoreError::Thread)?;
        Ok(Self { connection, wake: Some(wake), thread: Some(thread) })
    }

    /// To be called between two commits of `writer`. Under load the log grows while it is copied, so that it would never
    /// start anew: past its bound the commits wait until the rest is copied too.
    pub(super) fn keep_short(&self, writer: &Connection) -> rusqlite::Result<()> {
        let log = checkpoint(writer, "PRAGMA wal_checkpoint(NOOP)")?;
        if log.pages >= WAL_MAX_PAGES {
            checkpoint(&locked(&self.connection), PASSIVE)?;
        } else if log.pages.saturating_sub(log.copied) >= WAL_CHECKPOINT_PAGES
            && let Some(wake) = &self.wake
        {
            // A wish that is refused finds one waiting already.
            let _ = wake.try_send(());
        }
        Ok(())
    }

    /// Copies what can be copied without waiting. The database's file is cut to its length then.
    pub(super) fn copy(&self) -> rusqlite::Result<()> {
        checkpoint(&locked(&self.connection), PASSIVE).map(|_| ())
    }

    /// Copies all of the log and empties its file, unless another process is reading just now.
    pub(super) fn truncate(&self) -> rusqlite::Result<()> {
        checkpoint(&locked(&self.connection), "PRAGMA wal_checkpoint(TRUNCATE)").map(|_| ())
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the checkpointer panicked");
        }
    }
}

/// Waits for nobody and blocks neither readers nor the writer.
const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";

fn copy_when_woken(connection: &Mutex<Connection>, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        if let Err(error) = checkpoint(&locked(connection), PASSIVE) {
            tracing::warn!(%error, "the write-ahead log could not be copied back; nothing is lost, it is tried again");
        }
    }
}

/// The pragma answers whether another process was in the way, and what the log holds: -1 where it has no file yet.
fn checkpoint(connection: &Connection, pragma: &str) -> rusqlite::Result<Log> {
    let pages = |number: i64| u32::try_from(number).unwrap_or(0);
    connection
        .prepare_cached(pragma)?
        .query_row([], |row| Ok(Log { pages: pages(row.get(1)?), copied: pages(row.get(2)?) }))
}
