//! Partitions: neighbouring timelines, whose few new entries are written to one row.

use crate::chat::Timeline;
use crate::limits::MAX_USERS;
use crate::store::error::StoreError;
use crate::store::timeline_key;

/// `size` timelines of one kind with consecutive owners: those from `number * size` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Partition {
    pub(crate) kind: u8,
    pub(crate) number: u32,
    pub(crate) size: u32,
}

impl Partition {
    pub(crate) fn of(timeline: Timeline, size: u32) -> Self {
        let (kind, owner) = timeline_key::encode(timeline);
        Self { kind, number: owner / size, size }
    }

    /// The partition that a row names. Rejects numbers that no timeline can have: lists are as long as the largest.
    pub(super) fn stored(kind: u8, number: u32, size: u32) -> Result<Self, StoreError> {
        timeline_key::decode(kind, 0)?;
        if u64::from(number) * u64::from(size) >= MAX_USERS as u64 {
            return Err(StoreError::damaged_index());
        }
        Ok(Self { kind, number, size })
    }

    /// The position of a timeline in its partition.
    pub(super) fn slot(self, timeline: Timeline) -> u8 {
        let (_, owner) = timeline_key::encode(timeline);
        (owner % self.size) as u8
    }

    pub(super) fn timeline(self, slot: u8) -> Result<Timeline, StoreError> {
        if u32::from(slot) >= self.size {
            return Err(StoreError::damaged_index());
        }
        timeline_key::decode(self.kind, self.number * self.size + u32::from(slot))
    }

    /// Whether entries may be flushed to runs. Outboxes and broadcasts are few, and read at every start: they have none.
    pub(super) fn has_runs(self) -> bool {
        matches!(timeline_key::decode(self.kind, 0), Ok(Timeline::User(_) | Timeline::Group(_)))
    }
}

/// The item at an index; grows the list if it is shorter.
pub(super) fn entry_at<T: Default>(items: &mut Vec<T>, index: usize) -> &mut T {
    if items.len() <= index {
        items.resize_with(index + 1, T::default);
    }
    &mut items[index]
}
