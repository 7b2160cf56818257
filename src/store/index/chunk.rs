//! Chunks: rows of consecutive entries of one timeline, keyed by the newest entry that the chunk ever held.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::chat::{Entry, Timeline};
use crate::id::{Seq, UserId};
use crate::store::bulk_insert::BulkInsert;
use crate::store::error::StoreError;
use crate::store::index::encoding::{EncodedEntries, decode};
use crate::store::{checksum, columns, timeline_key};

static CHUNKS: LazyLock<BulkInsert> = LazyLock::new(|| BulkInsert::new("chunks (kind, owner, last, entries)", 4));

/// Inserts chunks. None may be empty, and each must be newer than its timeline's chunks in the table.
pub(crate) fn insert(transaction: &Connection, chunks: &[(Timeline, EncodedEntries)]) -> Result<(), StoreError> {
    CHUNKS.run(transaction, chunks, |row, first, (timeline, entries)| {
        let (kind, owner) = timeline_key::encode(*timeline);
        row.raw_bind_parameter(first, kind)?;
        row.raw_bind_parameter(first + 1, owner)?;
        row.raw_bind_parameter(first + 2, entries.newest().0)?;
        row.raw_bind_parameter(first + 3, sealed(*timeline, entries.newest(), entries.bytes()))?;
        Ok(())
    })
}

/// The entries after `after` of the oldest chunk that has any, or `None`.
pub(crate) fn read_after(
    connection: &Connection,
    timeline: Timeline,
    after: Seq,
) -> Result<Option<Vec<Entry>>, StoreError> {
    read(connection, FIRST_ENDING_AFTER, timeline, after, after)
}

/// The entries up to `upto` of the newest chunk that has any, or `None`.
pub(crate) fn read_upto(
    connection: &Connection,
    timeline: Timeline,
    upto: Seq,
) -> Result<Option<Vec<Entry>>, StoreError> {
    // The chunk that ends after `upto` may start before it.
    if let Some(mut entries) = read(connection, FIRST_ENDING_AFTER, timeline, upto, Seq(0))? {
        entries.truncate(entries.partition_point(|entry| entry.seq <= upto));
        if !entries.is_empty() {
            return Ok(Some(entries));
        }
    }
    read_ending_upto(connection, timeline, upto)
}

/// The entries of the newest chunk that ends at `upto` or before, or `None`.
pub(crate) fn read_ending_upto(
    connection: &Connection,
    timeline: Timeline,
    upto: Seq,
) -> Result<Option<Vec<Entry>>, StoreError> {
    read(connection, LAST_ENDING_UPTO, timeline, upto, Seq(0))
}

const FIRST_ENDING_AFTER: &str =
    "SELECT last, entries FROM chunks WHERE kind = ?1 AND owner = ?2 AND last > ?3 ORDER BY last LIMIT 1";
const LAST_ENDING_UPTO: &str =
    "SELECT last, entries FROM chunks WHERE kind = ?1 AND owner = ?2 AND last <= ?3 ORDER BY last DESC LIMIT 1";

/// The entries after `after` of the chunk that `sql` finds by `bound`.
fn read(
    connection: &Connection,
    sql: &str,
    timeline: Timeline,
    bound: Seq,
    after: Seq,
) -> Result<Option<Vec<Entry>>, StoreError> {
    let (kind, owner) = timeline_key::encode(timeline);
    // SQLite's integers are signed.
    let bound = i64::try_from(bound.0).unwrap_or(i64::MAX);
    let entries = connection
        .prepare_cached(sql)?
        .query_row(params![kind, owner, bound], |row| Ok(decode_row(timeline, row, after)))
        .optional()?
        .transpose()?;
    // An empty chunk would make a reader ask for the same chunk forever.
    if entries.as_ref().is_some_and(Vec::is_empty) { Err(StoreError::damaged_index()) } else { Ok(entries) }
}

/// The entries after `after` of a row that begins with `last` and `entries`. A damaged chunk counts as one entry, which no
/// log record confirms: readers get a mark.
fn decode_row(timeline: Timeline, row: &Row<'_>, after: Seq) -> Result<Vec<Entry>, StoreError> {
    let last = Seq(row.get(0)?);
    let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
    match checksum::opened(&key(timeline, last), bytes) {
        Some(entries) => decode(entries, after),
        None => Ok(vec![unconfirmed(last)]),
    }
}

/// An entry in the place of damaged ones.
pub(crate) fn unconfirmed(seq: Seq) -> Entry {
    Entry { seq, peer: UserId::NOBODY, sent: false, realm: None }
}

fn sealed(timeline: Timeline, last: Seq, entries: &[u8]) -> Vec<u8> {
    checksum::sealed(&key(timeline, last), entries)
}

/// The bytes that the checksum covers beside the entries.
fn key(timeline: Timeline, last: Seq) -> [u64; 3] {
    let (kind, owner) = timeline_key::encode(timeline);
    [kind.into(), owner, last.0]
}

/// The newest entry of a timeline's chunks, 0 if it has none.
pub(crate) fn newest(connection: &Connection, timeline: Timeline) -> Result<Seq, StoreError> {
    let (kind, owner) = timeline_key::encode(timeline);
    let last: Option<u64> = connection
        .prepare_cached("SELECT max(last) FROM chunks WHERE kind = ?1 AND owner = ?2")?
        .query_row(params![kind, owner], |row| row.get(0))?;
    Ok(Seq(last.unwrap_or(0)))
}

/// Visits all entries of all chunks.
pub(crate) fn for_each_entry(
    connection: &Connection,
    mut visit: impl FnMut(Timeline, Entry),
) -> Result<(), StoreError> {
    columns::for_each_row(connection, "SELECT last, entries, kind, owner FROM chunks", |row| {
        let timeline = timeline_key::decode(row.get(2)?, row.get(3)?)?;
        decode_row(timeline, row, Seq(0))?.into_iter().for_each(|entry| visit(timeline, entry));
        Ok(())
    })
}

pub(crate) struct Chunk {
    /// The key: the newest entry that the chunk ever held.
    pub(crate) last: Seq,
    pub(crate) entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Oldest entry first.
    Forward,
    /// Newest entry first.
    Reverse,
}

/// Visits the chunks of a timeline until `visit` breaks.
pub(crate) fn walk(
    connection: &Connection,
    timeline: Timeline,
    direction: Direction,
    mut visit: impl FnMut(Chunk) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let (kind, owner) = timeline_key::encode(timeline);
    let mut statement = connection.prepare_cached(match direction {
        Direction::Forward => "SELECT last, entries FROM chunks WHERE kind = ?1 AND owner = ?2 ORDER BY last",
        Direction::Reverse => "SELECT last, entries FROM chunks WHERE kind = ?1 AND owner = ?2 ORDER BY last DESC",
    })?;
    let mut rows = statement.query(params![kind, owner])?;
    while let Some(row) = rows.next()? {
        let chunk = Chunk { last: Seq(row.get(0)?), entries: decode_row(timeline, row, Seq(0))? };
        if visit(chunk).is_break() {
            break;
        }
    }
    Ok(())
}

/// The first timeline with chunks after `after`, or of all, in the order of the table.
pub(crate) fn next_timeline(connection: &Connection, after: Option<Timeline>) -> Result<Option<Timeline>, StoreError> {
    let (kind, owner) = after.map_or((-1, 0), |timeline| {
        let (kind, owner) = timeline_key::encode(timeline);
        (i32::from(kind), owner)
    });
    let next: Option<(u8, u64)> = connection
        .prepare_cached(
            "SELECT kind, owner FROM chunks WHERE (kind, owner) > (?1, ?2) ORDER BY kind, owner, last LIMIT 1",
        )?
        .query_row(params![kind, owner], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    next.map(|(kind, owner)| timeline_key::decode(kind, owner)).transpose()
}

pub(crate) fn delete(transaction: &Connection, timeline: Timeline, last: Seq) -> Result<(), StoreError> {
    let (kind, owner) = timeline_key::encode(timeline);
    transaction
        .prepare_cached("DELETE FROM chunks WHERE kind = ?1 AND owner = ?2 AND last = ?3")?
        .execute(params![kind, owner, last.0])?;
    Ok(())
}

/// Replaces the entries of a chunk. Its key stays, and at least one entry must.
pub(crate) fn replace_entries(
    transaction: &Connection,
    timeline: Timeline,
    Chunk { last, entries }: &Chunk,
) -> Result<(), StoreError> {
    let (kind, owner) = timeline_key::encode(timeline);
    let encoded: EncodedEntries = entries.iter().copied().collect();
    transaction
        .prepare_cached("UPDATE chunks SET entries = ?4 WHERE kind = ?1 AND owner = ?2 AND last = ?3")?
        .execute(params![kind, owner, last.0, sealed(timeline, *last, encoded.bytes())])?;
    Ok(())
}
