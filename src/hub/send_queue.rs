//! One connection's send queue: replies that wait for a commit, then bytes that wait for the socket.
//!
//! Replies leave in request order, each not before what it shows is durable; pushes leave as they come. Nothing here
//! waits: the thread that queues something also writes as much as the socket takes, and the connection's own task writes the
//! rest when the socket is writable again.
//!
//! A task asks [`SendQueue::status`] before each request, which takes no lock; so a `send` takes the lock of its
//! connection's queue twice: to hold its reply, and, on the committer's thread, to flush it.

use std::future::poll_fn;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::chat::{Notification, StoredMessage, Topics};
use crate::hub::deferred_reply::DeferredReply;
use crate::hub::push_slot::{CurrentSlot, PushSlot};
use crate::hub::push_state::PushState;
use crate::hub::queue_state::{JoiningPushes, QueueState};
use crate::hub::queue_status::{Backlog, PublishedStatus, QueueStatus};
use crate::hub::socket_writer::{ConnectionEnd, SocketWriter};
use crate::hub::sync::{AtomicU32, AtomicU64, Mutex, MutexGuard, Ordering};
use crate::hub::tickets::{CommitStatus, Ticket, Tickets};
use crate::id::Seq;
use crate::limits::PUSH_BYTES;
use crate::wire::{ReplyFormat, Tag};

/// One connection's send queue.
pub struct SendQueue {
    pub(super) writer: Arc<dyn SocketWriter>,
    format: ReplyFormat,
    state: Mutex<QueueState>,
    published: PublishedStatus,
    /// The newest ticket for which this queue was registered with the committer.
    watched: AtomicU64,
    /// The place of this connection among those that the fan-out has pushes for.
    pub(super) push_slot: CurrentSlot,
    /// Counts the bindings to users that ended.
    pub(super) bindings_ended: AtomicU32,
    /// When the client last asked for something with a session, in milliseconds.
    pub(super) last_use: AtomicU64,
}

/// The locked state of a queue. Publishes its status when it is dropped.
pub(super) struct Locked<'a> {
    state: MutexGuard<'a, QueueState>,
    published: &'a PublishedStatus,
}

impl Deref for Locked<'_> {
    type Target = QueueState;

    fn deref(&self) -> &QueueState {
        &self.state
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut QueueState {
        &mut self.state
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let (oldest_held, newest_held) = self.state.held_tickets();
        self.published.publish(self.state.status(), oldest_held, newest_held);
        self.state.wake_task();
    }
}

impl SendQueue {
    /// The send queue of a connection that is answered in `format`.
    #[must_use]
    pub(crate) fn new(writer: Arc<dyn SocketWriter>, format: ReplyFormat) -> Self {
        Self {
            writer,
            format,
            state: Mutex::default(),
            published: PublishedStatus::new(),
            watched: AtomicU64::new(0),
            push_slot: CurrentSlot::none(),
            bindings_ended: AtomicU32::new(0),
            last_use: AtomicU64::new(0),
        }
    }

    #[must_use]
    pub(crate) fn format(&self) -> ReplyFormat {
        self.format
    }

    pub(super) fn lock(&self) -> Locked<'_> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Locked { state, published: &self.published }
    }

    /// Holds a reply that `write` appends, until `ticket` is durable and all earlier replies have left. Nothing is
    /// written for a connection that is gone.
    pub(crate) fn reply(&self, ticket: Ticket, tag: Option<Tag>, write: impl FnOnce(&mut Vec<u8>)) {
        self.lock().hold(ticket, tag, write);
    }

    /// Holds a reply that is written later. The thread that settles its delivery status must call `send_replies` then.
    pub(crate) fn reply_later(&self, ticket: Ticket, deferred: DeferredReply) {
        self.lock().hold_deferred(ticket, deferred);
    }

    /// The ticket of the newest reply if it is pending and this queue is not registered for it yet. The caller must
    /// register the queue.
    pub(super) fn unwatched_ticket(&self, tickets: &Tickets) -> Option<Ticket> {
        let newest = self.published.newest_held();
        let is_unwatched = self.watched.load(Ordering::Relaxed) < newest.0
            && tickets.status(newest) == CommitStatus::Pending
            && self.watched.fetch_max(newest.0, Ordering::AcqRel) < newest.0;
        is_unwatched.then_some(newest)
    }

    /// Whether [`SendQueue::flush_ready`] would do anything.
    pub(super) fn can_flush(&self, tickets: &Tickets) -> bool {
        let status = self.status();
        let has_settled = || {
            let oldest = self.published.oldest_held();
            oldest.is_some_and(|ticket| tickets.status(ticket) != CommitStatus::Pending)
        };
        (status.has_ready && !status.is_blocked) || has_settled()
    }

    /// Queues the replies whose tickets are settled, and writes as much as the socket takes.
    pub(super) fn flush_ready(&self, tickets: &Tickets) {
        let mut state = self.lock();
        state.release_settled(tickets, self.format, |_| self.push_slot().is_none());
        self.write(&mut state);
    }

    pub(super) fn push_slot(&self) -> Option<PushSlot> {
        self.push_slot.get()
    }

    /// Holds replies back until [`SendQueue::push_round`]: pushes of a batch leave before the replies of the same one.
    pub(super) fn hold_for_push(&self, slot: PushSlot) {
        self.push_slot.set(slot);
    }

    /// The binding to a user, as a number. What was to be pushed to an earlier one must not be pushed any more.
    pub(super) fn binding(&self) -> u32 {
        self.bindings_ended.load(Ordering::Acquire)
    }

    /// Queues a notification, if the connection asked for its topic. Returns whether the caller has to flush it.
    pub(super) fn notify(&self, notification: &Notification) -> bool {
        let mut state = self.lock();
        state.notify(&*self.writer, self.format, notification) && !std::mem::replace(&mut state.is_listed, true)
    }

    /// Tells the reader that the log has only what it knows up to `after`.
    pub(crate) fn reset(&self, after: Seq) {
        let mut state = self.lock();
        if !state.is_gone() {
            self.format.reset(&mut state.ready, after);
            self.write(&mut state);
        }
    }

    /// Queues messages of a replay, and before them, if there is one, the first number that retention has kept. The
    /// caller bounds the queue.
    pub(super) fn replay(&self, truncated: Option<Seq>, messages: &[StoredMessage]) {
        let mut state = self.lock();
        if state.is_gone() || !state.push.is_subscribed() {
            return;
        }
        if let Some(before) = truncated {
            self.format.truncated(&mut state.ready, before);
        }
        messages.iter().for_each(|message| self.format.push(&mut state.ready, message));
    }

    /// Writes as much as the socket takes.
    pub(crate) fn flush(&self) {
        self.write(&mut self.lock());
    }

    pub(super) fn write(&self, state: &mut QueueState) {
        state.write_out(&*self.writer);
        state.free_written();
    }

    /// Sends what keeps an idle connection open, if nothing waits to be sent.
    pub(crate) fn keep_alive(&self) {
        let mut state = self.lock();
        if !state.is_gone() && !state.is_blocked && state.unwritten() == 0 {
            self.format.keep_alive(&mut state.ready);
            self.write(&mut state);
        }
    }

    /// Writes as much as the socket takes, now that it is writable again.
    pub(crate) fn unblock(&self) {
        let mut state = self.lock();
        state.is_blocked = false;
        self.write(&mut state);
    }

    /// The state of the queue. Takes no lock.
    #[must_use]
    pub(crate) fn status(&self) -> QueueStatus {
        self.published.status()
    }

    /// How many replies wait for a commit, also while some are being written: by the time that a client has read them the
    /// status may not be published yet.
    #[must_use]
    pub(crate) fn held_replies(&self) -> usize {
        self.lock().status().backlog.requests
    }

    /// Registers the connection's task, which is woken when the socket is full or gone, when a lag is over, and when the
    /// connection is to end.
    pub(crate) fn set_task(&self, waker: &Waker) {
        self.lock().set_waker(waker);
    }

    /// Waits for a status that sending brings about. Only the connection's task may wait.
    pub(crate) fn poll_until(&self, is_reached: impl Fn(QueueStatus) -> bool, context: &Context<'_>) -> Poll<()> {
        if is_reached(self.status()) {
            return Poll::Ready(());
        }
        let mut state = self.lock();
        if is_reached(state.status()) {
            return Poll::Ready(());
        }
        state.set_waker(context.waker());
        state.is_awaited = true;
        Poll::Pending
    }

    /// Waits until less waits than `limit`, or the socket is gone. Only the connection's task may wait.
    pub(crate) async fn wait_until_below(&self, limit: Backlog) {
        let is_reached = |status: QueueStatus| status.is_gone || status.backlog.is_below(limit);
        poll_fn(|context| self.poll_until(is_reached, context)).await;
    }

    /// Ends the connection, for the first reason that is given. Its task sends the reason.
    pub(crate) fn close(&self, ending: ConnectionEnd) {
        let mut state = self.lock();
        if ending == ConnectionEnd::Gone {
            state.abandon();
        }
        state.ending.get_or_insert(ending);
        state.wake();
    }

    /// How the connection is to end.
    #[must_use]
    pub(crate) fn ending(&self) -> Option<ConnectionEnd> {
        if self.status().is_closing { self.lock().ending } else { None }
    }

    /// Pushes messages after `after` from now on.
    pub(super) fn listen(&self, after: Seq, topics: Topics) {
        let mut state = self.lock();
        state.push = PushState::live(after, topics);
        state.joining = None;
    }

    /// Collects messages after `after`, to be pushed once [`SendQueue::finish_joining`] is called.
    pub(super) fn begin_joining(&self, after: Seq, topics: Topics) {
        let mut state = self.lock();
        state.push = PushState::live(after, topics);
        state.joining = Some(Box::default());
    }

    /// Queues the pushes that were collected, and pushes live from now on. Returns false if some of them had no room:
    /// then they are discarded, and the replay goes on.
    pub(super) fn finish_joining(&self) -> bool {
        let mut state = self.lock();
        let Some(joining) = state.joining.take() else { return true };
        let JoiningPushes { frames, newest, has_overflowed } = *joining;
        if has_overflowed {
            state.push = PushState::replaying();
            return false;
        }
        state.ready.extend_from_slice(&frames);
        if let Some(newest) = newest {
            state.push.set_queued(newest);
        }
        true
    }

    /// Ends pushing as if the queue had overflowed after `after`: the reader is told (PROTOCOL §7).
    pub(super) fn listen_lagging(&self, after: Seq, topics: Topics) {
        let mut state = self.lock();
        state.push = PushState::live(after, topics);
        state.push.lag();
        self.write(&mut state);
    }

    /// Skips, in what is pushed to a text connection, messages that its reader has read in another way.
    pub(crate) fn mark_read(&self, upto: Seq) {
        if self.format.is_text() {
            self.lock().push.mark_read(upto);
        }
    }

    pub(super) fn watches_presence(&self) -> bool {
        self.lock().push.topics().presence
    }

    /// Whether it is pushed to. It begins to be under the lock of the presence.
    pub(super) fn is_listening(&self) -> bool {
        self.status().is_listening
    }

    /// Whether the queue has room for many pushes.
    pub(super) fn has_push_room(&self) -> bool {
        self.lock().unwritten() <= PUSH_BYTES / 2
    }

    pub(crate) fn stop_listening(&self) {
        let mut state = self.lock();
        state.push = PushState::default();
        state.joining = None;
    }

    /// The peer sent something, or closed: at a text listener it has taken what was written so far. A write alone tells
    /// nothing: a kernel takes bytes for a peer that is dead.
    pub(crate) fn hear(&self) {
        if self.format.is_text() {
            self.lock().push.set_taken();
        }
    }

    /// The range of messages that a text connection has taken since the last call. A JSON subscription does not count as
    /// reading.
    pub(super) fn take_read_range(&self) -> Option<(Seq, Seq)> {
        if self.format.is_text() { self.lock().push.take_range() } else { None }
    }

    /// Tells a reader that lagged, and has taken everything, that pushes were left out. A text connection is pushed to
    /// again, from `after` on; a JSON client subscribes again from where it was (PROTOCOL §7).
    pub(super) fn recover(&self, after: Seq) {
        let mut state = self.lock();
        if !state.status().is_drained_after_lag || state.is_gone() {
            return;
        }
        let newest = state.push.queued();
        self.format.lagged(&mut state.ready, newest);
        state.push = if self.format.is_text() { state.push.resumed(after) } else { PushState::default() };
    }
}
