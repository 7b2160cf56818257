//! The one connection that writes: a batch and what the index moves, in one transaction.

use std::sync::LazyLock;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use crate::chat::Record;
use crate::id::Seq;
use crate::store::index::plan::Plan;
use crate::store::index::{chunk, runs};
use crate::store::project::project;
use crate::store::rows::Insertion;
use crate::store::{CommitError, StoreError, record};

/// The writing connection.
pub(super) struct Writer {
    connection: Connection,
    /// It cannot be told what a commit left on the disk: nothing may be written on top of it.
    failed: bool,
}

impl Writer {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, failed: false }
    }

    /// The connection, between two transactions; none where nothing may be written any more.
    pub(super) fn idle(&self) -> Result<&Connection, StoreError> {
        if self.failed { Err(StoreError::Failed) } else { Ok(&self.connection) }
    }

    /// Writes a batch, which follows `head`, and a plan, or nothing.
    pub(super) fn write(&mut self, head: Seq, batch: &[Record], plan: &Plan) -> Result<(), CommitError> {
        self.change(|transaction| {
            append(transaction, head, batch)?;
            move_index(transaction, plan)
        })
    }

    /// Changes the database in one transaction.
    pub(super) fn change(
        &mut self,
        change: impl FnOnce(&Connection) -> Result<(), StoreError>,
    ) -> Result<(), CommitError> {
        let result = self.transact(change);
        self.judge(result)
    }

    fn judge(&mut self, result: Result<(), CommitError>) -> Result<(), CommitError> {
        // An error that left the transaction open is no rollback.
        let rolled_back = self.connection.is_autocommit();
        match result {
            Ok(()) => Ok(()),
            Err(CommitError::RolledBack(error)) if rolled_back => Err(CommitError::RolledBack(error)),
            Err(CommitError::RolledBack(error) | CommitError::Unknown(error)) => {
                self.failed = true;
                Err(CommitError::Unknown(error))
            }
        }
    }

    fn transact(&mut self, change: impl FnOnce(&Connection) -> Result<(), StoreError>) -> Result<(), CommitError> {
        let transaction = Transaction::new(&mut self.connection, TransactionBehavior::Immediate)
            .map_err(|error| CommitError::RolledBack(error.into()))?;
        change(&transaction).map_err(CommitError::RolledBack)?;
        transaction.commit().map_err(not_committed)
    }
}

/// What a failed COMMIT means. A full or busy disk is told before the log's last page is written, without which the
/// rest counts for nothing; any other error may have come after it.
fn not_committed(error: rusqlite::Error) -> CommitError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy) => CommitError::RolledBack(error.into()),
        _ => CommitError::Unknown(error.into()),
    }
}

static LOG: LazyLock<Insertion> = LazyLock::new(|| Insertion::new("log (seq, time, event, body)", 4));

fn append(transaction: &Connection, head: Seq, batch: &[Record]) -> Result<(), StoreError> {
    check_order(head, batch)?;
    let mut event = Vec::new();
    LOG.run(transaction, batch, |row, first, record| {
        record::encode(&record.event, &mut event)?;
        row.raw_bind_parameter(first, record.seq.0)?;
        row.raw_bind_parameter(first + 1, record.time.0)?;
        row.raw_bind_parameter(first + 2, event.as_slice())?;
        row.raw_bind_parameter(first + 3, text(record::body(&record.event)))?;
        Ok(())
    })?;
    for record in batch {
        project(record, |sql, values| transaction.prepare_cached(sql)?.execute(values).map(|_| ()))?;
    }
    Ok(())
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

/// A column of text from bytes that are ASCII already.
fn text(bytes: Option<&[u8]>) -> ToSqlOutput<'_> {
    bytes.map_or(ToSqlOutput::Owned(Value::Null), |bytes| ToSqlOutput::Borrowed(ValueRef::Text(bytes)))
}

fn move_index(transaction: &Connection, plan: &Plan) -> Result<(), StoreError> {
    plan.dealt.iter().try_for_each(|partition| runs::deal(transaction, *partition, plan.chunk_entries))?;
    plan.merged.iter().try_for_each(|(partition, number)| runs::merge(transaction, *partition, *number))?;
    chunk::insert(transaction, &plan.chunks)?;
    runs::insert(transaction, &plan.runs)?;
    if let Some(mark) = plan.mark {
        transaction.prepare_cached("UPDATE indexed SET upto = ?1")?.execute([mark.0])?;
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
    fn a_failed_commit_is_known_to_be_rolled_back_only_where_the_log_lacks_its_end() {
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_BUSY] {
            assert!(matches!(not_committed(failure(code)), CommitError::RolledBack(_)), "{code}");
        }
        for code in [ffi::SQLITE_IOERR, ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_NOMEM] {
            assert!(matches!(not_committed(failure(code)), CommitError::Unknown(_)), "{code}");
        }
    }

    #[test]
    fn after_a_commit_of_unknown_outcome_nothing_is_written() {
        let mut writer = Writer::new(Connection::open_in_memory().unwrap());
        assert!(writer.idle().is_ok());
        let unknown = not_committed(failure(ffi::SQLITE_IOERR_FSYNC));
        assert!(matches!(writer.judge(Err(unknown)), Err(CommitError::Unknown(_))));
        assert!(matches!(writer.idle(), Err(StoreError::Failed)));
    }

    #[test]
    fn a_transaction_that_did_not_end_is_no_rollback() {
        let mut writer = Writer::new(Connection::open_in_memory().unwrap());
        writer.connection.execute_batch("BEGIN").unwrap();
        let full = CommitError::RolledBack(failure(ffi::SQLITE_FULL).into());
        assert!(matches!(writer.judge(Err(full)), Err(CommitError::Unknown(_))));
    }
}
