//! How far a connection has come in what is pushed to it.

use crate::chat::{Notification, Topics};
use crate::id::Seq;

/// Whether messages are pushed to a connection, and how far that came.
#[derive(Clone, Copy, Default)]
pub(super) struct PushState {
    mode: Mode,
    /// Pushing began after this one, or what was pushed up to it has been noted as read.
    after: Seq,
    /// The newest that was put into the queue.
    pushed: Seq,
    /// The newest that is known to have left it.
    left: Seq,
    /// What is told beside messages.
    topics: Topics,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Off,
    Live,
    /// The queue ran over: nothing is pushed until it is empty and the reader was told.
    Lagging,
}

impl PushState {
    /// Pushing what comes after `after`, and notices of the topics.
    pub(super) fn live(after: Seq, topics: Topics) -> Self {
        Self { mode: Mode::Live, after, pushed: after, left: after, topics }
    }

    /// Pushing goes on after a lag, from `after` on.
    pub(super) fn resumed(self, after: Seq) -> Self {
        Self::live(after, self.topics)
    }

    /// Whether a notice is to be pushed.
    pub(super) fn wants_notice(self, notification: &Notification) -> bool {
        self.is_live() && self.topics.cover(notification)
    }

    pub(super) fn is_live(self) -> bool {
        self.mode == Mode::Live
    }

    pub(super) fn is_lagging(self) -> bool {
        self.mode == Mode::Lagging
    }

    /// What is told beside messages.
    pub(super) fn topics(self) -> Topics {
        self.topics
    }

    /// Whether a message is to be pushed.
    pub(super) fn wants(self, seq: Seq) -> bool {
        self.is_live() && seq > self.after
    }

    pub(super) fn note_pushed(&mut self, seq: Seq) {
        self.pushed = seq;
    }

    /// The queue is empty: all that was pushed has left.
    pub(super) fn note_left(&mut self) {
        self.left = self.pushed;
    }

    pub(super) fn lag(&mut self) {
        self.mode = Mode::Lagging;
    }

    /// The newest that the reader of a lagging connection got.
    pub(super) fn pushed(self) -> Seq {
        self.pushed
    }

    /// Leaves out what the reader has seen in another way.
    pub(super) fn skip_to(&mut self, upto: Seq) {
        for place in [&mut self.after, &mut self.pushed, &mut self.left] {
            *place = upto.max(*place);
        }
    }

    /// The interval that has left since this was last asked; none where nothing has.
    pub(super) fn take_left(&mut self) -> Option<(Seq, Seq)> {
        let something = self.mode != Mode::Off && self.left > self.after;
        something.then(|| (std::mem::replace(&mut self.after, self.left), self.left))
    }
}
