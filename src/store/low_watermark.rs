//! The low watermark of each timeline: the newest entry that retention has removed. Retention truncates a timeline only
//! from its old end, so an entry is gone exactly if it is not newer than this.

use rusqlite::{Connection, OptionalExtension, params};

use crate::chat::{Timeline, TimelineQuery};
use crate::id::Seq;
use crate::store::error::StoreError;
use crate::store::{columns, timeline_key};

/// The timeline's low watermark, 0 if nothing was removed.
pub(super) fn get(database: &Connection, timeline: Timeline) -> rusqlite::Result<Seq> {
    let (kind, owner) = timeline_key::encode(timeline);
    let upto: Option<u64> = database
        .prepare_cached("SELECT upto FROM removed WHERE kind = ?1 AND owner = ?2")?
        .query_row([u64::from(kind), owner], |row| row.get(0))
        .optional()?;
    Ok(Seq(upto.unwrap_or(0)))
}

/// Moves the timeline's low watermark forward to `upto`.
pub(super) fn advance(transaction: &Connection, timeline: Timeline, upto: Seq) -> rusqlite::Result<()> {
    let (kind, owner) = timeline_key::encode(timeline);
    transaction
        .prepare_cached("INSERT OR REPLACE INTO removed (kind, owner, upto) VALUES (?1, ?2, ?3)")?
        .execute(params![kind, owner, upto.0])?;
    Ok(())
}

/// The low watermarks of all timelines from which something was removed.
pub(super) fn all(database: &Connection) -> Result<Vec<(Timeline, Seq)>, StoreError> {
    let mut all = Vec::new();
    columns::for_each_row(database, "SELECT kind, owner, upto FROM removed", |row| {
        all.push((timeline_key::decode(row.get(0)?, row.get(1)?)?, Seq(row.get(2)?)));
        Ok(())
    })?;
    Ok(all)
}

/// The highest low watermark of all timelines, 0 if nothing was removed.
pub(super) fn highest(database: &Connection) -> rusqlite::Result<Seq> {
    let highest: Option<u64> = database.query_row("SELECT max(upto) FROM removed", [], |row| row.get(0))?;
    Ok(Seq(highest.unwrap_or(0)))
}

/// The newest removed entry of the query's spans, 0 if nothing was removed from them.
pub(super) fn of_query(database: &Connection, query: &TimelineQuery) -> Result<Seq, StoreError> {
    let mut highest = Seq(0);
    for span in &query.spans {
        let removed = get(database, span.timeline)?.min(span.upto);
        if removed > span.after {
            highest = highest.max(removed);
        }
    }
    Ok(highest)
}
