//! What of the log is to go.

use rusqlite::Connection;

use crate::chat::Event;
use crate::id::Seq;
use crate::limits::{RETENTION_LOOK, RETENTION_ROWS};
use crate::store::retention::Sweep;
use crate::store::{StoreError, record, removed};
use crate::time::Time;

/// The newest log entry from before a time, 0 where there is none. Times never go back along the log.
pub(super) fn newest_before(database: &Connection, time: Time, head: Seq) -> Result<Seq, StoreError> {
    let mut statement = database.prepare_cached("SELECT time FROM log WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1")?;
    // Everything up to `low` is older, everything after `high` is not.
    let (mut low, mut high) = (0, head.0);
    while low < high {
        let middle = high - (high - low) / 2;
        let mut rows = statement.query([middle])?;
        let older = rows.next()?.map(|row| row.get(0)).transpose()?.is_none_or(|found: u64| found < time.0);
        if older { low = middle } else { high = middle - 1 }
    }
    Ok(Seq(low))
}

/// Entries that are to go.
pub(super) struct Clearance {
    entries: Vec<Seq>,
    pub(super) messages: u64,
    /// The log was looked at up to here.
    pub(super) upto: Seq,
    /// There is nothing more after it.
    pub(super) done: bool,
}

/// Looks at the log after an entry, up to another.
pub(super) fn find(database: &Connection, sweep: &Sweep, after: Seq, upto: Seq) -> Result<Clearance, StoreError> {
    let mut clearance = Clearance { entries: Vec::new(), messages: 0, upto: after, done: false };
    let mut statement =
        database.prepare_cached("SELECT seq, event FROM log WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3")?;
    let mut rows = statement.query([after.0, upto.0, RETENTION_LOOK as u64])?;
    let mut looked = 0;
    while let Some(row) = rows.next()? {
        looked += 1;
        let seq = Seq(row.get(0)?);
        let event = record::decode(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?;
        clearance.upto = seq;
        if !goes(database, sweep, seq, &event)? {
            continue;
        }
        clearance.messages += u64::from(matches!(event, Event::MessageSent(_)));
        clearance.entries.push(seq);
        if clearance.entries.len() == RETENTION_ROWS {
            return Ok(clearance);
        }
    }
    clearance.done = looked < RETENTION_LOOK;
    Ok(clearance)
}

fn goes(database: &Connection, sweep: &Sweep, seq: Seq, event: &Event) -> Result<bool, StoreError> {
    let Event::MessageSent(message) = event else { return Ok(seq <= sweep.old) };
    for (timeline, _) in message.placements(seq) {
        if removed::upto(database, timeline)? < seq {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Clearance {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn make(&self, database: &Connection) -> Result<(), StoreError> {
        let mut statement = database.prepare_cached("DELETE FROM log WHERE seq = ?1")?;
        for seq in &self.entries {
            statement.execute([seq.0])?;
        }
        Ok(())
    }
}
