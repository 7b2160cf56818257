//! The connection that writes: a batch and the flushes of the index, in one transaction.

use rusqlite::{Connection, ErrorCode, ToSql, Transaction, TransactionBehavior};

use crate::chat::Record;
use crate::id::Seq;
use crate::store::error::{CommitError, StoreError};
use crate::store::index::flush_plan::FlushPlan;
use crate::store::log::rows;
use crate::store::log::segment::EncodedSegment;
use crate::store::projection::project;

pub(super) struct Writer {
    connection: Connection,
    /// A commit had an unknown outcome: nothing may be written after it.
    failed: bool,
}

impl Writer {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, failed: false }
    }

    /// The connection, outside a transaction. Fails after a commit with an unknown outcome.
    pub(super) fn connection(&self) -> Result<&Connection, StoreError> {
        if self.failed { Err(StoreError::Failed) } else { Ok(&self.connection) }
    }

    /// Writes a batch, whose records follow `head`, with its segments, and a plan, atomically.
    pub(super) fn commit(
        &mut self,
        head: Seq,
        (batch, segments): (&[Record], &[EncodedSegment]),
        plan: &FlushPlan,
    ) -> Result<(), CommitError> {
        self.write(|transaction| {
            check_order(head, batch)?;
            rows::insert(transaction, segments)?;
            project_all(transaction, batch)?;
            plan.write(transaction)
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
                self.failed = true;
                Err(CommitError::Unknown(error))
            }
        }
    }

    fn transact(&mut self, write: impl FnOnce(&Connection) -> Result<(), StoreError>) -> Result<(), CommitError> {
        let transaction = Transaction::new(&mut self.connection, TransactionBehavior::Immediate)
            .map_err(|error| CommitError::RolledBack(error.into()))?;
        write(&transaction).map_err(CommitError::RolledBack)?;
        transaction.commit().map_err(not_committed)
    }
}

/// Classifies a failed COMMIT. SQLite reports a full disk or a busy database before it writes the WAL's commit page,
/// without which the transaction does not exist. Any other error may have come after that.
fn not_committed(error: rusqlite::Error) -> CommitError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy) => CommitError::RolledBack(error.into()),
        _ => CommitError::Unknown(error.into()),
    }
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
    use rusqlite::ffi;

    fn failure(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn a_failed_commit_is_rolled_back_only_if_the_commit_page_was_not_written() {
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_BUSY] {
            assert!(matches!(not_committed(failure(code)), CommitError::RolledBack(_)), "{code}");
        }
        for code in [ffi::SQLITE_IOERR, ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_NOMEM] {
            assert!(matches!(not_committed(failure(code)), CommitError::Unknown(_)), "{code}");
        }
    }

    #[test]
    fn nothing_is_written_after_a_commit_with_an_unknown_outcome() {
        let mut writer = Writer::new(Connection::open_in_memory().unwrap());
        assert!(writer.connection().is_ok());
        let unknown = not_committed(failure(ffi::SQLITE_IOERR_FSYNC));
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
