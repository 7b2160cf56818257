//! The memtable: the newest entries of each timeline, encoded as they will be stored.
//!
//! Users are numbered from 0, so a user's tail is found by index, without a hash. An encoded entry takes some six bytes, so
//! much of this stays in the processor's caches.

use std::ops::Range;

use crate::chat::{Entry, Timeline};
use crate::id::Seq;
use crate::store::index::encoding::EncodedEntries;
use crate::store::index::number_map::NumberMap;
use crate::store::index::partition::Partition;
use crate::store::timeline_key;

pub(super) struct Memtable {
    chunk_entries: usize,
    /// By kind and owner of a timeline: the index of its tail plus 1, or 0 if it has no entries.
    tail_indices: Vec<NumberMap<u32>>,
    tails: Vec<TimelineTail>,
    /// The indices of unused tails.
    free: Vec<u32>,
    /// Timelines with enough entries for a chunk.
    full: Vec<Timeline>,
}

/// The entries of one timeline. Every account may have one, so it is small.
#[derive(Default)]
struct TimelineTail {
    full: Option<Box<FullChunks>>,
    last: EncodedEntries,
}

/// The full chunks of a timeline. The next transaction flushes them, so few timelines have any.
#[derive(Default)]
struct FullChunks {
    chunks: Vec<EncodedEntries>,
    entries: usize,
}

impl Memtable {
    pub(super) fn new(chunk_entries: usize) -> Self {
        Self { chunk_entries, tail_indices: Vec::new(), tails: Vec::new(), free: Vec::new(), full: Vec::new() }
    }

    /// Appends an entry to a timeline, which must be newer than the others.
    pub(super) fn push(&mut self, timeline: Timeline, entry: Entry) {
        let (kind, owner) = key(timeline);
        while self.tail_indices.len() <= kind {
            self.tail_indices.push(NumberMap::of_kind(self.tail_indices.len() as u8));
        }
        let mut index = self.tail_indices[kind].get(owner);
        if index == 0 {
            index = self.free.pop().unwrap_or_else(|| {
                self.tails.push(TimelineTail::default());
                self.tails.len() as u32
            });
            self.tail_indices[kind].set(owner, index);
        }
        let tail = &mut self.tails[index as usize - 1];
        // The batch that fills a chunk makes it longer: the few entries over would be a row of their own.
        if tail.last.len() == 2 * self.chunk_entries {
            tail.full.get_or_insert_default().push(std::mem::take(&mut tail.last));
        }
        tail.last.push(entry);
        if tail.len() == self.chunk_entries {
            self.full.push(timeline);
        }
    }

    pub(super) fn remove(&mut self, timelines: &[Timeline]) {
        timelines.iter().for_each(|timeline| self.remove_one(*timeline));
        let mut full = std::mem::take(&mut self.full);
        full.retain(|timeline| self.len(*timeline) > 0);
        self.full = full;
    }

    fn remove_one(&mut self, timeline: Timeline) {
        let (kind, owner) = key(timeline);
        let Some(indices) = self.tail_indices.get_mut(kind) else { return };
        let index = indices.get(owner);
        if index == 0 {
            return;
        }
        indices.set(owner, 0);
        self.tails[index as usize - 1] = TimelineTail::default();
        self.free.push(index);
    }

    /// The number of timelines with entries.
    pub(super) fn timelines(&self) -> usize {
        self.tails.len() - self.free.len()
    }

    /// The timelines with enough entries for a chunk.
    pub(super) fn full(&self) -> &[Timeline] {
        &self.full
    }

    /// The number of entries of a timeline.
    pub(super) fn len(&self, timeline: Timeline) -> usize {
        self.tail(timeline).map_or(0, TimelineTail::len)
    }

    /// The entries of a timeline in chunks, oldest first.
    pub(super) fn chunks(&self, timeline: Timeline) -> impl Iterator<Item = &EncodedEntries> {
        self.tail(timeline).into_iter().flat_map(TimelineTail::chunks)
    }

    pub(super) fn oldest(&self, timeline: Timeline) -> Option<Seq> {
        self.chunks(timeline).next().map(EncodedEntries::oldest)
    }

    pub(super) fn newest(&self, timeline: Timeline) -> Option<Seq> {
        self.tail(timeline).map(|tail| tail.last.newest())
    }

    /// The timelines with entries, in the order of the tables.
    pub(super) fn all(&self) -> impl Iterator<Item = Timeline> {
        let kinds = self.tail_indices.iter().zip(0_u8..);
        kinds.flat_map(|(indices, kind)| with_entries(kind, indices, 0..u64::MAX))
    }

    /// The timelines with entries of a partition, in the order of the tables.
    pub(super) fn of_partition(&self, partition: Partition) -> impl Iterator<Item = Timeline> {
        let first = partition.number.saturating_mul(partition.size.into());
        let range = first..first.saturating_add(partition.size.into());
        let indices = self.tail_indices.get(usize::from(partition.kind)).into_iter();
        indices.flat_map(move |indices| with_entries(partition.kind, indices, range.clone()))
    }

    /// The partitions after `after`, or all, in the order of the tables. Some may have no entries.
    pub(super) fn partitions(&self, after: Option<Partition>, size: u32) -> impl Iterator<Item = Partition> {
        let (first_kind, first_number) = after.map_or((0, 0), |partition| (partition.kind, partition.number + 1));
        let kinds = self.tail_indices.iter().zip(0_u8..).skip(first_kind.into());
        kinds.flat_map(move |(indices, kind)| {
            let first = if kind == first_kind { first_number } else { 0 };
            partition_numbers(indices, first, size).map(move |number| Partition { kind, number, size })
        })
    }

    fn tail(&self, timeline: Timeline) -> Option<&TimelineTail> {
        let (kind, owner) = key(timeline);
        let index = self.tail_indices.get(kind)?.get(owner);
        self.tails.get((index as usize).checked_sub(1)?)
    }
}

impl TimelineTail {
    fn len(&self) -> usize {
        self.full.as_ref().map_or(0, |full| full.entries) + self.last.len()
    }

    fn chunks(&self) -> impl Iterator<Item = &EncodedEntries> {
        self.full.iter().flat_map(|full| &full.chunks).chain([&self.last])
    }
}

impl FullChunks {
    fn push(&mut self, chunk: EncodedEntries) {
        self.entries += chunk.len();
        self.chunks.push(chunk);
    }
}

fn with_entries(kind: u8, indices: &NumberMap<u32>, owners: Range<u64>) -> impl Iterator<Item = Timeline> {
    indices.range(owners).filter_map(move |(owner, _)| timeline_key::decode(kind, owner).ok())
}

/// The partitions from `first` on: of a list all, of a tree those with entries.
fn partition_numbers(indices: &NumberMap<u32>, first: u64, size: u32) -> Box<dyn Iterator<Item = u64> + '_> {
    let size = u64::from(size);
    match indices {
        NumberMap::Dense(items) => Box::new(first..(items.len() as u64).div_ceil(size)),
        NumberMap::Sparse(owners) => {
            let mut before = None;
            let numbers = owners.range(first.saturating_mul(size)..).map(move |(owner, _)| owner / size);
            Box::new(numbers.filter(move |number| before.replace(*number) != Some(*number)))
        }
    }
}

fn key(timeline: Timeline) -> (usize, u64) {
    let (kind, owner) = timeline_key::encode(timeline);
    (usize::from(kind), owner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{GroupId, RealmId, UserId};
    use crate::store::index::encoding::decode;

    fn user(number: u64) -> Timeline {
        Timeline::User(UserId(number))
    }

    fn push(memtable: &mut Memtable, timeline: Timeline, seqs: &[u64]) {
        for seq in seqs {
            memtable.push(timeline, Entry { seq: Seq(*seq), peer: UserId(7), sent: false, realm: None });
        }
    }

    fn chunks(memtable: &Memtable, timeline: Timeline) -> Vec<Vec<u64>> {
        let seqs = |encoded: &EncodedEntries| {
            decode(encoded.bytes(), Seq(0)).unwrap().iter().map(|entry| entry.seq.0).collect()
        };
        memtable.chunks(timeline).map(seqs).collect()
    }

    #[test]
    fn entries_are_kept_by_timeline_and_in_chunks() {
        let mut memtable = Memtable::new(1);
        push(&mut memtable, user(2), &[1, 3]);
        push(&mut memtable, Timeline::Group(GroupId(2)), &[2, 5]);
        push(&mut memtable, user(2), &[4]);
        assert_eq!(chunks(&memtable, user(2)), [vec![1, 3], vec![4]]);
        assert_eq!((memtable.oldest(user(2)), memtable.newest(user(2))), (Some(Seq(1)), Some(Seq(4))));
        assert_eq!(chunks(&memtable, Timeline::Group(GroupId(2))), [[2, 5]]);
        assert_eq!((memtable.len(user(2)), memtable.len(user(1)), memtable.oldest(user(1))), (3, 0, None));
    }

    #[test]
    fn the_tail_of_a_removed_timeline_is_reused() {
        let mut memtable = Memtable::new(9);
        push(&mut memtable, user(1), &[1, 3]);
        push(&mut memtable, user(2), &[2]);
        memtable.remove(&[user(1), user(1), user(9)]);
        push(&mut memtable, user(3), &[4, 5]);
        assert_eq!((chunks(&memtable, user(3)), chunks(&memtable, user(1))), (vec![vec![4, 5]], vec![]));
        assert_eq!((memtable.tails.len(), memtable.timelines()), (2, 2));
    }

    #[test]
    fn timelines_are_listed_in_the_order_of_the_tables() {
        let mut memtable = Memtable::new(9);
        let group = |number| Timeline::Group(GroupId(number));
        let order = [user(1), user(3), group(0), group(9), Timeline::Broadcast, Timeline::Outbox(RealmId(2))];
        for timeline in order.iter().rev() {
            push(&mut memtable, *timeline, &[1]);
        }
        assert!(order.is_sorted() && memtable.all().eq(order));
        let partitions: Vec<_> = memtable.partitions(None, 3).collect();
        assert!(
            partitions.is_sorted()
                && partitions.iter().flat_map(|partition| memtable.of_partition(*partition)).eq(order)
        );
        for (place, partition) in partitions.iter().enumerate() {
            assert!(memtable.partitions(Some(*partition), 3).eq(partitions.iter().copied().skip(place + 1)));
        }
        assert_eq!(memtable.of_partition(Partition { kind: 1, number: 9, size: 3 }).count(), 0);
    }
}
