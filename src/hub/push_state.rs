//! Whether messages are pushed to a connection, and how far that has come.

use crate::chat::{Notification, Topics};
use crate::id::Seq;

#[derive(Clone, Copy, Default)]
pub(super) struct PushState {
    mode: Mode,
    /// Messages up to this one are not pushed, or were recorded as read since.
    after: Seq,
    /// The newest that was queued.
    queued: Seq,
    /// The newest that is known to have been written to the socket.
    written: Seq,
    /// The newest that was written before the peer sent something, or closed: so the peer is there and had it.
    taken: Seq,
    topics: Topics,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Off,
    /// Subscribed: what was said before is being queued.
    Replaying,
    Live,
    /// The queue overflowed: nothing is pushed until it is empty and the reader was told.
    Lagging,
}

impl PushState {
    /// Pushes messages after `after`, and notifications of the topics.
    pub(super) fn live(after: Seq, topics: Topics) -> Self {
        Self { mode: Mode::Live, after, queued: after, written: after, taken: after, topics }
    }

    /// Pushes nothing yet.
    pub(super) fn replaying() -> Self {
        Self { mode: Mode::Replaying, ..Self::default() }
    }

    pub(super) fn is_subscribed(self) -> bool {
        self.mode != Mode::Off
    }

    /// Live again after a lag, from `after` on.
    pub(super) fn resumed(self, after: Seq) -> Self {
        Self::live(after, self.topics)
    }

    pub(super) fn wants_notification(self, notification: &Notification) -> bool {
        self.is_live() && self.topics.cover(notification)
    }

    pub(super) fn is_live(self) -> bool {
        self.mode == Mode::Live
    }

    pub(super) fn is_lagging(self) -> bool {
        self.mode == Mode::Lagging
    }

    pub(super) fn topics(self) -> Topics {
        self.topics
    }

    pub(super) fn wants(self, seq: Seq) -> bool {
        self.is_live() && seq > self.after
    }

    pub(super) fn set_queued(&mut self, seq: Seq) {
        self.queued = seq;
    }

    /// The queue is empty: everything that was queued was written.
    pub(super) fn set_all_written(&mut self) {
        self.written = self.queued;
    }

    /// The peer sent something, or closed.
    pub(super) fn set_taken(&mut self) {
        self.taken = self.written;
    }

    pub(super) fn lag(&mut self) {
        self.mode = Mode::Lagging;
    }

    /// Ends pushing to a live connection, but not the record of what was written.
    pub(super) fn lag_if_live(&mut self) {
        if self.is_live() {
            self.lag();
        }
    }

    /// The newest message that the reader of a lagging connection was sent.
    pub(super) fn queued(self) -> Seq {
        self.queued
    }

    /// Skips messages that the reader has read in another way.
    pub(super) fn mark_read(&mut self, upto: Seq) {
        for place in [&mut self.after, &mut self.queued, &mut self.written, &mut self.taken] {
            *place = upto.max(*place);
        }
    }

    /// The range that the peer has taken since the last call, or `None` if it is empty.
    pub(super) fn take_range(&mut self) -> Option<(Seq, Seq)> {
        let is_any = self.mode != Mode::Off && self.taken > self.after;
        is_any.then(|| (std::mem::replace(&mut self.after, self.taken), self.taken))
    }
}
