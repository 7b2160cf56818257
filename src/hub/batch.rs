//! Records that are stored together, and what is pushed once they are durable.

use std::sync::Arc;

use crate::chat::{Audience, Notification, Record};
use crate::hub::send_queue::SendQueue;
use crate::id::UserId;

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

/// Something of a batch that is to be pushed.
pub(super) struct Push {
    pub(super) what: Payload,
    pub(super) audience: Audience,
    /// Those of the audience, in order, who blocked its sender.
    pub(super) blocked_by: Option<Arc<Vec<UserId>>>,
    /// Who brought it: that connection gets a reply, not a push.
    pub(super) origin: Option<Arc<SendQueue>>,
}

/// What is pushed.
pub(super) enum Payload {
    /// The message at this place in the batch.
    Message(usize),
    /// What is told beside messages.
    Notification(Notification),
}

impl Batch {
    pub(super) fn clear(&mut self) {
        self.records.clear();
        self.pushes.clear();
        self.bytes = 0;
    }
}
