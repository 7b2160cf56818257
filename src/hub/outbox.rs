//! One connection's way out: replies that wait for the disk, then bytes that wait for the socket.
//!
//! Replies leave in request order, each not before what it shows is durable; pushes leave as they come. Nothing here
//! waits: whoever has something to send writes what the socket takes at once, and the connection's own task does the
//! rest when the socket is writable again.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::chat::{Notice, StoredMessage, Topics};
use crate::hub::late::Late;
use crate::hub::push::Push;
use crate::hub::sink::{Ending, Sink};
use crate::hub::tickets::{Ticket, Tickets, Verdict};
use crate::id::Seq;
use crate::limits::{IDLE_BUFFER_BYTES, PUSH_BYTES};
use crate::time::Time;
use crate::wire::{Style, Tag};

/// One connection's way out.
pub struct Outbox {
    sink: Arc<dyn Sink>,
    style: Style,
    queue: Mutex<Queue>,
    /// When a stranger (a connection without a session) was last heard, in milliseconds.
    heard: AtomicU64,
    stranger: AtomicBool,
}

#[derive(Default)]
struct Queue {
    /// Replies not yet released, one after the other.
    held: Vec<u8>,
    /// Where each of them ends, and what it waits for.
    marks: VecDeque<Mark>,
    /// The newest ticket that somebody watches for this outbox.
    expected: Ticket,
    /// What may leave.
    ready: Vec<u8>,
    /// How much of `ready` has left.
    written: usize,
    /// The socket takes no more for now; the connection's task waits until it does.
    blocked: bool,
    /// The connection's task waits until something left.
    awaited: bool,
    /// Somebody has this outbox on a list of those to flush.
    listed: bool,
    push: Push,
    ending: Option<Ending>,
    /// The connection's task has something to look at: the socket is full, what it waits for has left, or it is to end.
    woken: bool,
    waker: Option<Waker>,
}

struct Mark {
    ticket: Ticket,
    tag: Option<Tag>,
    length: usize,
    late: Option<Box<Late>>,
}

/// What waits to leave a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Replies that wait for the disk.
    pub requests: usize,
    /// Bytes that wait for the disk or the socket.
    pub bytes: usize,
}

impl Outbox {
    /// The way out to `sink`, for replies in `style`.
    #[must_use]
    pub fn new(sink: Arc<dyn Sink>, style: Style) -> Self {
        Self {
            sink,
            style,
            queue: Mutex::default(),
            heard: AtomicU64::new(Time::now().0),
            stranger: AtomicBool::new(true),
        }
    }

    /// In which style the connection is answered.
    #[must_use]
    pub fn style(&self) -> Style {
        self.style
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in a reply that `write` appends, to leave once `ticket` is durable and all earlier ones have left.
    pub fn reply(&self, ticket: Ticket, tag: Option<Tag>, write: impl FnOnce(&mut Vec<u8>)) {
        let mut queue = self.queue();
        let start = queue.held.len();
        write(&mut queue.held);
        let length = queue.held.len() - start;
        queue.marks.push_back(Mark { ticket, tag, length, late: None });
    }

    /// Takes in a reply that is written later. Whoever settles the fate sees to it that it leaves.
    pub fn reply_later(&self, ticket: Ticket, late: Late) {
        let tag = late.heading.tag.clone();
        self.queue().marks.push_back(Mark { ticket, tag, length: 0, late: Some(Box::new(late)) });
    }

    /// Lets the replies leave whose tickets are settled, as far as the socket takes them.
    ///
    /// Returns the ticket that the newest reply waits for, once: whoever gets it sees to it that this is called again
    /// when that is settled.
    #[must_use]
    pub(super) fn leave(&self, tickets: &Tickets) -> Option<Ticket> {
        let mut queue = self.queue();
        queue.release(tickets, self.style);
        self.write(&mut queue);
        let open = queue.marks.iter().map(|mark| mark.ticket).max()?;
        (open > std::mem::replace(&mut queue.expected, open)).then_some(open)
    }

    fn write(&self, queue: &mut Queue) {
        queue.listed = false;
        let has_to_look = !queue.blocked && queue.write(&*self.sink);
        if std::mem::take(&mut queue.awaited) || has_to_look {
            queue.wake();
        }
    }

    /// Puts a message that is durable into the queue, if the connection listens.
    ///
    /// Returns whether the caller is the one to flush it.
    pub(super) fn push(&self, seq: Seq, frame: &[u8]) -> bool {
        let mut queue = self.queue();
        if !queue.push.wants(seq) {
            return false;
        }
        if !self.take_push(&mut queue, frame) {
            return false;
        }
        queue.push.note_pushed(seq);
        !std::mem::replace(&mut queue.listed, true)
    }

    /// Takes a pushed frame in. Where that is too much even after the socket took what it takes, the reader lags.
    fn take_push(&self, queue: &mut Queue, frame: &[u8]) -> bool {
        if !queue.fits(frame) && !queue.blocked && queue.write(&*self.sink) {
            queue.wake();
        }
        let fits = queue.fits(frame);
        if fits {
            queue.ready.extend_from_slice(frame);
        } else {
            queue.push.lag();
        }
        fits
    }

    /// Whether the queue is far from running over.
    pub(super) fn has_room(&self) -> bool {
        self.queue().backlog() <= PUSH_BYTES / 2
    }

    /// Puts a notice into the queue, if the connection asked for its kind.
    ///
    /// Returns whether the caller is the one to flush it.
    pub(super) fn notify(&self, notice: &Notice) -> bool {
        let mut queue = self.queue();
        if !queue.push.wants_notice(notice) {
            return false;
        }
        let mut frame = Vec::new();
        self.style.notify(&mut frame, notice);
        self.take_push(&mut queue, &frame) && !std::mem::replace(&mut queue.listed, true)
    }

    /// Puts what was pushed before this connection listened into the queue. The caller sees to it that the queue
    /// does not grow.
    pub(super) fn replay(&self, message: &StoredMessage) {
        self.style.push(&mut self.queue().ready, message);
    }

    /// Puts into the queue, ahead of a replay, that some of what it would show was removed.
    pub(super) fn tell_truncated(&self, before: Seq) {
        self.style.truncated(&mut self.queue().ready, before);
    }

    /// Writes what the socket takes.
    pub fn flush(&self) {
        self.write(&mut self.queue());
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
    pub fn waiting(&self) -> Waiting {
        self.queue().waiting()
    }

    /// Whether what waits to leave is little enough. If not, the connection's task is woken when some has left.
    #[must_use]
    pub fn has_left(&self, little_enough: impl Fn(Waiting) -> bool) -> bool {
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
    pub fn end(&self, ending: Ending) {
        let mut queue = self.queue();
        queue.ending.get_or_insert(ending);
        queue.wake();
    }

    /// Whether and how the connection is to end.
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
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
    pub fn silent_since(&self) -> Option<Time> {
        let stranger = self.stranger.load(Ordering::Relaxed);
        stranger.then(|| Time(self.heard.load(Ordering::Relaxed)))
    }

    /// Notes whether the other end is a stranger, who may have to make room for others.
    pub fn set_stranger(&self, stranger: bool) {
        self.stranger.store(stranger, Ordering::Relaxed);
    }

    /// Begins to push what comes after `after`.
    pub(super) fn listen(&self, after: Seq, topics: Topics) {
        self.queue().push = Push::live(after, topics);
    }

    /// Leaves out of what is pushed to a person at a terminal what that person has read in another way.
    pub fn skip_to(&self, upto: Seq) {
        if self.style == Style::Text {
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
        self.queue().push = Push::default();
    }

    /// The interval that a person at a terminal got pushed since this was last asked. A program's subscription does
    /// not count as reading.
    pub(super) fn take_read(&self) -> Option<(Seq, Seq)> {
        if self.style == Style::Text { self.queue().push.take_left() } else { None }
    }

    /// Ends what the connection had from its session, and gives what was read live. Only while its place in the
    /// presence is being taken away: a new binding must not suffer from the end of the old one.
    pub(super) fn end_binding(&self) -> Option<(Seq, Seq)> {
        let read = self.take_read();
        self.stop_listening();
        self.set_stranger(true);
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
        self.style.lagged(&mut queue.ready, newest);
        queue.push = if self.style == Style::Text { queue.push.resumed(after) } else { Push::default() };
    }

    /// Whether the queue ran over and is empty again.
    #[must_use]
    pub fn wants_recovery(&self) -> bool {
        let queue = self.queue();
        queue.push.is_lagging() && queue.backlog() == 0
    }
}

impl Queue {
    fn wake(&mut self) {
        self.woken = true;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn poll_woken(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::take(&mut self.woken) {
            return Poll::Ready(());
        }
        match &mut self.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    fn waiting(&self) -> Waiting {
        Waiting { requests: self.marks.len(), bytes: self.held.len() + self.backlog() }
    }

    fn fits(&self, frame: &[u8]) -> bool {
        self.backlog() + frame.len() <= PUSH_BYTES
    }

    fn backlog(&self) -> usize {
        self.ready.len() - self.written
    }

    /// Moves settled replies from `held` to `ready`. What a failed one says did not come to be: an error leaves instead.
    fn release(&mut self, tickets: &Tickets, style: Style) {
        let mut taken = 0;
        while let Some(mark) = self.marks.front() {
            match tickets.verdict(mark.ticket) {
                Verdict::Open => break,
                Verdict::Durable if mark.late.is_some() => {
                    let is_written = mark.late.as_ref().is_some_and(|late| late.write(&mut self.ready, style));
                    if !is_written {
                        break;
                    }
                }
                Verdict::Durable => {
                    let reply = self.held.get(taken..taken + mark.length).unwrap_or_default();
                    self.ready.extend_from_slice(reply);
                }
                Verdict::Failed(refusal) => style.refuse(&mut self.ready, mark.tag.as_ref(), refusal),
            }
            taken += mark.length;
            self.marks.pop_front();
        }
        self.held.drain(..taken);
        if self.marks.is_empty() {
            give_back(&mut self.held);
            self.marks.shrink_to(IDLE_BUFFER_BYTES / size_of::<Mark>());
        }
    }

    /// Writes what goes; true where the connection's task has to look, for the socket is full or gone.
    fn write(&mut self, sink: &dyn Sink) -> bool {
        while self.backlog() > 0 {
            match sink.try_write(self.ready.get(self.written..).unwrap_or_default()) {
                Ok(count) if count > 0 => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.blocked = true;
                    return true;
                }
                Ok(_) | Err(_) => {
                    self.ending = Some(Ending::Gone);
                    return true;
                }
            }
        }
        self.written = 0;
        self.ready.clear();
        give_back(&mut self.ready);
        self.push.note_left();
        self.push.is_lagging()
    }
}

/// An idle connection holds next to nothing.
fn give_back(buffer: &mut Vec<u8>) {
    if buffer.is_empty() && buffer.capacity() > IDLE_BUFFER_BYTES {
        *buffer = Vec::new();
    }
}
