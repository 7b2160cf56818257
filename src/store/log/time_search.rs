//! Finds entries of the log by time: times never decrease along the log.

use rusqlite::Connection;

use crate::id::Seq;
use crate::store::error::StoreError;
use crate::store::log::rows::{self, LogRow};
use crate::store::log::segment::Segment;
use crate::time::Time;

/// The newest log entry from before `time`, 0 if there is none, by bisection.
pub(crate) fn newest_before(database: &Connection, time: Time, head: Seq) -> Result<Seq, StoreError> {
    // Entries up to `low` are older, entries after `high` are not.
    let (mut low, mut high) = (0, head.0);
    while low < high {
        let middle = high - (high - low) / 2;
        let is_older = time_upto(database, Seq(middle))?.is_none_or(|found| found < time);
        if is_older { low = middle } else { high = middle - 1 }
    }
    Ok(Seq(low))
}

/// The time of the newest entry up to `upto`, as far as rows are intact.
fn time_upto(database: &Connection, upto: Seq) -> Result<Option<Time>, StoreError> {
    if let Some(LogRow::Intact(segment)) = rows::ending_from(database, upto)?
        && let Some(time) = newest_time(&segment, upto)?
    {
        return Ok(Some(time));
    }
    match rows::ending_before(database, upto)? {
        Some(LogRow::Intact(segment)) => segment.newest_time().map(Some),
        Some(LogRow::Damaged(_)) | None => Ok(None),
    }
}

fn newest_time(segment: &Segment, upto: Seq) -> Result<Option<Time>, StoreError> {
    for seq in (segment.first().0..=upto.0.min(segment.last().0)).rev() {
        if let Some(record) = segment.record(Seq(seq))? {
            return Ok(Some(record.time));
        }
    }
    Ok(None)
}
