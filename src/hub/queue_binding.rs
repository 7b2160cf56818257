//! The part of a send queue that belongs to the attached session: a subscription, and the notice of its end.

use crate::chat::SessionEnd;
use crate::hub::push_state::PushState;
use crate::hub::queue_state::QueueState;
use crate::hub::send_queue::SendQueue;
use crate::hub::sync::Ordering;
use crate::id::Seq;
use crate::time::Time;

impl SendQueue {
    /// A subscription begins: the messages before it are queued, and nothing is pushed yet.
    pub(super) fn begin_subscription(&self) {
        let mut state = self.lock();
        state.push = PushState::replaying();
        state.joining = None;
    }

    /// Whether the connection has a subscription, one that begins or lags included.
    pub(crate) fn is_subscribed(&self) -> bool {
        self.lock().push.is_subscribed()
    }

    /// Ends what the connection had from its session, and returns the range that was read live. Call it under the lock
    /// of the presence that the connection is removed from: a new binding must not be ended with the old one.
    pub(super) fn end_binding(&self) -> Option<(Seq, Seq)> {
        let read = self.take_read_range();
        self.bindings_ended.fetch_add(1, Ordering::AcqRel);
        self.stop_listening();
        read
    }

    /// The connection is attached to a session.
    pub(super) fn begin_binding(&self, now: Time) {
        self.lock().session_end = None;
        self.record_use(now);
    }

    /// Ends the binding because its session ended, and notifies a subscriber. Call it like
    /// [`SendQueue::end_binding`].
    pub(super) fn end_session(&self, end: SessionEnd) -> Option<(Seq, Seq)> {
        let read = self.take_read_range();
        self.bindings_ended.fetch_add(1, Ordering::AcqRel);
        let mut state = self.lock();
        state.session_end = Some(end);
        let is_subscribed = state.push.is_subscribed();
        state.push = PushState::default();
        state.joining = None;
        if is_subscribed {
            self.send_session_end(&mut state);
        }
        read
    }

    /// Notifies a client whose session ended just before its subscription began.
    pub(super) fn refuse_subscription(&self) {
        self.send_session_end(&mut self.lock());
    }

    fn send_session_end(&self, state: &mut QueueState) {
        if let Some(end) = state.session_end.filter(|_| !state.is_gone()) {
            self.format().session_ended(&mut state.ready, end);
            self.write(state);
        }
    }

    /// The client asked for something with a session.
    pub(crate) fn record_use(&self, now: Time) {
        self.last_use.store(now.0, Ordering::Relaxed);
    }

    pub(super) fn last_use(&self) -> Time {
        Time(self.last_use.load(Ordering::Relaxed))
    }
}
