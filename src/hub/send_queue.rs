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
use crate::hub::queue_state::{HeldReply, QueueState};
use crate::hub::socket_writer::{ConnectionEnd, SocketWriter};
use crate::hub::tickets::{Ticket, Tickets};
use crate::id::Seq;
use crate::limits::PUSH_BYTES;
use crate::time::Time;
use crate::wire::{ReplyFormat, Tag};

/// One connection's way out.
pub struct SendQueue {
    sink: Arc<dyn SocketWriter>,
    format: ReplyFormat,
    queue: Mutex<QueueState>,
    /// When a stranger (a connection without a session) was last heard, in milliseconds.
    heard: AtomicU64,
    stranger: AtomicBool,
    /// Which of the courier's rounds is for this connection.
    round: AtomicUsize,
}

/// No courier is to come.
const NO_ROUND: usize = usize::MAX;

/// A connection's end of a courier's round.
pub(super) struct PushGuard<'a> {
    send_queue: &'a SendQueue,
    queue: &'a mut QueueState,
}

/// What waits to leave a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Replies that wait for the disk.
    pub requests: usize,
    /// Bytes that wait for the disk or the socket.
    pub bytes: usize,
}

impl SendQueue {
    /// The way out to `sink`, for replies in `format`.
    #[must_use]
    pub fn new(sink: Arc<dyn SocketWriter>, format: ReplyFormat) -> Self {
        Self {
            sink,
            format,
            queue: Mutex::default(),
            heard: AtomicU64::new(Time::now().0),
            stranger: AtomicBool::new(true),
            round: AtomicUsize::new(NO_ROUND),
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
        queue.marks.push_back(HeldReply { ticket, tag, length, late: None });
    }

    /// Takes in a reply that is written later. Whoever settles the fate sees to it that it leaves.
    pub fn reply_later(&self, ticket: Ticket, late: DeferredReply) {
        let tag = late.context.tag.clone();
        self.queue().marks.push_back(HeldReply { ticket, tag, length: 0, late: Some(Box::new(late)) });
    }

    /// Lets the replies leave whose tickets are settled, as far as the socket takes them.
    ///
    /// Returns the ticket that the newest reply waits for, once: whoever gets it sees to it that this is called again
    /// when that is settled.
    #[must_use]
    pub(super) fn leave(&self, tickets: &Tickets) -> Option<Ticket> {
        let mut queue = self.queue();
        queue.release(tickets, self.format, || self.round().is_none());
        self.write(&mut queue);
        let open = queue.marks.iter().map(|mark| mark.ticket).max()?;
        (open > std::mem::replace(&mut queue.expected, open)).then_some(open)
    }

    /// Takes in what a courier has for the connection, with the replies that are settled, and writes what the socket
    /// takes. It lends room for that.
    pub(super) fn receive(&self, room: &mut Vec<u8>, tickets: &Tickets, hand: impl FnOnce(&mut PushGuard<'_>)) {
        let mut queue = self.queue();
        self.round.store(NO_ROUND, Ordering::Relaxed);
        let is_lent = queue.borrow(room);
        hand(&mut PushGuard { send_queue: self, queue: &mut queue });
        queue.release(tickets, self.format, || true);
        queue.leave(&*self.sink);
        if is_lent { queue.repay(room) } else { queue.give_back() }
    }

    /// The courier's round that is for this connection, where there is one.
    pub(super) fn round(&self) -> Option<usize> {
        let round = self.round.load(Ordering::Relaxed);
        (round != NO_ROUND).then_some(round)
    }

    /// Notes that a courier is to come. Until then no reply leaves that is settled later: what is pushed comes before.
    pub(super) fn expect(&self, round: usize) {
        self.round.store(round, Ordering::Relaxed);
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
        queue.notify(&*self.sink, self.format, notification) && !std::mem::replace(&mut queue.listed, true)
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
        queue.leave(&*self.sink);
        queue.give_back();
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
    pub fn end(&self, ending: ConnectionEnd) {
        let mut queue = self.queue();
        queue.ending.get_or_insert(ending);
        queue.wake();
    }

    /// Whether and how the connection is to end.
    #[must_use]
    pub fn ending(&self) -> Option<ConnectionEnd> {
        self.queue().ending
    }

    /// Notes that the stranger at the other end said something.
    pub fn hear(&self) {
        if self.stranger.load(Ordering::Relaxed) {
            self.heard.store(Time::now().0, Ordering::Relaxed);
        }
    }

    /// When the stranger at the other end was last heard; none for a connection with a session.
    #[must_use]
    pub fn unauthenticated_since(&self) -> Option<Time> {
        let stranger = self.stranger.load(Ordering::Relaxed);
        stranger.then(|| Time(self.heard.load(Ordering::Relaxed)))
    }

    /// Notes whether the other end is a stranger, who may have to make room for others.
    pub fn set_authenticated(&self, stranger: bool) {
        self.stranger.store(stranger, Ordering::Relaxed);
    }

    /// Begins to push what comes after `after`.
    pub(super) fn listen(&self, after: Seq, topics: Topics) {
        self.queue().push = PushState::live(after, topics);
    }

    /// Leaves out of what is pushed to a person at a terminal what that person has read in another way.
    pub fn skip_to(&self, upto: Seq) {
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
    pub(super) fn take_read(&self) -> Option<(Seq, Seq)> {
        if self.format == ReplyFormat::Text { self.queue().push.take_left() } else { None }
    }

    /// Ends what the connection had from its session, and gives what was read live. Only while its place in the
    /// presence is being taken away: a new binding must not suffer from the end of the old one.
    pub(super) fn end_binding(&self) -> Option<(Seq, Seq)> {
        let read = self.take_read();
        self.stop_listening();
        self.set_authenticated(true);
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
        self.queue.push(&*self.send_queue.sink, seq, frame);
    }

    /// Takes a notice in, where the connection asked for its kind.
    pub(super) fn notify(&mut self, notification: &Notification) {
        self.queue.notify(&*self.send_queue.sink, self.send_queue.format, notification);
    }
}
