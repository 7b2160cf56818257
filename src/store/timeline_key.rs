//! The key of a timeline in the tables: its kind and the number of its owner.

use crate::chat::Timeline;
use crate::id::{GroupId, RealmId, UserId};
use crate::store::error::StoreError;

pub(crate) fn encode(timeline: Timeline) -> (u8, u64) {
    match timeline {
        Timeline::User(user) => (0, user.0),
        Timeline::Group(group) => (1, group.0),
        Timeline::Broadcast => (2, 0),
        Timeline::Outbox(realm) => (3, realm.0),
    }
}

pub(crate) fn decode(kind: u8, owner: u64) -> Result<Timeline, StoreError> {
    match kind {
        0 => Ok(Timeline::User(UserId(owner))),
        1 => Ok(Timeline::Group(GroupId(owner))),
        2 => Ok(Timeline::Broadcast),
        3 => Ok(Timeline::Outbox(RealmId(owner))),
        _ => Err(StoreError::damaged_index()),
    }
}
