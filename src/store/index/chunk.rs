//! Chunks: rows of consecutive entries of one timeline, packed.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use rusqlite::{Connection, OptionalExtension, params};

use crate::chat::{Entry, Timeline};
use crate::id::{GroupId, RealmId, Seq, UserId};
use crate::store::StoreError;
use crate::store::index::packed::{Packed, damaged, unpack};
use crate::store::rows::Insertion;

static CHUNKS: LazyLock<Insertion> = LazyLock::new(|| Insertion::new("chunks (kind, owner, last, entries)", 4));

/// Adds chunks, none without entries, each with newer ones than all that its timeline has in the table.
pub(in crate::store) fn insert(transaction: &Connection, chunks: &[(Timeline, Packed)]) -> Result<(), StoreError> {
    CHUNKS.run(transaction, chunks, |row, first, (timeline, entries)| {
        let (kind, owner) = key(*timeline);
        row.raw_bind_parameter(first, kind)?;
        row.raw_bind_parameter(first + 1, owner)?;
        row.raw_bind_parameter(first + 2, entries.newest().0)?;
        row.raw_bind_parameter(first + 3, entries.bytes())?;
        Ok(())
    })
}

/// The entries of the oldest chunk that holds any after `after`, those up to it left out, so at least one; none where
/// there is no such chunk.
pub(in crate::store) fn read_after(
    connection: &Connection,
    timeline: Timeline,
    after: Seq,
) -> Result<Option<Vec<Entry>>, StoreError> {
    read(connection, FIRST_PAST, timeline, after, after)
}

/// The entries up to `upto` of the newest chunk that holds any; none where there is no such chunk.
pub(in crate::store) fn read_upto(
    connection: &Connection,
    timeline: Timeline,
    upto: Seq,
) -> Result<Option<Vec<Entry>>, StoreError> {
    // A chunk is found by its newest entry: the one that reaches past `upto` may begin before it.
    if let Some(mut entries) = read(connection, FIRST_PAST, timeline, upto, Seq(0))? {
        entries.truncate(entries.partition_point(|entry| entry.seq <= upto));
        if !entries.is_empty() {
            return Ok(Some(entries));
        }
    }
    read_ended(connection, timeline, upto)
}

/// The entries of the newest chunk that ends at `upto` or before it; none where there is no such chunk.
pub(in crate::store) fn read_ended(
    connection: &Connection,
    timeline: Timeline,
    upto: Seq,
) -> Result<Option<Vec<Entry>>, StoreError> {
    read(connection, LAST_ENDED, timeline, upto, Seq(0))
}

const FIRST_PAST: &str =
    "SELECT entries FROM chunks WHERE kind = ?1 AND owner = ?2 AND last > ?3 ORDER BY last LIMIT 1";
const LAST_ENDED: &str =
    "SELECT entries FROM chunks WHERE kind = ?1 AND owner = ?2 AND last <= ?3 ORDER BY last DESC LIMIT 1";

/// The entries after `after` of the chunk that the statement finds by `place`.
fn read(
    connection: &Connection,
    sql: &str,
    timeline: Timeline,
    place: Seq,
    after: Seq,
) -> Result<Option<Vec<Entry>>, StoreError> {
    let (kind, owner) = key(timeline);
    // SQLite counts up to a smaller end than we do.
    let place = i64::try_from(place.0).unwrap_or(i64::MAX);
    let entries = connection
        .prepare_cached(sql)?
        .query_row(params![kind, owner, place], |row| Ok(unpack(row.get_ref(0)?.as_blob()?, after)))
        .optional()?
        .transpose()?;
    // A reader that is given nothing would ask for the same chunk for ever.
    if entries.as_ref().is_some_and(Vec::is_empty) { Err(damaged()) } else { Ok(entries) }
}

/// The newest entry of a timeline's chunks, 0 where it has none.
pub(in crate::store) fn newest(connection: &Connection, timeline: Timeline) -> Result<Seq, StoreError> {
    let (kind, owner) = key(timeline);
    let last: Option<u64> = connection
        .prepare_cached("SELECT max(last) FROM chunks WHERE kind = ?1 AND owner = ?2")?
        .query_row(params![kind, owner], |row| row.get(0))?;
    Ok(Seq(last.unwrap_or(0)))
}

/// A chunk as it is stored.
pub(in crate::store) struct Chunk {
    /// The newest entry that it ever held: its key.
    pub(in crate::store) last: Seq,
    pub(in crate::store) entries: Vec<Entry>,
}

/// Calls `see` with the chunks of a timeline from the oldest on, or from the newest back, until it breaks.
pub(in crate::store) fn walk(
    connection: &Connection,
    timeline: Timeline,
    direction: Direction,
    mut see: impl FnMut(Chunk) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let (kind, owner) = key(timeline);
    let mut statement = connection.prepare_cached(match direction {
        Direction::Forward => "SELECT last, entries FROM chunks WHERE kind = ?1 AND owner = ?2 ORDER BY last",
        Direction::Back => "SELECT last, entries FROM chunks WHERE kind = ?1 AND owner = ?2 ORDER BY last DESC",
    })?;
    let mut rows = statement.query(params![kind, owner])?;
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let chunk = Chunk { last: Seq(row.get(0)?), entries: unpack(bytes, Seq(0))? };
        if see(chunk).is_break() {
            break;
        }
    }
    Ok(())
}

/// The way through a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Direction {
    /// From the oldest entry on.
    Forward,
    /// From the newest entry back.
    Back,
}

/// The first timeline with chunks, or the first after another, in the order of timelines.
pub(in crate::store) fn next_timeline(
    connection: &Connection,
    after: Option<Timeline>,
) -> Result<Option<Timeline>, StoreError> {
    let (kind, owner) = after.map_or((-1, 0), |timeline| {
        let (kind, owner) = key(timeline);
        (i32::from(kind), owner)
    });
    let next: Option<(u8, u32)> = connection
        .prepare_cached(
            "SELECT kind, owner FROM chunks WHERE (kind, owner) > (?1, ?2) ORDER BY kind, owner, last LIMIT 1",
        )?
        .query_row(params![kind, owner], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    next.map(|(kind, owner)| self::timeline(kind, owner)).transpose()
}

/// Takes a chunk away.
pub(in crate::store) fn delete(connection: &Connection, timeline: Timeline, last: Seq) -> Result<(), StoreError> {
    let (kind, owner) = key(timeline);
    connection
        .prepare_cached("DELETE FROM chunks WHERE kind = ?1 AND owner = ?2 AND last = ?3")?
        .execute(params![kind, owner, last.0])?;
    Ok(())
}

/// Leaves a chunk only its newest entries, at least one.
pub(in crate::store) fn shorten(
    connection: &Connection,
    timeline: Timeline,
    Chunk { last, entries }: &Chunk,
) -> Result<(), StoreError> {
    let (kind, owner) = key(timeline);
    let left: Packed = entries.iter().copied().collect();
    connection
        .prepare_cached("UPDATE chunks SET entries = ?4 WHERE kind = ?1 AND owner = ?2 AND last = ?3")?
        .execute(params![kind, owner, last.0, left.bytes()])?;
    Ok(())
}

/// How the tables name a timeline.
pub(in crate::store) fn key(timeline: Timeline) -> (u8, u32) {
    match timeline {
        Timeline::User(user) => (0, user.0),
        Timeline::Group(group) => (1, group.0),
        Timeline::Broadcast => (2, 0),
        Timeline::Outbox(realm) => (3, realm.0),
    }
}

/// The timeline of a name in the tables.
pub(in crate::store) fn timeline(kind: u8, owner: u32) -> Result<Timeline, StoreError> {
    match kind {
        0 => Ok(Timeline::User(UserId(owner))),
        1 => Ok(Timeline::Group(GroupId(owner))),
        2 => Ok(Timeline::Broadcast),
        3 => Ok(Timeline::Outbox(RealmId(owner))),
        _ => Err(damaged()),
    }
}
