//! What retention took out of each timeline: all of its entries up to one.
//!
//! A timeline is only ever cut from its old end, so that one number tells for every entry whether it is still there.

use rusqlite::{Connection, OptionalExtension, params};

use crate::chat::{Timeline, TimelineQuery};
use crate::id::Seq;
use crate::store::StoreError;
use crate::store::index::chunk;

/// The newest entry that was taken out of the timeline, 0 where none was.
pub(super) fn upto(database: &Connection, timeline: Timeline) -> rusqlite::Result<Seq> {
    let (kind, owner) = chunk::key(timeline);
    let upto: Option<u64> = database
        .prepare_cached("SELECT upto FROM removed WHERE kind = ?1 AND owner = ?2")?
        .query_row([u32::from(kind), owner], |row| row.get(0))
        .optional()?;
    Ok(Seq(upto.unwrap_or(0)))
}

/// Notes that the timeline holds nothing up to `upto` any more.
pub(super) fn raise(database: &Connection, timeline: Timeline, upto: Seq) -> rusqlite::Result<()> {
    let (kind, owner) = chunk::key(timeline);
    database
        .prepare_cached("INSERT OR REPLACE INTO removed (kind, owner, upto) VALUES (?1, ?2, ?3)")?
        .execute(params![kind, owner, upto.0])?;
    Ok(())
}

/// Every timeline that something was taken out of, with the newest such entry.
pub(super) fn all(database: &Connection) -> Result<Vec<(Timeline, Seq)>, StoreError> {
    let mut statement = database.prepare("SELECT kind, owner, upto FROM removed")?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push((chunk::timeline(row.get(0)?, row.get(1)?)?, Seq(row.get(2)?)));
    }
    Ok(all)
}

/// The newest entry that was taken out of any timeline, 0 where none was.
pub(super) fn newest(database: &Connection) -> rusqlite::Result<Seq> {
    let newest: Option<u64> = database.query_row("SELECT max(upto) FROM removed", [], |row| row.get(0))?;
    Ok(Seq(newest.unwrap_or(0)))
}

/// The newest entry that was taken out of the spans of a view, 0 where nothing was.
pub(super) fn in_view(database: &Connection, view: &TimelineQuery) -> Result<Seq, StoreError> {
    let mut newest = Seq(0);
    for span in &view.spans {
        let removed = upto(database, span.timeline)?.min(span.upto);
        if removed > span.after {
            newest = newest.max(removed);
        }
    }
    Ok(newest)
}
