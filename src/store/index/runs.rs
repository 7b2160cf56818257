//! Runs: rows of the newest entries of neighbouring timelines. Where few entries come to each of many timelines, a chunk
//! for each would be a row, and nearly a page, for an entry or two.
//!
//! What stands in a partition's runs is newer than all chunks of its timelines. So before one of them gets a chunk from
//! memory, all that the runs have is dealt out to chunks. On the way some runs become one: a row for many, again.

use std::sync::LazyLock;

use rusqlite::{CachedStatement, Connection, OptionalExtension};

use crate::chat::{Entry, Timeline};
use crate::id::Seq;
use crate::store::StoreError;
use crate::store::index::chunk;
use crate::store::index::packed::{self, Packed, append_number, damaged};
use crate::store::index::partition::{Extent, Extents, Partition};
use crate::store::rows::Insertion;

/// The form that is written: this byte, then tails: a timeline's place, how many bytes it has, and they.
const TAILS: u8 = 1;

/// How a run came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// Written from memory.
    Fresh = 0,
    /// Made of several, and older than all fresh ones.
    Merged = 1,
}

static RUNS: LazyLock<Insertion> = LazyLock::new(|| Insertion::new("runs (level, number, kind, partition, tails)", 5));

/// A run that is to be written.
#[derive(Debug)]
pub(in crate::store) struct Run {
    level: Level,
    pub(super) number: u32,
    pub(super) partition: Partition,
    tails: Vec<u8>,
}

impl Run {
    /// An empty one of what memory has.
    pub(super) fn new(partition: Partition, number: u32) -> Self {
        Self { level: Level::Fresh, number, partition, tails: vec![TAILS] }
    }

    /// Adds entries of one timeline that are newer than what the run has of it.
    pub(super) fn push(&mut self, timeline: Timeline, entries: &Packed) {
        self.tails.push(self.partition.place(timeline));
        append_number(entries.bytes().len() as u64, |byte| self.tails.push(byte));
        self.tails.extend_from_slice(entries.bytes());
    }

    /// How many bytes it is stored as.
    pub(super) fn length(&self) -> usize {
        self.tails.len()
    }
}

/// Adds runs.
pub(in crate::store) fn insert(transaction: &Connection, runs: &[Run]) -> Result<(), StoreError> {
    RUNS.run(transaction, runs, |row, first, run| {
        row.raw_bind_parameter(first, run.level as u8)?;
        row.raw_bind_parameter(first + 1, run.number)?;
        row.raw_bind_parameter(first + 2, run.partition.kind)?;
        row.raw_bind_parameter(first + 3, run.partition.number)?;
        row.raw_bind_parameter(first + 4, run.tails.as_slice())?;
        Ok(())
    })
}

/// All entries of a timeline that stand in runs of its partition.
pub(in crate::store) fn read(
    connection: &Connection,
    partition: Partition,
    timeline: Timeline,
) -> Result<Vec<Entry>, StoreError> {
    let wanted = partition.place(timeline);
    let mut entries = Vec::new();
    each_tail(connection, partition, |place, tail| {
        if place != wanted {
            return Ok(());
        }
        packed::each(tail, |entry| entries.push(entry))
    })?;
    Ok(entries)
}

/// The newest entry of each timeline of a partition that stands in a run, 0 where none does.
pub(super) fn newest(connection: &Connection, partition: Partition) -> Result<Vec<Seq>, StoreError> {
    let mut newest = vec![Seq(0); partition.size as usize];
    each_tail(connection, partition, |place, tail| {
        let newest = newest.get_mut(usize::from(place)).ok_or_else(damaged)?;
        packed::each(tail, |entry| *newest = entry.seq)
    })?;
    Ok(newest)
}

/// Makes chunks of so many entries out of all that the runs of a partition have.
pub(in crate::store) fn deal(
    transaction: &Connection,
    partition: Partition,
    chunk_entries: usize,
) -> Result<(), StoreError> {
    let mut chunks = Vec::new();
    for (timeline, entries) in take(transaction, partition, &[Level::Merged, Level::Fresh])? {
        chunks.extend(entries.chunks(chunk_entries).map(|part| (timeline, part.iter().copied().collect::<Packed>())));
    }
    chunk::insert(transaction, &chunks)
}

/// Makes one run, of a number, out of all fresh ones of a partition.
pub(in crate::store) fn merge(transaction: &Connection, partition: Partition, number: u32) -> Result<(), StoreError> {
    let mut run = Run { level: Level::Merged, ..Run::new(partition, number) };
    for (timeline, entries) in take(transaction, partition, &[Level::Fresh])? {
        run.push(timeline, &entries.into_iter().collect());
    }
    insert(transaction, &[run])
}

/// Takes the runs of some levels, the older level first, of a partition away; gives their entries by timelines.
fn take(
    transaction: &Connection,
    partition: Partition,
    levels: &[Level],
) -> Result<Vec<(Timeline, Vec<Entry>)>, StoreError> {
    let mut tails = vec![Vec::new(); partition.size as usize];
    for level in levels {
        let runs = each_tail_of_level(transaction, partition, *level, &mut |place, tail| {
            let entries = tails.get_mut(usize::from(place)).ok_or_else(damaged)?;
            packed::each(tail, |entry| entries.push(entry))
        })?;
        let mut delete = transaction
            .prepare_cached("DELETE FROM runs WHERE level = ?1 AND number = ?2 AND kind = ?3 AND partition = ?4")?;
        for number in 0..runs {
            delete.execute((*level as u8, number, partition.kind, partition.number))?;
        }
    }
    let with_entries = tails.into_iter().zip(0..).filter(|(entries, _)| !entries.is_empty());
    with_entries.map(|(entries, place)| Ok((partition.timeline(place)?, entries))).collect()
}

/// What of all partitions of that size stands in runs, all of it up to `upto`.
pub(super) fn extents(connection: &Connection, size: u32, upto: Seq) -> Result<Extents, StoreError> {
    let mut extents = Extents::default();
    let mut statement = connection
        .prepare("SELECT number, kind, partition, octet_length(tails) FROM runs WHERE level = ?1 ORDER BY number")?;
    for level in [Level::Merged, Level::Fresh] {
        let mut rows = statement.query([level as u8])?;
        while let Some(row) = rows.next()? {
            let partition = Partition::stored(row.get(1)?, row.get(2)?, size)?;
            let Extent { fresh, merged, .. } = extents.of(partition);
            let next: u32 = if level == Level::Merged { merged } else { fresh };
            // One that is missing would hide those after it.
            if row.get::<_, u32>(0)? != next {
                return Err(damaged());
            }
            extents.add(partition, row.get(3)?, Seq(0), upto);
            if level == Level::Merged {
                extents.merge(partition);
            }
        }
    }
    Ok(extents)
}

/// Calls `see` with all entries that stand in runs, where partitions have that many timelines.
pub(in crate::store) fn each_entry(
    connection: &Connection,
    size: u32,
    mut see: impl FnMut(Timeline, Seq),
) -> Result<(), StoreError> {
    let mut statement = connection.prepare("SELECT kind, partition, tails FROM runs")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let partition = Partition::stored(row.get(0)?, row.get(1)?, size)?;
        split(row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?, &mut |place, tail| {
            let timeline = partition.timeline(place)?;
            packed::each(tail, |entry| see(timeline, entry.seq))
        })?;
    }
    Ok(())
}

/// Calls `see` with all that the runs of a partition have, the oldest run first, each tail with its place.
fn each_tail(
    connection: &Connection,
    partition: Partition,
    mut see: impl FnMut(u8, &[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    each_tail_of_level(connection, partition, Level::Merged, &mut see)?;
    each_tail_of_level(connection, partition, Level::Fresh, &mut see).map(|_| ())
}

/// The same of one level. Gives the number of runs.
fn each_tail_of_level(
    connection: &Connection,
    partition: Partition,
    level: Level,
    see: &mut impl FnMut(u8, &[u8]) -> Result<(), StoreError>,
) -> Result<u32, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT tails FROM runs WHERE level = ?1 AND number = ?2 AND kind = ?3 AND partition = ?4")?;
    let mut number = 0;
    while each_tail_of_run(&mut statement, partition, level, number, see)? {
        number += 1;
    }
    Ok(number)
}

/// The same of one run; false where there is no such run.
fn each_tail_of_run(
    statement: &mut CachedStatement<'_>,
    partition: Partition,
    level: Level,
    number: u32,
    see: &mut impl FnMut(u8, &[u8]) -> Result<(), StoreError>,
) -> Result<bool, StoreError> {
    let key = (level as u8, number, partition.kind, partition.number);
    let seen = statement.query_row(key, |row| Ok(split(row.get_ref(0)?.as_blob()?, see))).optional()?;
    seen.transpose().map(|seen| seen.is_some())
}

fn split(tails: &[u8], see: &mut impl FnMut(u8, &[u8]) -> Result<(), StoreError>) -> Result<(), StoreError> {
    let Some((&TAILS, mut rest)) = tails.split_first() else { return Err(damaged()) };
    while !rest.is_empty() {
        let ((place, tail), left) = postcard::take_from_bytes::<(u8, &[u8])>(rest).map_err(|_| damaged())?;
        see(place, tail)?;
        rest = left;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::UserId;

    const PARTITION: Partition = Partition { kind: 0, number: 2, size: 4 };

    fn packed(seqs: &[u64]) -> Packed {
        seqs.iter().map(|seq| Entry { seq: Seq(*seq), peer: UserId(7), sent: false, realm: None }).collect()
    }

    #[test]
    fn runs_keep_the_bytes_of_the_first_release() {
        let mut run = Run::new(PARTITION, 0);
        run.push(Timeline::User(UserId(8)), &packed(&[1_000]));
        run.push(Timeline::User(UserId(11)), &packed(&[3, 5]));
        let frozen = [1, 0, 6, 1, 232, 7, 7, 0, 0, 3, 9, 1, 3, 7, 0, 0, 2, 7, 0, 0];
        assert_eq!((run.tails.as_slice(), run.length()), (frozen.as_slice(), frozen.len()));
        let mut tails = Vec::new();
        split(&frozen, &mut |place, tail| {
            tails.push((place, packed::unpack(tail, Seq(0))?.len()));
            Ok(())
        })
        .unwrap();
        assert_eq!(tails, [(0, 1), (3, 2)]);
    }

    #[test]
    fn bytes_of_no_known_form_are_damage() {
        for bytes in [&[][..], &[0], &[2], &[1, 0], &[1, 0, 3, 1], &[1, 128, 128]] {
            assert!(matches!(split(bytes, &mut |_, _| Ok(())), Err(StoreError::Damaged(_))), "{bytes:?}");
        }
    }

    #[test]
    fn a_row_that_is_no_partition_or_no_neighbour_is_damage() {
        assert!(Partition::stored(0, 1, 4).is_ok());
        for (kind, number) in [(9, 0), (0, u32::MAX)] {
            assert!(matches!(Partition::stored(kind, number, 4), Err(StoreError::Damaged(_))), "{kind} {number}");
        }
        let database = Connection::open_in_memory().unwrap();
        database.execute_batch(include_str!("../version-2.sql")).unwrap();
        let mut run = Run::new(PARTITION, 0);
        run.tails.extend([4, 6, 1, 232, 7, 7, 0, 0]);
        insert(&database, &[run]).unwrap();
        assert!(matches!(deal(&database, PARTITION, 9), Err(StoreError::Damaged(_))));
        assert!(matches!(newest(&database, PARTITION), Err(StoreError::Damaged(_))));
        assert!(matches!(each_entry(&database, 4, |_, _| ()), Err(StoreError::Damaged(_))));
    }

    fn stored(numbers: &[u32]) -> Connection {
        let database = Connection::open_in_memory().unwrap();
        database.execute_batch(concat!(include_str!("../version-1.sql"), include_str!("../version-2.sql"))).unwrap();
        for (number, seq) in numbers.iter().zip(1..) {
            let mut run = Run::new(PARTITION, *number);
            run.push(Timeline::User(UserId(9)), &packed(&[10 * seq, 10 * seq + 1]));
            insert(&database, &[run]).unwrap();
        }
        database
    }

    fn seqs(database: &Connection) -> Vec<u64> {
        let entries = read(database, PARTITION, Timeline::User(UserId(9))).unwrap();
        entries.iter().map(|entry| entry.seq.0).collect()
    }

    #[test]
    fn a_run_that_is_missing_is_damage() {
        assert!(extents(&stored(&[0, 1]), 4, Seq(50)).is_ok());
        for numbers in [&[1][..], &[0, 2]] {
            assert!(matches!(extents(&stored(numbers), 4, Seq(50)), Err(StoreError::Damaged(_))), "{numbers:?}");
        }
    }

    #[test]
    fn runs_become_one_and_all_become_chunks_and_nothing_is_lost_or_moved() {
        let database = stored(&[0, 1]);
        let all = [10, 11, 20, 21];
        merge(&database, PARTITION, 0).unwrap();
        assert_eq!(seqs(&database), all);
        let Extent { fresh, merged, .. } = extents(&database, 4, Seq(50)).unwrap().of(PARTITION);
        assert_eq!((fresh, merged), (0, 1));
        let mut run = Run::new(PARTITION, 0);
        run.push(Timeline::User(UserId(9)), &packed(&[30]));
        insert(&database, &[run]).unwrap();
        assert_eq!(seqs(&database), [&all[..], &[30]].concat());
        deal(&database, PARTITION, 3).unwrap();
        assert!(seqs(&database).is_empty());
        assert!(extents(&database, 4, Seq(50)).unwrap().of(PARTITION).is_empty());
        let chunk = |after| chunk::read_after(&database, Timeline::User(UserId(9)), Seq(after)).unwrap().unwrap();
        assert_eq!((chunk(0).len(), chunk(20).first().map(|entry| entry.seq)), (3, Some(Seq(21))));
    }
}
