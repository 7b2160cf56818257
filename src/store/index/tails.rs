//! The newest entries of each timeline, in memory, packed as they will be stored.
//!
//! Users, groups and realms are numbered from 0, so that a timeline's tail is found by its place, without a hash; and a
//! packed entry is some six bytes, so that much of this stays in the processor's caches.

use crate::chat::{Entry, Timeline};
use crate::id::Seq;
use crate::store::index::chunk;
use crate::store::index::packed::Packed;
use crate::store::index::partition::{Partition, grown};

/// What is in memory of all timelines.
pub(super) struct Tails {
    chunk_entries: usize,
    /// Of each kind of timelines, by the number of the owner: which one in `tails`, counted from 1; 0 for no entries.
    places: Vec<Vec<u32>>,
    tails: Vec<Tail>,
    /// The places of tails that no timeline has.
    free: Vec<u32>,
}

/// The entries of one timeline: chunks that are full, and what becomes the next. It is small, for there may be one for
/// every account.
#[derive(Default)]
struct Tail {
    full: Option<Box<Full>>,
    last: Packed,
}

/// The full chunks of a timeline. They leave with the next transaction, so that few timelines have any.
#[derive(Default)]
struct Full {
    chunks: Vec<Packed>,
    entries: usize,
}

impl Tails {
    /// Tails of chunks of so many entries.
    pub(super) fn new(chunk_entries: usize) -> Self {
        Self { chunk_entries, places: Vec::new(), tails: Vec::new(), free: Vec::new() }
    }

    /// Adds the newest entry of a timeline. Gives the number of its entries then.
    pub(super) fn push(&mut self, timeline: Timeline, entry: Entry) -> usize {
        let (kind, owner) = key(timeline);
        let place = grown(grown(&mut self.places, kind), owner);
        if *place == 0 {
            *place = self.free.pop().unwrap_or_else(|| {
                self.tails.push(Tail::default());
                self.tails.len() as u32
            });
        }
        let tail = &mut self.tails[*place as usize - 1];
        if tail.last.length() == self.chunk_entries {
            tail.full.get_or_insert_default().push(std::mem::take(&mut tail.last));
        }
        tail.last.push(entry);
        tail.length()
    }

    /// Forgets the entries of a timeline.
    pub(super) fn remove(&mut self, timeline: Timeline) {
        let (kind, owner) = key(timeline);
        let place = self.places.get_mut(kind).and_then(|places| places.get_mut(owner));
        let Some(place) = place.map(std::mem::take).filter(|place| *place > 0) else { return };
        self.tails[place as usize - 1] = Tail::default();
        self.free.push(place);
    }

    /// How many timelines have entries.
    pub(super) fn timelines(&self) -> usize {
        self.tails.len() - self.free.len()
    }

    /// How many entries of a timeline there are.
    pub(super) fn length(&self, timeline: Timeline) -> usize {
        self.tail(timeline).map_or(0, Tail::length)
    }

    /// The entries of a timeline, in chunks, the oldest first.
    pub(super) fn chunks(&self, timeline: Timeline) -> impl Iterator<Item = &Packed> {
        self.tail(timeline).into_iter().flat_map(Tail::chunks)
    }

    /// The oldest entry of a timeline that has any.
    pub(super) fn oldest(&self, timeline: Timeline) -> Option<Seq> {
        self.chunks(timeline).next().map(Packed::oldest)
    }

    /// The newest entry of a timeline that has any.
    pub(super) fn newest(&self, timeline: Timeline) -> Option<Seq> {
        self.tail(timeline).map(|tail| tail.last.newest())
    }

    /// The timelines with entries, in their order.
    pub(super) fn all(&self) -> impl Iterator<Item = Timeline> {
        let kinds = self.places.iter().zip(0_u8..);
        kinds.flat_map(|(places, kind)| with_entries(kind, 0, places))
    }

    /// The timelines of a partition with entries, in their order.
    pub(super) fn of(&self, partition: Partition) -> impl Iterator<Item = Timeline> {
        let places = self.places.get(usize::from(partition.kind)).map_or(&[][..], Vec::as_slice);
        let first = (partition.number as usize * partition.size as usize).min(places.len());
        let places = places.get(first..).unwrap_or_default();
        with_entries(partition.kind, first as u32, places.get(..partition.size as usize).unwrap_or(places))
    }

    /// The partitions of that size, with entries or without, that come after one, or all of them, in their order.
    pub(super) fn partitions(&self, after: Option<Partition>, size: u32) -> impl Iterator<Item = Partition> {
        let (first_kind, first_number) = after.map_or((0, 0), |partition| (partition.kind, partition.number + 1));
        let kinds = self.places.iter().zip(0_u8..).skip(first_kind.into());
        kinds.flat_map(move |(places, kind)| {
            let first = if kind == first_kind { first_number } else { 0 };
            (first..places.len().div_ceil(size as usize) as u32).map(move |number| Partition { kind, number, size })
        })
    }

    fn tail(&self, timeline: Timeline) -> Option<&Tail> {
        let (kind, owner) = key(timeline);
        let place = *self.places.get(kind)?.get(owner)?;
        self.tails.get((place as usize).checked_sub(1)?)
    }
}

impl Tail {
    fn length(&self) -> usize {
        self.full.as_ref().map_or(0, |full| full.entries) + self.last.length()
    }

    fn chunks(&self) -> impl Iterator<Item = &Packed> {
        self.full.iter().flat_map(|full| &full.chunks).chain([&self.last])
    }
}

impl Full {
    fn push(&mut self, chunk: Packed) {
        self.entries += chunk.length();
        self.chunks.push(chunk);
    }
}

fn with_entries(kind: u8, first: u32, places: &[u32]) -> impl Iterator<Item = Timeline> {
    let with_entries = places.iter().zip(first..).filter(|(place, _)| **place > 0);
    with_entries.filter_map(move |(_, owner)| chunk::timeline(kind, owner).ok())
}

fn key(timeline: Timeline) -> (usize, usize) {
    let (kind, owner) = chunk::key(timeline);
    (usize::from(kind), owner as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{GroupId, RealmId, UserId};
    use crate::store::index::packed::unpack;

    fn user(number: u32) -> Timeline {
        Timeline::User(UserId(number))
    }

    fn push(tails: &mut Tails, timeline: Timeline, seqs: &[u64]) {
        for seq in seqs {
            tails.push(timeline, Entry { seq: Seq(*seq), peer: UserId(7), sent: false, realm: None });
        }
    }

    fn chunks(tails: &Tails, timeline: Timeline) -> Vec<Vec<u64>> {
        let seqs = |packed: &Packed| unpack(packed.bytes(), Seq(0)).unwrap().iter().map(|entry| entry.seq.0).collect();
        tails.chunks(timeline).map(seqs).collect()
    }

    #[test]
    fn timelines_keep_their_entries_apart_and_in_chunks() {
        let mut tails = Tails::new(2);
        push(&mut tails, user(2), &[1, 3]);
        push(&mut tails, Timeline::Group(GroupId(2)), &[2, 5]);
        push(&mut tails, user(2), &[4]);
        assert_eq!(chunks(&tails, user(2)), [vec![1, 3], vec![4]]);
        assert_eq!((tails.oldest(user(2)), tails.newest(user(2))), (Some(Seq(1)), Some(Seq(4))));
        assert_eq!(chunks(&tails, Timeline::Group(GroupId(2))), [[2, 5]]);
        assert_eq!((tails.length(user(2)), tails.length(user(1)), tails.oldest(user(1))), (3, 0, None));
    }

    #[test]
    fn the_place_of_what_left_is_used_again() {
        let mut tails = Tails::new(9);
        push(&mut tails, user(1), &[1, 3]);
        push(&mut tails, user(2), &[2]);
        [1, 1, 9].into_iter().for_each(|number| tails.remove(user(number)));
        push(&mut tails, user(3), &[4, 5]);
        assert_eq!((chunks(&tails, user(3)), chunks(&tails, user(1))), (vec![vec![4, 5]], vec![]));
        assert_eq!((tails.tails.len(), tails.timelines()), (2, 2));
    }

    #[test]
    fn timelines_come_in_the_order_of_the_table() {
        let mut tails = Tails::new(9);
        let group = |number| Timeline::Group(GroupId(number));
        let order = [user(1), user(3), group(0), group(9), Timeline::Broadcast, Timeline::Outbox(RealmId(2))];
        for timeline in order.iter().rev() {
            push(&mut tails, *timeline, &[1]);
        }
        assert!(order.is_sorted() && tails.all().eq(order));
        let partitions: Vec<_> = tails.partitions(None, 3).collect();
        assert!(partitions.is_sorted() && partitions.iter().flat_map(|partition| tails.of(*partition)).eq(order));
        for (place, partition) in partitions.iter().enumerate() {
            assert!(tails.partitions(Some(*partition), 3).eq(partitions.iter().copied().skip(place + 1)));
        }
        assert_eq!(tails.of(Partition { kind: 1, number: 9, size: 3 }).count(), 0);
    }
}
