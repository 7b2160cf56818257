//! Partitions: neighbouring timelines, whose few new entries are written to one row.

use crate::chat::Timeline;
use crate::limits::{MAX_LOG_NUMBER, MAX_USERS};
use crate::store::error::StoreError;
use crate::store::timeline_key;

/// `size` timelines of one kind with consecutive owners: those from `number * size` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Partition {
    pub(crate) kind: u8,
    pub(crate) number: u64,
    pub(crate) size: u32,
}

impl Partition {
    pub(crate) fn of(timeline: Timeline, size: u32) -> Self {
        let (kind, owner) = timeline_key::encode(timeline);
        Self { kind, number: owner / u64::from(size), size }
    }

    /// The partition that a row names. Rejects numbers that no timeline can have: the list of users is as long as the largest.
    pub(super) fn stored(kind: u8, number: u64, size: u32) -> Result<Self, StoreError> {
        let is_of_users = matches!(timeline_key::decode(kind, 0)?, Timeline::User(_));
        let most = if is_of_users { MAX_USERS as u64 } else { MAX_LOG_NUMBER };
        if number.saturating_mul(size.into()) >= most {
            return Err(StoreError::damaged_index());
        }
        Ok(Self { kind, number, size })
    }

    /// The position of a timeline in its partition.
    pub(super) fn slot(self, timeline: Timeline) -> u8 {
        let (_, owner) = timeline_key::encode(timeline);
        (owner % u64::from(self.size)) as u8
    }

    pub(super) fn timeline(self, slot: u8) -> Result<Timeline, StoreError> {
        if u32::from(slot) >= self.size {
            return Err(StoreError::damaged_index());
        }
        timeline_key::decode(self.kind, self.number * u64::from(self.size) + u64::from(slot))
    }

    /// Whether entries may be flushed to runs. Outboxes and broadcasts are few, and read at every start: they have none.
    pub(super) fn has_runs(self) -> bool {
        matches!(timeline_key::decode(self.kind, 0), Ok(Timeline::User(_) | Timeline::Group(_)))
    }
}
