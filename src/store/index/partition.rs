//! Partitions: neighbouring timelines, whose few new entries are written together.

use crate::chat::Timeline;
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
        chunk::timeline(self.kind, self.number.saturating_mul(self.size).saturating_add(place.into()))
    }

    /// Whether its timelines' entries may stand in runs. Outboxes and broadcasts are few, and read at every opening.
    pub(super) fn has_runs(self) -> bool {
        matches!(chunk::timeline(self.kind, 0), Ok(Timeline::User(_) | Timeline::Group(_)))
    }
}

/// What of a partition stands in runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) runs: u32,
    pub(super) bytes: u32,
}

/// What of all partitions stands in runs, by their kind and number.
#[derive(Debug, Default)]
pub(super) struct Extents(Vec<Vec<Extent>>);

impl Extents {
    pub(super) fn of(&self, partition: Partition) -> Extent {
        let extent = self.0.get(usize::from(partition.kind)).and_then(|kind| kind.get(partition.number as usize));
        extent.copied().unwrap_or_default()
    }

    /// Notes one run more.
    pub(super) fn add(&mut self, partition: Partition, bytes: usize) {
        let extent = grown(grown(&mut self.0, partition.kind.into()), partition.number as usize);
        extent.runs += 1;
        extent.bytes = extent.bytes.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
    }

    /// Notes that a partition has no runs any more.
    pub(super) fn clear(&mut self, partition: Partition) {
        if let Some(extent) =
            self.0.get_mut(usize::from(partition.kind)).and_then(|kind| kind.get_mut(partition.number as usize))
        {
            *extent = Extent::default();
        }
    }

    /// The partitions of that size with runs after one, in their order.
    pub(super) fn with_runs(&self, after: Option<Partition>, size: u32) -> impl Iterator<Item = Partition> {
        let kinds = self.0.iter().zip(0_u8..);
        let all = kinds.flat_map(move |(kind, number)| kind.iter().zip(0..).map(move |extent| (number, extent)));
        let with_runs = all.filter(|(_, (extent, _))| extent.runs > 0);
        with_runs
            .map(move |(kind, (_, number))| Partition { kind, number, size })
            .skip_while(move |partition| Some(*partition) <= after)
    }
}

/// What stands at a place, which is made where there is none yet.
pub(super) fn grown<T: Default>(items: &mut Vec<T>, place: usize) -> &mut T {
    if items.len() <= place {
        items.resize_with(place + 1, T::default);
    }
    &mut items[place]
}
