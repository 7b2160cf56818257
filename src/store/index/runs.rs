//! Runs: rows of the newest entries of a partition. On a server with very many timelines each has one or two new entries
//! per flush cycle; a chunk for each of them would cost a row, and nearly a page, per timeline.
//!
//! The runs of a partition are newer than all chunks of its timelines. So before one of these gets a chunk from the
//! memtable, all runs of its partition are split into chunks. Before that, fresh runs are merged into one row.

use std::sync::LazyLock;

use rusqlite::{Connection, Row};

use crate::chat::{Entry, Timeline};
use crate::id::Seq;
use crate::store::bulk_insert::BulkInsert;
use crate::store::error::StoreError;
use crate::store::index::chunk;
use crate::store::index::encoding::{self, EncodedEntries};
use crate::store::index::partition::Partition;
use crate::store::index::run_stats::RunStatsTable;
use crate::store::{checksum, columns};
use crate::varint;

/// The leading byte of the encoding: after it for each timeline its slot, the length of its entries, and the entries.
const SLOTS: u8 = 1;

/// In the order of age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// Merged from fresh runs, and older than all of them.
    Merged = 0,
    /// Flushed from the memtable.
    Fresh = 1,
}

static RUNS: LazyLock<BulkInsert> =
    LazyLock::new(|| BulkInsert::new("runs (kind, partition, level, number, newest, tails)", 6));

/// A run to be written.
#[derive(Debug)]
pub(crate) struct Run {
    level: Level,
    pub(super) number: u32,
    pub(super) partition: Partition,
    newest: Seq,
    bytes: Vec<u8>,
}

impl Run {
    /// An empty fresh run.
    pub(super) fn new(partition: Partition, number: u32) -> Self {
        Self { level: Level::Fresh, number, partition, newest: Seq(0), bytes: vec![SLOTS] }
    }

    /// Appends entries of a timeline, which must be newer than those that the run has of it.
    pub(super) fn push(&mut self, timeline: Timeline, entries: &EncodedEntries) {
        self.bytes.push(self.partition.slot(timeline));
        varint::append(entries.bytes().len() as u64, |byte| self.bytes.push(byte));
        self.bytes.extend_from_slice(entries.bytes());
        self.newest = self.newest.max(entries.newest());
    }

    /// Its length in bytes.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }
}

pub(super) fn insert(transaction: &Connection, runs: &[Run]) -> Result<(), StoreError> {
    RUNS.run(transaction, runs, |row, first, run| {
        row.raw_bind_parameter(first, run.partition.kind)?;
        row.raw_bind_parameter(first + 1, run.partition.number)?;
        row.raw_bind_parameter(first + 2, run.level as u8)?;
        row.raw_bind_parameter(first + 3, run.number)?;
        row.raw_bind_parameter(first + 4, run.newest.0)?;
        row.raw_bind_parameter(first + 5, checksum::sealed(&key(run.partition, run.newest), &run.bytes))?;
        Ok(())
    })
}

/// The values that the checksum covers beside the bytes.
fn key(partition: Partition, newest: Seq) -> [u64; 3] {
    [partition.kind.into(), partition.number, newest.0]
}

/// All entries of a timeline in the runs of its partition, oldest first.
pub(crate) fn read(
    connection: &Connection,
    partition: Partition,
    timeline: Timeline,
) -> Result<Vec<Entry>, StoreError> {
    let wanted = partition.slot(timeline);
    let mut entries = Vec::new();
    for_each_slot(connection, partition, Level::Merged, |slot, encoded| {
        if slot != wanted {
            return Ok(());
        }
        encoding::for_each(encoded, |entry| entries.push(entry))
    })?;
    Ok(entries)
}

/// The newest entry in the runs of each slot of a partition, 0 if there is none.
pub(super) fn newest(connection: &Connection, partition: Partition) -> Result<Vec<Seq>, StoreError> {
    let mut newest = vec![Seq(0); partition.size as usize];
    for_each_slot(connection, partition, Level::Merged, |slot, encoded| {
        let newest = newest.get_mut(usize::from(slot)).ok_or_else(StoreError::damaged_index)?;
        encoding::for_each(encoded, |entry| *newest = entry.seq)
    })?;
    Ok(newest)
}

/// Replaces all runs of a partition by chunks.
pub(super) fn split_into_chunks(
    transaction: &Connection,
    partition: Partition,
    chunk_entries: usize,
) -> Result<(), StoreError> {
    let mut chunks = Vec::new();
    for (timeline, entries) in remove(transaction, partition, Level::Merged)? {
        chunks.extend(entries.chunks(chunk_entries).map(|part| (timeline, part.iter().copied().collect())));
    }
    chunk::insert(transaction, &chunks)
}

/// Replaces the fresh runs of a partition by one merged run with the given number.
pub(super) fn merge(transaction: &Connection, partition: Partition, number: u32) -> Result<(), StoreError> {
    let mut run = Run { level: Level::Merged, ..Run::new(partition, number) };
    for (timeline, entries) in remove(transaction, partition, Level::Fresh)? {
        run.push(timeline, &entries.into_iter().collect());
    }
    insert(transaction, &[run])
}

/// Deletes the runs from a level on; returns their entries by timeline.
fn remove(
    transaction: &Connection,
    partition: Partition,
    from: Level,
) -> Result<Vec<(Timeline, Vec<Entry>)>, StoreError> {
    let mut slots = vec![Vec::new(); partition.size as usize];
    for_each_slot(transaction, partition, from, |slot, encoded| {
        let entries = slots.get_mut(usize::from(slot)).ok_or_else(StoreError::damaged_index)?;
        encoding::for_each(encoded, |entry| entries.push(entry))
    })?;
    transaction.prepare_cached("DELETE FROM runs WHERE kind = ?1 AND partition = ?2 AND level >= ?3")?.execute((
        partition.kind,
        partition.number,
        from as u8,
    ))?;
    let with_entries = slots.into_iter().zip(0..).filter(|(entries, _)| !entries.is_empty());
    with_entries.map(|(entries, slot)| Ok((partition.timeline(slot)?, entries))).collect()
}

/// The statistics of all stored runs, whose entries are up to `upto`.
pub(super) fn stats(connection: &Connection, size: u32, upto: Seq) -> Result<RunStatsTable, StoreError> {
    let mut table = RunStatsTable::default();
    let sql = "SELECT kind, partition, level, number, octet_length(tails) FROM runs";
    columns::for_each_row(connection, sql, |row| {
        let partition = Partition::stored(row.get(0)?, row.get(1)?, size)?;
        let is_fresh = row.get::<_, u8>(2)? == Level::Fresh as u8;
        table.restore(partition, (is_fresh, row.get(3)?), row.get(4)?, upto);
        Ok(())
    })?;
    Ok(table)
}

/// Visits all entries of all runs.
pub(crate) fn for_each_entry(
    connection: &Connection,
    size: u32,
    mut visit: impl FnMut(Timeline, Entry),
) -> Result<(), StoreError> {
    columns::for_each_row(connection, "SELECT newest, tails, kind, partition FROM runs", |row| {
        let partition = Partition::stored(row.get(2)?, row.get(3)?, size)?;
        decode_row(partition, row, &mut |slot, encoded| {
            let timeline = partition.timeline(slot)?;
            encoding::for_each(encoded, |entry| visit(timeline, entry))
        })
    })
}

/// Visits the slots of the runs of a partition from a level on, oldest run first, each with its encoded entries.
fn for_each_slot(
    connection: &Connection,
    partition: Partition,
    from: Level,
    mut visit: impl FnMut(u8, &[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT newest, tails FROM runs WHERE kind = ?1 AND partition = ?2 AND level >= ?3 ORDER BY level, number",
    )?;
    let mut rows = statement.query((partition.kind, partition.number, from as u8))?;
    while let Some(row) = rows.next()? {
        decode_row(partition, row, &mut visit)?;
    }
    Ok(())
}

/// Visits the slots of a run whose row begins with `newest` and `tails`. A damaged run counts as one entry in each slot,
/// which no log record confirms: readers of these timelines get a mark.
fn decode_row(
    partition: Partition,
    row: &Row<'_>,
    visit: &mut impl FnMut(u8, &[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let newest = Seq(row.get(0)?);
    let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
    if let Some(tails) = checksum::opened(&key(partition, newest), bytes) {
        return decode(tails, visit);
    }
    let mark = EncodedEntries::from_iter([chunk::unconfirmed(newest)]);
    (0..partition.size).try_for_each(|slot| visit(slot as u8, mark.bytes()))
}

fn decode(bytes: &[u8], visit: &mut impl FnMut(u8, &[u8]) -> Result<(), StoreError>) -> Result<(), StoreError> {
    let Some((&SLOTS, mut rest)) = bytes.split_first() else { return Err(StoreError::damaged_index()) };
    while !rest.is_empty() {
        let ((slot, encoded), left) =
            postcard::take_from_bytes::<(u8, &[u8])>(rest).map_err(|_| StoreError::damaged_index())?;
        visit(slot, encoded)?;
        rest = left;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::UserId;

    const PARTITION: Partition = Partition { kind: 0, number: 2, size: 4 };

    fn encoded(seqs: &[u64]) -> EncodedEntries {
        seqs.iter().map(|seq| Entry { seq: Seq(*seq), peer: UserId(7), sent: false, realm: None }).collect()
    }

    #[test]
    fn the_encoding_is_unchanged() {
        let mut run = Run::new(PARTITION, 0);
        run.push(Timeline::User(UserId(8)), &encoded(&[1_000]));
        run.push(Timeline::User(UserId(11)), &encoded(&[3, 5]));
        let frozen = [1, 0, 4, 1, 160, 31, 7, 3, 5, 1, 12, 7, 8, 7];
        assert_eq!((run.bytes.as_slice(), run.len()), (frozen.as_slice(), frozen.len()));
        let mut slots = Vec::new();
        decode(&frozen, &mut |slot, encoded| {
            slots.push((slot, encoding::decode(encoded, Seq(0))?.len()));
            Ok(())
        })
        .unwrap();
        assert_eq!(slots, [(0, 1), (3, 2)]);
    }

    #[test]
    fn unknown_encodings_are_reported_as_damage() {
        for bytes in [&[][..], &[0], &[2], &[1, 0], &[1, 0, 3, 1], &[1, 128, 128]] {
            assert!(matches!(decode(bytes, &mut |_, _| Ok(())), Err(StoreError::Damaged(_))), "{bytes:?}");
        }
    }

    #[test]
    fn a_row_with_an_impossible_partition_or_slot_is_reported_as_damage() {
        assert!(Partition::stored(0, 1, 4).is_ok());
        for (kind, number) in [(9, 0), (0, u64::from(u32::MAX)), (1, u64::MAX)] {
            assert!(matches!(Partition::stored(kind, number, 4), Err(StoreError::Damaged(_))), "{kind} {number}");
        }
        let database = Connection::open_in_memory().unwrap();
        database.execute_batch(include_str!("../schema.sql")).unwrap();
        let mut run = Run::new(PARTITION, 0);
        run.bytes.extend([4, 4, 1, 160, 31, 7]);
        insert(&database, &[run]).unwrap();
        assert!(matches!(split_into_chunks(&database, PARTITION, 9), Err(StoreError::Damaged(_))));
        assert!(matches!(newest(&database, PARTITION), Err(StoreError::Damaged(_))));
        assert!(matches!(for_each_entry(&database, 4, |_, _| ()), Err(StoreError::Damaged(_))));
    }

    fn database_with_runs(numbers: &[u32]) -> Connection {
        let database = Connection::open_in_memory().unwrap();
        database.execute_batch(include_str!("../schema.sql")).unwrap();
        for (number, seq) in numbers.iter().zip(1..) {
            let mut run = Run::new(PARTITION, *number);
            run.push(Timeline::User(UserId(9)), &encoded(&[10 * seq, 10 * seq + 1]));
            insert(&database, &[run]).unwrap();
        }
        database
    }

    fn seqs(database: &Connection) -> Vec<u64> {
        let entries = read(database, PARTITION, Timeline::User(UserId(9))).unwrap();
        entries.iter().map(|entry| entry.seq.0).collect()
    }

    #[test]
    fn a_new_run_comes_after_a_gap_in_the_numbers() {
        for (numbers, next) in [(&[0, 1][..], 2), (&[1], 2), (&[0, 2], 3)] {
            let stats = stats(&database_with_runs(numbers), 4, Seq(50)).unwrap();
            assert_eq!(stats.get(PARTITION).fresh, next, "{numbers:?}");
        }
    }

    #[test]
    fn a_damaged_run_is_a_mark_in_each_of_its_timelines() {
        let database = database_with_runs(&[0, 1]);
        database.execute_batch("UPDATE runs SET tails = zeroblob(9) WHERE number = 0").unwrap();
        assert_eq!(seqs(&database), [11, 20, 21]);
        assert_eq!(read(&database, PARTITION, Timeline::User(UserId(10))).unwrap(), [chunk::unconfirmed(Seq(11))]);
        split_into_chunks(&database, PARTITION, 9).unwrap();
        assert_eq!(chunk::newest(&database, Timeline::User(UserId(10))).unwrap(), Seq(11));
    }

    #[test]
    fn merging_and_splitting_runs_keeps_all_entries_in_order() {
        let database = database_with_runs(&[0, 1]);
        let all = [10, 11, 20, 21];
        merge(&database, PARTITION, 0).unwrap();
        assert_eq!(seqs(&database), all);
        let counts = stats(&database, 4, Seq(50)).unwrap().get(PARTITION);
        assert_eq!((counts.fresh, counts.merged), (0, 1));
        let mut run = Run::new(PARTITION, 0);
        run.push(Timeline::User(UserId(9)), &encoded(&[30]));
        insert(&database, &[run]).unwrap();
        assert_eq!(seqs(&database), [&all[..], &[30]].concat());
        split_into_chunks(&database, PARTITION, 3).unwrap();
        assert!(seqs(&database).is_empty());
        assert!(stats(&database, 4, Seq(50)).unwrap().get(PARTITION).is_empty());
        let chunk = |after| chunk::read_after(&database, Timeline::User(UserId(9)), Seq(after)).unwrap().unwrap();
        assert_eq!((chunk(0).len(), chunk(20).first().map(|entry| entry.seq)), (3, Some(Seq(21))));
    }
}
