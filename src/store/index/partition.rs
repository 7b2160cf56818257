//! Partitions: neighbouring timelines, whose few new entries are written together.

use crate::chat::Timeline;
use crate::id::Seq;
use crate::limits::MAX_USERS;
use crate::store::StoreError;
use crate::store::index::chunk;
use crate::store::index::packed::damaged;

/// Timelines of one kind, with consecutive numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) struct Partition {
    pub(in crate::store) kind: u8,
    pub(in crate::store) number: u32,
    /// How many timelines it has.
    pub(in crate::store) size: u32,
}

impl Partition {
    /// The partition of a timeline, where partitions have that many.
    pub(in crate::store) fn of(timeline: Timeline, size: u32) -> Self {
        let (kind, owner) = chunk::key(timeline);
        Self { kind, number: owner / size, size }
    }

    /// The partition of a row.
    ///
    /// # Errors
    /// Where there can be none: lists are as long as the largest number.
    pub(super) fn stored(kind: u8, number: u32, size: u32) -> Result<Self, StoreError> {
        chunk::timeline(kind, 0)?;
        if u64::from(number) * u64::from(size) >= MAX_USERS as u64 {
            return Err(damaged());
        }
        Ok(Self { kind, number, size })
    }

    /// Which of the partition's timelines one is.
    pub(super) fn place(self, timeline: Timeline) -> u8 {
        let (_, owner) = chunk::key(timeline);
        (owner % self.size) as u8
    }

    /// The timeline at a place.
    pub(super) fn timeline(self, place: u8) -> Result<Timeline, StoreError> {
        if u32::from(place) >= self.size {
            return Err(damaged());
        }
        chunk::timeline(self.kind, self.number * self.size + u32::from(place))
    }

    /// Whether its timelines' entries may stand in runs. Outboxes and broadcasts are few, and read at every opening.
    pub(super) fn has_runs(self) -> bool {
        matches!(chunk::timeline(self.kind, 0), Ok(Timeline::User(_) | Timeline::Group(_)))
    }
}

/// What of a partition stands in runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// Runs as they were written at first.
    pub(super) fresh: u32,
    /// Runs that were made of several.
    pub(super) merged: u32,
    /// What they had when they were written at first.
    pub(super) bytes: u32,
    /// All entries are newer than this …
    pub(super) after: Seq,
    /// … and none is newer than this.
    pub(super) upto: Seq,
}

impl Extent {
    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.fresh + self.merged == 0
    }
}

/// What of all partitions stands in runs, by their kind and number.
#[derive(Debug, Default)]
pub(super) struct Extents(Vec<Vec<Extent>>);

impl Extents {
    pub(super) fn of(&self, partition: Partition) -> Extent {
        let extent = self.0.get(usize::from(partition.kind)).and_then(|kind| kind.get(partition.number as usize));
        extent.copied().unwrap_or_default()
    }

    /// Notes one run more, which has entries after the one and up to the other.
    pub(super) fn add(&mut self, partition: Partition, bytes: usize, after: Seq, upto: Seq) {
        let extent = self.entry(partition);
        let after = if extent.is_empty() { after } else { extent.after };
        let bytes = extent.bytes.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        *extent = Extent { fresh: extent.fresh + 1, bytes, after, upto, ..*extent };
    }

    /// Notes that all runs of a partition that were as written at first became one.
    pub(super) fn merge(&mut self, partition: Partition) {
        let extent = self.entry(partition);
        *extent = Extent { fresh: 0, merged: extent.merged + 1, ..*extent };
    }

    /// Notes that a partition has no runs any more.
    pub(super) fn clear(&mut self, partition: Partition) {
        *self.entry(partition) = Extent::default();
    }

    fn entry(&mut self, partition: Partition) -> &mut Extent {
        grown(grown(&mut self.0, partition.kind.into()), partition.number as usize)
    }

    /// The next partition of that size after one whose runs may have entries up to `upto`.
    pub(super) fn next(&self, after: Option<Partition>, upto: Seq, size: u32) -> Option<Partition> {
        let (first_kind, first_number) = after.map_or((0, 0), |partition| (partition.kind, partition.number + 1));
        let kinds = self.0.iter().zip(0_u8..).skip(first_kind.into());
        let mut all = kinds.flat_map(|(extents, kind)| {
            let first = if kind == first_kind { first_number } else { 0 };
            extents.iter().zip(0_u32..).skip(first as usize).map(move |(extent, number)| (extent, kind, number))
        });
        let (_, kind, number) = all.find(|(extent, ..)| !extent.is_empty() && extent.after < upto)?;
        Some(Partition { kind, number, size })
    }
}

/// What stands at a place, which is made where there is none yet.
pub(super) fn grown<T: Default>(items: &mut Vec<T>, place: usize) -> &mut T {
    if items.len() <= place {
        items.resize_with(place + 1, T::default);
    }
    &mut items[place]
}
