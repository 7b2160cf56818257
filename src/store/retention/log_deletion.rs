//! Deleting entries from the log.

use rusqlite::Connection;

use crate::chat::Event;
use crate::id::Seq;
use crate::limits::{RETENTION_LOOK, RETENTION_ROWS};
use crate::store::error::StoreError;
use crate::store::{low_watermark, record};
use crate::time::Time;

/// The newest log entry from before `time`, 0 if there is none, by bisection: times never decrease along the log.
pub(super) fn newest_before(database: &Connection, time: Time, head: Seq) -> Result<Seq, StoreError> {
    let mut statement = database.prepare_cached("SELECT time FROM log WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1")?;
    // Entries up to `low` are older, entries after `high` are not.
    let (mut low, mut high) = (0, head.0);
    while low < high {
        let middle = high - (high - low) / 2;
        let mut rows = statement.query([middle])?;
        let is_older = rows.next()?.map(|row| row.get(0)).transpose()?.is_none_or(|found: u64| found < time.0);
        if is_older { low = middle } else { high = middle - 1 }
    }
    Ok(Seq(low))
}

/// The log entries to delete in one step.
pub(super) struct LogDeletion {
    entries: Vec<Seq>,
    pub(super) messages: u64,
    /// The log was searched up to here.
    pub(super) upto: Seq,
    /// The search reached the end.
    pub(super) is_last: bool,
}

impl LogDeletion {
    /// Searches the log after `after` and up to `upto`, as much as one step may. Messages are due if they are in no
    /// timeline any more, other events up to `old`.
    pub(super) fn find(database: &Connection, old: Seq, after: Seq, upto: Seq) -> Result<Self, StoreError> {
        let mut found = Self { entries: Vec::new(), messages: 0, upto: after, is_last: false };
        let mut statement =
            database.prepare_cached("SELECT seq, event FROM log WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3")?;
        let mut rows = statement.query([after.0, upto.0, RETENTION_LOOK as u64])?;
        let mut searched = 0;
        while let Some(row) = rows.next()? {
            searched += 1;
            let seq = Seq(row.get(0)?);
            let event = record::decode(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?;
            found.upto = seq;
            if !is_due(database, old, seq, &event)? {
                continue;
            }
            found.messages += u64::from(matches!(event, Event::MessageSent(_)));
            found.entries.push(seq);
            if found.entries.len() == RETENTION_ROWS {
                return Ok(found);
            }
        }
        found.is_last = searched < RETENTION_LOOK;
        Ok(found)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn write(&self, transaction: &Connection) -> Result<(), StoreError> {
        let mut statement = transaction.prepare_cached("DELETE FROM log WHERE seq = ?1")?;
        for seq in &self.entries {
            statement.execute([seq.0])?;
        }
        Ok(())
    }
}

fn is_due(database: &Connection, old: Seq, seq: Seq, event: &Event) -> Result<bool, StoreError> {
    let Event::MessageSent(message) = event else { return Ok(seq <= old) };
    for (timeline, _) in message.placements(seq) {
        if low_watermark::get(database, timeline)? < seq {
            return Ok(false);
        }
    }
    Ok(true)
}
