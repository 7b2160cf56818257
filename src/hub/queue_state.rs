//! What waits to leave one connection. Whoever holds the lock of it decides what leaves; nothing here waits.

use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll, Waker};

use crate::chat::Notification;
use crate::hub::deferred_reply::DeferredReply;
use crate::hub::push_state::PushState;
use crate::hub::socket_writer::{ConnectionEnd, SocketWriter};
use crate::hub::tickets::{CommitStatus, Ticket, Tickets};
use crate::id::Seq;
use crate::limits::{IDLE_BUFFER_BYTES, PUSH_BYTES};
use crate::wire::{ReplyFormat, Tag};

/// Replies that wait for the disk, then bytes that wait for the socket.
#[derive(Default)]
pub(super) struct QueueState {
    /// Replies not yet released, one after the other.
    pub(super) held: Vec<u8>,
    /// Where each of them ends, and what it waits for.
    pub(super) replies: VecDeque<HeldReply>,
    /// The newest ticket that somebody watches for this outbox.
    pub(super) expected: Ticket,
    /// What may leave.
    pub(super) ready: Vec<u8>,
    /// How much of `ready` has left.
    written: usize,
    /// The socket takes no more for now; the connection's task waits until it does.
    pub(super) blocked: bool,
    /// The connection's task waits until something left.
    pub(super) awaited: bool,
    /// Somebody has this outbox on a list of those to flush.
    pub(super) listed: bool,
    pub(super) push: PushState,
    pub(super) ending: Option<ConnectionEnd>,
    /// The connection's task has something to look at: the socket is full, what it waits for has left, or it is to end.
    woken: bool,
    waker: Option<Waker>,
}

/// A reply, and what it waits for.
pub(super) struct HeldReply {
    pub(super) ticket: Ticket,
    pub(super) tag: Option<Tag>,
    pub(super) length: usize,
    pub(super) deferred: Option<Box<DeferredReply>>,
}

/// What waits to leave a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Replies that wait for the disk.
    pub requests: usize,
    /// Bytes that wait for the disk or the socket.
    pub bytes: usize,
}

impl QueueState {
    pub(super) fn wake(&mut self) {
        self.woken = true;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    pub(super) fn poll_woken(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::take(&mut self.woken) {
            return Poll::Ready(());
        }
        match &mut self.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    pub(super) fn waiting(&self) -> Backlog {
        Backlog { requests: self.replies.len(), bytes: self.held.len() + self.backlog() }
    }

    /// Takes a message in, where the connection listens and has room.
    pub(super) fn push(&mut self, writer: &dyn SocketWriter, seq: Seq, frame: &[u8]) {
        if self.take_push(writer, frame) {
            self.push.note_pushed(seq);
        }
    }

    /// Takes a notice in, where the connection asked for its kind and has room. Returns whether it did.
    pub(super) fn notify(
        &mut self,
        writer: &dyn SocketWriter,
        format: ReplyFormat,
        notification: &Notification,
    ) -> bool {
        if !self.push.wants_notice(notification) {
            return false;
        }
        let mut frame = Vec::new();
        format.notify(&mut frame, notification);
        self.take_push(writer, &frame)
    }

    /// Takes a pushed frame in. Where that is too much even after the socket took what it takes, the reader lags.
    fn take_push(&mut self, writer: &dyn SocketWriter, frame: &[u8]) -> bool {
        if !self.fits(frame) && !self.blocked && self.write(writer) {
            self.wake();
        }
        let fits = self.fits(frame);
        if fits {
            self.ready.extend_from_slice(frame);
        } else {
            self.push.lag();
        }
        fits
    }

    fn fits(&self, frame: &[u8]) -> bool {
        self.backlog() + frame.len() <= PUSH_BYTES
    }

    pub(super) fn backlog(&self) -> usize {
        self.ready.len() - self.written
    }

    /// Moves settled replies from `held` to `ready`, while `may_leave`. What a failed one says did not come to be: an
    /// error leaves instead.
    pub(super) fn release_settled(&mut self, tickets: &Tickets, format: ReplyFormat, may_leave: impl Fn() -> bool) {
        let mut taken = 0;
        while let Some(reply) = self.replies.front() {
            match tickets.status(reply.ticket) {
                CommitStatus::Pending => break,
                _ if !may_leave() => break,
                CommitStatus::Durable if reply.deferred.is_some() => {
                    let is_written =
                        reply.deferred.as_ref().is_some_and(|deferred| deferred.write(&mut self.ready, format));
                    if !is_written {
                        break;
                    }
                }
                CommitStatus::Durable => {
                    let reply = self.held.get(taken..taken + reply.length).unwrap_or_default();
                    self.ready.extend_from_slice(reply);
                }
                CommitStatus::Failed(error) => format.refuse(&mut self.ready, reply.tag.as_ref(), error),
            }
            taken += reply.length;
            self.replies.pop_front();
        }
        self.held.drain(..taken);
        if self.replies.is_empty() {
            shrink(&mut self.held);
            self.replies.shrink_to(IDLE_BUFFER_BYTES / size_of::<HeldReply>());
        }
    }

    /// Writes what goes, and wakes the connection's task where it has to look.
    pub(super) fn write_out(&mut self, writer: &dyn SocketWriter) {
        self.listed = false;
        let has_to_look = !self.blocked && self.write(writer);
        if std::mem::take(&mut self.awaited) || has_to_look {
            self.wake();
        }
    }

    /// Lends room for what is to leave, where there is none that is in use. Returns whether it did.
    pub(super) fn use_scratch(&mut self, room: &mut Vec<u8>) -> bool {
        let is_used = self.ready.is_empty();
        if is_used {
            std::mem::swap(&mut self.ready, room);
        }
        is_used
    }

    /// Gives borrowed room back; what did not leave keeps room of its own.
    pub(super) fn return_scratch(&mut self, room: &mut Vec<u8>) {
        std::mem::swap(&mut self.ready, room);
        self.ready.extend_from_slice(room.get(self.written..).unwrap_or_default());
        self.written = 0;
        room.clear();
    }

    /// An idle connection holds next to nothing.
    pub(super) fn shrink_if_idle(&mut self) {
        shrink(&mut self.ready);
    }

    /// Writes what goes; true where the connection's task has to look, for the socket is full or gone.
    fn write(&mut self, writer: &dyn SocketWriter) -> bool {
        while self.backlog() > 0 {
            match writer.try_write(self.ready.get(self.written..).unwrap_or_default()) {
                Ok(count) if count > 0 => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.blocked = true;
                    return true;
                }
                Ok(_) | Err(_) => {
                    self.ending = Some(ConnectionEnd::Gone);
                    return true;
                }
            }
        }
        self.written = 0;
        self.ready.clear();
        self.push.note_left();
        self.push.is_lagging()
    }
}

fn shrink(buffer: &mut Vec<u8>) {
    if buffer.is_empty() && buffer.capacity() > IDLE_BUFFER_BYTES {
        *buffer = Vec::new();
    }
}
