//! Records that are stored together, and what is pushed once they are durable.

use std::sync::Arc;

use crate::chat::{Audience, Notification, Record, SessionEnd};
use crate::hub::send_queue::SendQueue;
use crate::id::{SessionId, UserId};
use crate::name::Name;

/// Records that are stored by one commit.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) ticket: u64,
    pub(super) records: Vec<Record>,
    pub(super) pushes: Vec<Push>,
    /// Of the message bodies.
    pub(super) bytes: usize,
    pub(super) closing: bool,
}

/// One push of a batch.
pub(super) struct Push {
    pub(super) what: Payload,
    pub(super) audience: Audience,
    /// Sorted ids of recipients who block the author.
    pub(super) blocked_by: Option<Arc<Vec<UserId>>>,
    /// The user whose change it is of, and who must not get far ahead of the pushes.
    pub(super) by: Option<UserId>,
    /// The connection that sent it, which gets a reply and no push.
    pub(super) origin: Option<Arc<SendQueue>>,
}

pub(super) enum Payload {
    /// The message in the record at this place.
    Message(usize),
    Notification(Notification),
    /// Connections are detached from a session that was closed. Nobody else hears of it.
    SessionEnded(EndedSession),
}

pub(super) struct EndedSession {
    pub(super) session: SessionId,
    pub(super) user: UserId,
    pub(super) name: Name,
    pub(super) end: SessionEnd,
}

impl Batch {
    pub(super) fn clear(&mut self) {
        self.records.clear();
        self.pushes.clear();
        self.bytes = 0;
    }
}
