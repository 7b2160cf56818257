//! What a sweep of retention reads and writes.

use rusqlite::Connection;

use crate::chat::Timeline;
use crate::id::Seq;
use crate::store::checkpoint::Checkpointer;
use crate::store::damage::DamageLog;
use crate::store::error::{CommitError, StoreError};
use crate::store::index::partition::Partition;
use crate::store::lock::lock;
use crate::store::log::head;
use crate::store::retention::sweep::SweepTarget;
use crate::store::sqlite::SqliteStore;

impl SweepTarget for SqliteStore {
    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.readers.read(|database| {
            {
                // The first read takes the snapshot. No commit may be between its transaction and the index.
                let _no_commits = lock(&self.writer);
                head::read(database)?;
            }
            read(database)
        })
    }

    fn write(&self, write: impl FnOnce(&Connection) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut writer = lock(&self.writer);
        self.bound_wal(writer.connection()?)?;
        writer.write(write).map_err(CommitError::into_cause)
    }

    fn flush_to_chunks(&self, upto: Seq, most: usize) -> Result<bool, StoreError> {
        let mut writer = lock(&self.writer);
        self.bound_wal(writer.connection()?)?;
        let Some(plan) = lock(&self.index).plan_flush_to_chunks(upto, most) else { return Ok(false) };
        self.flush(&mut writer, &plan)?;
        Ok(true)
    }

    fn split_runs(&self, after: Option<Partition>, upto: Seq) -> Result<Option<Partition>, StoreError> {
        let mut writer = lock(&self.writer);
        self.bound_wal(writer.connection()?)?;
        let Some((plan, partition)) = lock(&self.index).plan_split(after, upto) else { return Ok(None) };
        self.flush(&mut writer, &plan)?;
        Ok(Some(partition))
    }

    fn damage(&self) -> &DamageLog {
        &self.damage
    }

    fn entries_in_memory(&self, timeline: Timeline) -> usize {
        lock(&self.index).entries_in_memory(timeline)
    }

    fn vacuum(&self, pages: u32) -> Result<bool, StoreError> {
        let free = |database: &Connection| database.query_row("PRAGMA freelist_count", [], |row| row.get::<_, u32>(0));
        let before = free(lock(&self.writer).connection()?)?;
        if before > 0 {
            self.write(|transaction| Ok(transaction.execute_batch(&format!("PRAGMA incremental_vacuum({pages})"))?))?;
        }
        let after = free(lock(&self.writer).connection()?)?;
        let has_more = 0 < after && after < before;
        if !has_more {
            // Shortens the database file, and erases what the WAL has of removed messages.
            self.checkpointer.as_ref().map_or(Ok(()), Checkpointer::truncate_in_use)?;
        }
        Ok(has_more)
    }
}
