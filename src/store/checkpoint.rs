//! The checkpointer: copies the write-ahead log (WAL) into the database file, off the commit path.

use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, ErrorCode};

use crate::limits::{STORE_BUSY, WAL_CHECKPOINT_PAGES, WAL_MAX_PAGES, WAL_REST_PAGES, WAL_TRUNCATE};
use crate::store::error::StoreError;
use crate::store::lock::lock;

/// The length of the WAL, and how much of it is in the database file already, in pages.
struct WalStatus {
    pages: u32,
    copied: u32,
}

/// A thread with its own connection. Dropping this ends and joins it.
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
                move || run(&connection, &woken)
            })
            .map_err(StoreError::Thread)?;
        Ok(Self { connection, wake: Some(wake), thread: Some(thread) })
    }

    /// Bounds the WAL; to be called between two commits of `writer`. SQLite overwrites the WAL from its start, instead of
    /// appending to it, when a commit finds all of it copied. Commits continue while the thread copies it, so the last
    /// pages are copied here: when few are left, or when the WAL has become too long.
    pub(super) fn bound_wal(&self, writer: &Connection) -> rusqlite::Result<()> {
        let wal = checkpoint(writer, "PRAGMA wal_checkpoint(NOOP)")?;
        let rest = wal.pages.saturating_sub(wal.copied);
        if wal.pages >= WAL_MAX_PAGES || (wal.copied > 0 && (1..=WAL_REST_PAGES).contains(&rest)) {
            checkpoint(&lock(&self.connection), PASSIVE)?;
        } else if rest >= WAL_CHECKPOINT_PAGES
            && let Some(wake) = &self.wake
        {
            // If the channel is full, the thread is being woken already.
            let _ = wake.try_send(());
        }
        Ok(())
    }

    /// Copies all of the WAL and truncates its file, unless another process is reading.
    pub(super) fn truncate(&self) -> rusqlite::Result<()> {
        checkpoint(&lock(&self.connection), TRUNCATE).map(|_| ())
    }

    /// As [`Checkpointer::truncate`], for a store in use: commits wait only while the last pages are copied, and no longer
    /// than [`WAL_TRUNCATE`] for readers. With a reader that takes longer the WAL stays for the next time.
    pub(super) fn truncate_in_use(&self) -> rusqlite::Result<()> {
        let connection = lock(&self.connection);
        checkpoint(&connection, PASSIVE)?;
        connection.busy_timeout(WAL_TRUNCATE)?;
        let truncated = checkpoint(&connection, TRUNCATE);
        connection.busy_timeout(STORE_BUSY)?;
        match truncated {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(()),
            done => done.map(|_| ()),
        }
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

/// Neither waits for readers or the writer, nor blocks them.
const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";
const TRUNCATE: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

fn run(connection: &Mutex<Connection>, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        if let Err(error) = checkpoint(&lock(connection), PASSIVE) {
            tracing::warn!(%error, "the write-ahead log could not be copied back; nothing is lost, it is tried again");
        }
    }
}

/// The row has a flag whether the checkpoint was blocked, and the two numbers: -1 if the WAL has no file yet.
fn checkpoint(connection: &Connection, pragma: &str) -> rusqlite::Result<WalStatus> {
    let pages = |number: i64| u32::try_from(number).unwrap_or(0);
    connection
        .prepare_cached(pragma)?
        .query_row([], |row| Ok(WalStatus { pages: pages(row.get(1)?), copied: pages(row.get(2)?) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Durability;
    use crate::store::connection;
    use std::path::PathBuf;
    use tempfile::TempDir;

    /// A database with a WAL that is long enough to wake the checkpointer.
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
    fn a_long_wal_is_copied_and_overwritten() {
        let (_home, database, writer) = grown();
        let checkpointer =
            Checkpointer::start(connection::open_checkpointer(&database, Durability::Fast).unwrap()).unwrap();
        checkpointer.bound_wal(&writer).unwrap();
        // Returns after the thread has finished the checkpoint.
        drop(checkpointer);
        write(&writer, 1);
        assert!(pages(&writer) < WAL_REST_PAGES, "{}", pages(&writer));
    }

    #[test]
    fn pages_written_during_a_checkpoint_are_copied_between_two_commits() {
        let (_home, database, writer) = grown();
        let reader = connection::open_reader(&database).unwrap();
        reader.execute_batch("BEGIN; SELECT * FROM page").unwrap();
        write(&writer, 1);
        let connection = connection::open_checkpointer(&database, Durability::Fast).unwrap();
        // Not to the end: the reader holds an older snapshot.
        checkpoint(&connection, PASSIVE).unwrap();
        reader.execute_batch("COMMIT").unwrap();
        assert!(pages(&writer) > WAL_CHECKPOINT_PAGES);

        Checkpointer::start(connection).unwrap().bound_wal(&writer).unwrap();
        write(&writer, 1);
        assert!(pages(&writer) < WAL_REST_PAGES, "{}", pages(&writer));
    }
}
