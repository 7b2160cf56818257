//! The head of the log: the number and the time of its newest entry. Both never go back, so the table `head` keeps them
//! after retention has deleted that entry.

use rusqlite::{Connection, OptionalExtension, Row};

use crate::id::Seq;
use crate::time::Time;

pub(super) fn read(database: &Connection) -> rusqlite::Result<(Seq, Time)> {
    let head = |row: &Row<'_>| Ok((Seq(row.get(0)?), Time(row.get(1)?)));
    let saved = database.query_row("SELECT seq, time FROM head", [], head)?;
    let newest = database.query_row("SELECT seq, time FROM log ORDER BY seq DESC LIMIT 1", [], head).optional()?;
    Ok(newest.map_or(saved, |newest| saved.max(newest)))
}

pub(super) fn save(transaction: &Connection, seq: Seq, time: Time) -> rusqlite::Result<()> {
    transaction.execute("UPDATE head SET seq = ?1, time = ?2", [seq.0, time.0]).map(|_| ())
}
