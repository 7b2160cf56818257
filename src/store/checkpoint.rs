//! The checkpointer: copies the write-ahead log back into the database, off the commit path.

use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

use crate::limits::{WAL_CHECKPOINT_PAGES, WAL_MAX_PAGES, WAL_REST_PAGES};
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

    /// To be called between two commits of `writer`. The log starts anew, in place of growing, when a commit finds all
    /// of it copied; as commits go on while it is copied, the rest is to be copied between two of them. That waits
    /// until the rest is small, but not for ever.
    pub(super) fn keep_short(&self, writer: &Connection) -> rusqlite::Result<()> {
        let log = checkpoint(writer, "PRAGMA wal_checkpoint(NOOP)")?;
        let rest = log.pages.saturating_sub(log.copied);
        if log.pages >= WAL_MAX_PAGES || (log.copied > 0 && (1..=WAL_REST_PAGES).contains(&rest)) {
            checkpoint(&locked(&self.connection), PASSIVE)?;
        } else if rest >= WAL_CHECKPOINT_PAGES
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Durability, connection};
    use std::path::PathBuf;
    use tempfile::TempDir;

    /// A database with a log that is long enough for the checkpointer.
    fn grown() -> (TempDir, PathBuf, Connection) {
        let home = tempfile::tempdir().unwrap();
        let database = home.path().join("kabar.db");
        std::fs::write(&database, "").unwrap();
        let writer = connection::open_writer(&database, Durability::Fast).unwrap();
        writer.execute_batch("CREATE TABLE page (bytes)").unwrap();
        write(&writer, WAL_CHECKPOINT_PAGES);
        (home, database, writer)
    }

    fn write(writer: &Connection, pages: u32) {
        writer.execute("INSERT INTO page VALUES (zeroblob(?1))", [pages * 4096]).unwrap();
    }

    fn pages(writer: &Connection) -> u32 {
        checkpoint(writer, "PRAGMA wal_checkpoint(NOOP)").unwrap().pages
    }

    #[test]
    fn a_log_that_grew_is_copied_and_starts_anew() {
        let (_home, database, writer) = grown();
        let checkpointer =
            Checkpointer::start(connection::open_checkpointer(&database, Durability::Fast).unwrap()).unwrap();
        checkpointer.keep_short(&writer).unwrap();
        // Ends once the thread has done what it was woken for.
        drop(checkpointer);
        write(&writer, 1);
        assert!(pages(&writer) < WAL_REST_PAGES, "{}", pages(&writer));
    }

    #[test]
    fn what_was_committed_while_the_log_was_copied_is_copied_between_two_commits() {
        let (_home, database, writer) = grown();
        let reader = connection::open_reader(&database).unwrap();
        reader.execute_batch("BEGIN; SELECT * FROM page").unwrap();
        write(&writer, 1);
        let connection = connection::open_checkpointer(&database, Durability::Fast).unwrap();
        // As far as the reader allows: not to the end.
        checkpoint(&connection, PASSIVE).unwrap();
        reader.execute_batch("COMMIT").unwrap();
        assert!(pages(&writer) > WAL_CHECKPOINT_PAGES);

        Checkpointer::start(connection).unwrap().keep_short(&writer).unwrap();
        write(&writer, 1);
        assert!(pages(&writer) < WAL_REST_PAGES, "{}", pages(&writer));
    }
}
