//! The connection that writes: a batch and the flushes of the index, in one transaction.

use std::fs;
use std::sync::Arc;

use rusqlite::{Connection, ErrorCode, ToSql, Transaction, TransactionBehavior, ffi};

use crate::chat::Record;
use crate::id::Seq;
use crate::store::error::{CommitError, StoreError};
use crate::store::index::flush_plan::FlushPlan;
use crate::store::log::rows;
use crate::store::log::segment::EncodedSegment;
use crate::store::log_position::{self, LogPosition};
use crate::store::projection::project;

pub(super) struct Writer {
    connection: Connection,
    state: WriterState,
}

/// Whether the connection may write.
enum WriterState {
    Good,
    /// A commit had an unknown outcome: nothing may be written after it.
    Failed,
    /// The store was opened for reading only, because of this.
    ReadOnly(Arc<StoreError>),
}

impl Writer {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, state: WriterState::Good }
    }

    /// A writer that refuses everything, with a connection that cannot write.
    pub(super) fn read_only(connection: Connection, cause: StoreError) -> Self {
        Self { connection, state: WriterState::ReadOnly(Arc::new(cause)) }
    }

    pub(super) fn is_read_only(&self) -> bool {
        matches!(self.state, WriterState::ReadOnly(_))
    }

    /// The connection, outside a transaction. Fails after a commit with an unknown outcome, and if it only reads.
    pub(super) fn connection(&self) -> Result<&Connection, StoreError> {
        match &self.state {
            WriterState::Good => Ok(&self.connection),
            WriterState::Failed => Err(StoreError::Failed),
            WriterState::ReadOnly(cause) => Err(StoreError::ReadOnly(cause.clone())),
        }
    }

    /// Writes a batch, whose records follow `head`, with its segments, a plan, and the place in the shared log, atomically.
    pub(super) fn commit(
        &mut self,
        head: Seq,
        (batch, segments): (&[Record], &[EncodedSegment]),
        plan: &FlushPlan,
        position: Option<&LogPosition>,
    ) -> Result<(), CommitError> {
        self.write(|transaction| {
            check_order(head, batch)?;
            rows::insert(transaction, segments)?;
            project_all(transaction, batch)?;
            plan.write(transaction)?;
            position.map_or(Ok(()), |position| log_position::save(transaction, position))
        })
    }

    /// Calls `write` with a transaction, and commits it.
    pub(super) fn write(
        &mut self,
        write: impl FnOnce(&Connection) -> Result<(), StoreError>,
    ) -> Result<(), CommitError> {
        let result = self.transact(write);
        self.classify(result)
    }

    fn classify(&mut self, result: Result<(), CommitError>) -> Result<(), CommitError> {
        // If the transaction is still open, it was not rolled back.
        let is_rolled_back = self.connection.is_autocommit();
        match result {
            Ok(()) => Ok(()),
            Err(CommitError::RolledBack(error)) if is_rolled_back => Err(CommitError::RolledBack(error)),
            Err(CommitError::RolledBack(error) | CommitError::Unknown(error)) => {
                self.state = WriterState::Failed;
                Err(CommitError::Unknown(error))
            }
        }
    }

    fn transact(&mut self, write: impl FnOnce(&Connection) -> Result<(), StoreError>) -> Result<(), CommitError> {
        let transaction = Transaction::new(&mut self.connection, TransactionBehavior::Immediate)
            .map_err(|error| CommitError::RolledBack(error.into()))?;
        write(&transaction).map_err(CommitError::RolledBack)?;
        let committed = transaction.commit();
        committed.map_err(|error| not_committed(error, || is_at_size_limit(&self.connection)))
    }
}

/// Classifies a failed COMMIT. SQLite reports a full disk or a busy database before it writes the WAL's commit page,
/// without which the transaction does not exist. So does a file that may not grow, of which SQLite knows only that a write
/// failed. Any other error may have come after that.
fn not_committed(error: rusqlite::Error, is_at_size_limit: impl FnOnce() -> bool) -> CommitError {
    let is_failed_write = error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_WRITE);
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy) => CommitError::RolledBack(error.into()),
        _ if is_failed_write && is_at_size_limit() => CommitError::RolledBack(error.into()),
        _ => CommitError::Unknown(error.into()),
    }
}

/// Whether the write-ahead log has the size that the process may give a file (`RLIMIT_FSIZE`): SQLite fills it up to there.
fn is_at_size_limit(connection: &Connection) -> bool {
    let Some(wal) = connection.path().map(|database| format!("{database}-wal")) else { return false };
    let Ok((limit, _)) = rlimit::Resource::FSIZE.get() else { return false };
    fs::metadata(wal).is_ok_and(|wal| wal.len() >= limit)
}

fn project_all(transaction: &Connection, batch: &[Record]) -> rusqlite::Result<()> {
    let write = |sql: &'static str, values: &[&dyn ToSql]| transaction.prepare_cached(sql)?.execute(values).map(|_| ());
    batch.iter().try_for_each(|record| project(record, write))
}

fn check_order(mut head: Seq, batch: &[Record]) -> Result<(), StoreError> {
    for record in batch {
        if record.seq != head.next() {
            return Err(StoreError::OutOfOrder { head, found: record.seq });
        }
        head = record.seq;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn a_failed_commit_is_rolled_back_only_if_the_commit_page_was_not_written() {
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_BUSY] {
            assert!(matches!(not_committed(failure(code), || false), CommitError::RolledBack(_)), "{code}");
        }
        for code in [ffi::SQLITE_IOERR, ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_NOMEM] {
            assert!(matches!(not_committed(failure(code), || false), CommitError::Unknown(_)), "{code}");
        }
    }

    #[test]
    fn a_file_that_may_not_grow_is_as_a_full_disk() {
        let refused = not_committed(failure(ffi::SQLITE_IOERR_WRITE), || true);
        assert!(matches!(refused, CommitError::RolledBack(_)), "{refused:?}");
    }

    #[test]
    fn nothing_is_written_after_a_commit_with_an_unknown_outcome() {
        let mut writer = Writer::new(Connection::open_in_memory().unwrap());
        assert!(writer.connection().is_ok());
        let unknown = not_committed(failure(ffi::SQLITE_IOERR_FSYNC), || true);
        assert!(matches!(writer.classify(Err(unknown)), Err(CommitError::Unknown(_))));
        assert!(matches!(writer.connection(), Err(StoreError::Failed)));
    }

    #[test]
    fn an_error_with_an_open_transaction_is_no_rollback() {
        let mut writer = Writer::new(Connection::open_in_memory().unwrap());
        writer.connection.execute_batch("BEGIN").unwrap();
        let full = CommitError::RolledBack(failure(ffi::SQLITE_FULL).into());
        assert!(matches!(writer.classify(Err(full)), Err(CommitError::Unknown(_))));
    }
}
