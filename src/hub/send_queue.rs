//! One connection's way out: replies that wait for the disk, then bytes that wait for the socket.
//!
//! Replies leave in request order, each not before what it shows is durable; pushes leave as they come. Nothing here
//! waits: whoever has something to send writes what the socket takes at once, and the connection's own task does the
//! rest when the socket is writable again.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use crate::chat::{Notification, StoredMessage, Topics};
use crate::hub::deferred_reply::DeferredReply;
use crate::hub::push_state::PushState;
use crate::hub::queue_state::{Backlog, HeldReply, QueueState};
use crate::hub::socket_writer::{ConnectionEnd, SocketWriter};
use crate::hub::tickets::{Ticket, Tickets};
use crate::id::Seq;
use crate::limits::PUSH_BYTES;
use crate::time::Time;
use crate::wire::{ReplyFormat, Tag};

/// One connection's way out.
pub struct SendQueue {
    writer: Arc<dyn SocketWriter>,
    format: ReplyFormat,
    queue: Mutex<QueueState>,
    /// When a connection without a session last sent anything, in milliseconds.
    last_heard: AtomicU64,
    authenticated: AtomicBool,
    /// Which of the courier's rounds is for this connection.
    push_slot: AtomicUsize,
}

/// No courier is to come.
const NO_SLOT: usize = usize::MAX;

/// A connection's end of a courier's push_slot.
pub(super) struct PushGuard<'a> {
    send_queue: &'a SendQueue,
    queue: &'a mut QueueState,
}

impl SendQueue {
    /// The way out to `writer`, for replies in `format`.
    #[must_use]
    pub fn new(writer: Arc<dyn SocketWriter>, format: ReplyFormat) -> Self {
        Self {
            writer,
            format,
            queue: Mutex::default(),
            last_heard: AtomicU64::new(Time::now().0),
            authenticated: AtomicBool::new(false),
            push_slot: AtomicUsize::new(NO_SLOT),
        }
    }

    /// In which style the connection is answered.
    #[must_use]
    pub fn format(&self) -> ReplyFormat {
        self.format
    }

    fn queue(&self) -> MutexGuard<'_, QueueState> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in a reply that `write` appends, to leave once `ticket` is durable and all earlier ones have left.
    pub fn reply(&self, ticket: Ticket, tag: Option<Tag>, write: impl FnOnce(&mut Vec<u8>)) {
        let mut queue = self.queue();
        let start = queue.held.len();
        write(&mut queue.held);
        let length = queue.held.len() - start;
        queue.replies.push_back(HeldReply { ticket, tag, length, deferred: None });
    }

    /// Takes in a reply that is written later. Whoever settles the fate sees to it that it leaves.
    pub fn reply_later(&self, ticket: Ticket, deferred: DeferredReply) {
        let tag = deferred.context.tag.clone();
        self.queue().replies.push_back(HeldReply { ticket, tag, length: 0, deferred: Some(Box::new(deferred)) });
    }

    /// Lets the replies leave whose tickets are settled, as far as the socket takes them.
    ///
    /// Returns the ticket that the newest reply waits for, once: whoever gets it sees to it that this is called again
    /// when that is settled.
    #[must_use]
    pub(super) fn flush_ready(&self, tickets: &Tickets) -> Option<Ticket> {
        let mut queue = self.queue();
        queue.release_settled(tickets, self.format, || self.push_slot().is_none());
        self.write(&mut queue);
        let open = queue.replies.iter().map(|reply| reply.ticket).max()?;
        (open > std::mem::replace(&mut queue.expected, open)).then_some(open)
    }

    /// Takes in what a courier has for the connection, with the replies that are settled, and writes what the socket
    /// takes. It lends room for that.
    pub(super) fn push_batch(&self, room: &mut Vec<u8>, tickets: &Tickets, hand: impl FnOnce(&mut PushGuard<'_>)) {
        let mut queue = self.queue();
        self.push_slot.store(NO_SLOT, Ordering::Relaxed);
        let is_used = queue.use_scratch(room);
        hand(&mut PushGuard { send_queue: self, queue: &mut queue });
        queue.release_settled(tickets, self.format, || true);
        queue.write_out(&*self.writer);
        if is_used { queue.return_scratch(room) } else { queue.shrink_if_idle() }
    }

    /// The courier's push_slot that is for this connection, where there is one.
    pub(super) fn push_slot(&self) -> Option<usize> {
        let push_slot = self.push_slot.load(Ordering::Relaxed);
        (push_slot != NO_SLOT).then_some(push_slot)
    }

    /// Notes that a courier is to come. Until then no reply leaves that is settled later: what is pushed comes before.
    pub(super) fn hold_for_push(&self, push_slot: usize) {
        self.push_slot.store(push_slot, Ordering::Relaxed);
    }

    /// Whether the queue is far from running over.
    pub(super) fn has_room(&self) -> bool {
        self.queue().backlog() <= PUSH_BYTES / 2
    }

    /// Puts a notice into the queue, if the connection asked for its kind.
    ///
    /// Returns whether the caller is the one to flush it.
    pub(super) fn notify(&self, notification: &Notification) -> bool {
        let mut queue = self.queue();
        queue.notify(&*self.writer, self.format, notification) && !std::mem::replace(&mut queue.listed, true)
    }

    /// Puts what was pushed before this connection listened into the queue. The caller sees to it that the queue
    /// does not grow.
    pub(super) fn replay(&self, message: &StoredMessage) {
        self.format.push(&mut self.queue().ready, message);
    }

    /// Puts into the queue, ahead of a replay, that some of what it would show was removed.
    pub(super) fn tell_truncated(&self, before: Seq) {
        self.format.truncated(&mut self.queue().ready, before);
    }

    /// Writes what the socket takes.
    pub fn flush(&self) {
        self.write(&mut self.queue());
    }

    fn write(&self, queue: &mut QueueState) {
        queue.write_out(&*self.writer);
        queue.shrink_if_idle();
    }

    /// Writes what the socket takes, now that it takes some again.
    pub fn unblock(&self) {
        let mut queue = self.queue();
        queue.blocked = false;
        self.write(&mut queue);
    }

    /// Whether the socket takes no more for now.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.queue().blocked
    }

    /// What waits to leave.
    #[must_use]
    pub fn waiting(&self) -> Backlog {
        self.queue().waiting()
    }

    /// Whether what waits to leave is little enough. If not, the connection's task is woken when some has left.
    #[must_use]
    pub fn has_left(&self, little_enough: impl Fn(Backlog) -> bool) -> bool {
        let mut queue = self.queue();
        let enough = little_enough(queue.waiting());
        queue.awaited |= !enough;
        enough
    }

    /// Waits until something changed that the connection's task should look at. Only that task waits here.
    pub async fn woken(&self) {
        poll_fn(|context| self.poll_woken(context)).await;
    }

    /// Does the same, for a task that waits for other things too.
    pub fn poll_woken(&self, context: &mut Context<'_>) -> Poll<()> {
        self.queue().poll_woken(context)
    }

    /// Ends the connection; its task says the last words.
    pub fn close(&self, ending: ConnectionEnd) {
        let mut queue = self.queue();
        queue.ending.get_or_insert(ending);
        queue.wake();
    }

    /// Whether and how the connection is to end.
    #[must_use]
    pub fn ending(&self) -> Option<ConnectionEnd> {
        self.queue().ending
    }

    /// Records the time at which a connection without a session sent something.
    pub fn touch(&self) {
        if !self.authenticated.load(Ordering::Relaxed) {
            self.last_heard.store(Time::now().0, Ordering::Relaxed);
        }
    }

    /// When a connection without a session last sent something; `None` for one with a session.
    #[must_use]
    pub fn unauthenticated_since(&self) -> Option<Time> {
        let authenticated = self.authenticated.load(Ordering::Relaxed);
        (!authenticated).then(|| Time(self.last_heard.load(Ordering::Relaxed)))
    }

    /// Sets whether the connection has a session. One that has none may be evicted.
    pub fn set_authenticated(&self, authenticated: bool) {
        self.authenticated.store(authenticated, Ordering::Relaxed);
    }

    /// Begins to push what comes after `after`.
    pub(super) fn listen(&self, after: Seq, topics: Topics) {
        self.queue().push = PushState::live(after, topics);
    }

    /// Leaves out of what is pushed to a person at a terminal what that person has read in another way.
    pub fn mark_read(&self, upto: Seq) {
        if self.format == ReplyFormat::Text {
            self.queue().push.skip_to(upto);
        }
    }

    /// Whether the reader wants to be told who comes and goes.
    pub(super) fn watches(&self) -> bool {
        self.queue().push.topics().presence
    }

    /// Whether messages are pushed at all.
    pub(super) fn is_listening(&self) -> bool {
        self.queue().push.is_live()
    }

    /// Ends pushing.
    pub fn stop_listening(&self) {
        self.queue().push = PushState::default();
    }

    /// The interval that a person at a terminal got pushed since this was last asked. A program's subscription does
    /// not count as reading.
    pub(super) fn take_read_range(&self) -> Option<(Seq, Seq)> {
        if self.format == ReplyFormat::Text { self.queue().push.take_left() } else { None }
    }

    /// Ends what the connection had from its session, and gives what was read live. Only while its place in the
    /// presence is being taken away: a new binding must not suffer from the end of the old one.
    pub(super) fn end_binding(&self) -> Option<(Seq, Seq)> {
        let read = self.take_read_range();
        self.stop_listening();
        self.set_authenticated(false);
        read
    }

    /// Tells a reader that lagged, and has taken everything, what was left out. A person is pushed to again, from
    /// `after` on; a program subscribes again from where it was (PROTOCOL §7).
    pub(super) fn recover(&self, after: Seq) {
        let mut queue = self.queue();
        if !queue.push.is_lagging() || queue.backlog() > 0 {
            return;
        }
        let newest = queue.push.pushed();
        self.format.lagged(&mut queue.ready, newest);
        queue.push = if self.format == ReplyFormat::Text { queue.push.resumed(after) } else { PushState::default() };
    }

    /// Whether the queue ran over and is empty again.
    #[must_use]
    pub fn wants_recovery(&self) -> bool {
        let queue = self.queue();
        queue.push.is_lagging() && queue.backlog() == 0
    }
}

impl PushGuard<'_> {
    /// How the connection is written to.
    pub(super) fn format(&self) -> ReplyFormat {
        self.send_queue.format
    }

    /// Whether the connection listens to messages of this number.
    pub(super) fn wants(&self, seq: Seq) -> bool {
        self.queue.push.wants(seq)
    }

    /// Takes a message in.
    pub(super) fn push(&mut self, seq: Seq, frame: &[u8]) {
        self.queue.push(&*self.send_queue.writer, seq, frame);
    }

    /// Takes a notice in, where the connection asked for its kind.
    pub(super) fn notify(&mut self, notification: &Notification) {
        self.queue.notify(&*self.send_queue.writer, self.send_queue.format, notification);
    }
}
