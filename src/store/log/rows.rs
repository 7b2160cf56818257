//! The rows of the log: each holds a segment. Whatever is read is verified.

use std::ops::ControlFlow;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row};

use crate::id::Seq;
use crate::store::damage::{Damage, DamageLog};
use crate::store::error::StoreError;
use crate::store::log::segment::{EncodedSegment, Segment};

/// The segment of a row.
#[derive(Debug)]
pub(crate) enum LogRow {
    Intact(Segment),
    /// The checksum is wrong, or SQLite cannot read the row.
    Damaged(Damage),
}

/// Appends segments, which must follow those in the table.
pub(crate) fn insert(transaction: &Connection, segments: &[EncodedSegment]) -> rusqlite::Result<()> {
    // With FAIL, SQLite saves no copies of the pages that the statement changes to undo the statement alone.
    let mut insert = transaction.prepare_cached("INSERT OR FAIL INTO log (last, data) VALUES (?1, ?2)")?;
    segments.iter().try_for_each(|segment| insert.execute((segment.last.0, &segment.bytes)).map(|_| ()))
}

/// Replaces a segment. The key stays.
pub(crate) fn replace(transaction: &Connection, segment: &EncodedSegment) -> rusqlite::Result<()> {
    let mut update = transaction.prepare_cached("UPDATE log SET data = ?2 WHERE last = ?1")?;
    update.execute((segment.last.0, &segment.bytes)).map(|_| ())
}

pub(crate) fn delete(transaction: &Connection, last: Seq) -> rusqlite::Result<()> {
    transaction.prepare_cached("DELETE FROM log WHERE last = ?1")?.execute([last.0]).map(|_| ())
}

/// The oldest row that ends at `seq` or later; only this one can have the record `seq`.
pub(crate) fn ending_from(database: &Connection, seq: Seq) -> Result<Option<LogRow>, StoreError> {
    one(database, "SELECT last, data FROM log WHERE last >= ?1 ORDER BY last LIMIT 1", seq)
}

/// The newest row that ends before `seq`.
pub(crate) fn ending_before(database: &Connection, seq: Seq) -> Result<Option<LogRow>, StoreError> {
    one(database, "SELECT last, data FROM log WHERE last < ?1 ORDER BY last DESC LIMIT 1", seq)
}

fn one(database: &Connection, sql: &str, seq: Seq) -> Result<Option<LogRow>, StoreError> {
    // SQLite's integers are signed.
    let bound = i64::try_from(seq.0).unwrap_or(i64::MAX);
    match database.prepare_cached(sql)?.query_row([bound], |row| verify(database, row)).optional() {
        Ok(row) => Ok(row),
        Err(error) if is_corrupt(&error) => Ok(Some(LogRow::Damaged(Damage::Log { first: seq, last: seq }))),
        Err(error) => Err(error.into()),
    }
}

/// Visits the rows that end after `after`, oldest first, until `visit` breaks. Reports those that are damaged.
pub(crate) fn for_each<E: From<StoreError>>(
    database: &Connection,
    after: Seq,
    damage: &DamageLog,
    mut visit: impl FnMut(&Segment) -> Result<ControlFlow<()>, E>,
) -> Result<(), E> {
    let bound = i64::try_from(after.0).unwrap_or(i64::MAX);
    let mut statement = database
        .prepare_cached("SELECT last, data FROM log WHERE last > ?1 ORDER BY last")
        .map_err(StoreError::from)?;
    let mut rows = statement.query([bound]).map_err(StoreError::from)?;
    while let Some(row) = rows.next().map_err(StoreError::from)? {
        match verify(database, row).map_err(StoreError::from)? {
            LogRow::Damaged(place) => damage.report(place),
            LogRow::Intact(segment) => {
                if visit(&segment)?.is_break() {
                    break;
                }
            }
        }
    }
    Ok(())
}

fn verify(database: &Connection, row: &Row<'_>) -> rusqlite::Result<LogRow> {
    let last = Seq(row.get(0)?);
    let segment = row.get_ref(1)?.as_blob().ok().and_then(|bytes| Segment::verify(last, bytes));
    Ok(match segment {
        Some(segment) => LogRow::Intact(segment),
        None => LogRow::Damaged(Damage::Log { first: first_of(database, last)?, last }),
    })
}

/// The first number that the row with this key can have.
fn first_of(database: &Connection, last: Seq) -> rusqlite::Result<Seq> {
    let before: Option<u64> =
        database.query_row("SELECT max(last) FROM log WHERE last < ?1", [last.0], |row| row.get(0))?;
    Ok(Seq(before.unwrap_or(0)).next())
}

fn is_corrupt(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}
