//! The state of a send queue, under its lock. Nothing here waits.

use std::collections::VecDeque;
use std::io;
use std::task::Waker;

use crate::chat::{Notification, SessionEnd};
use crate::hub::deferred_reply::DeferredReply;
use crate::hub::push_state::PushState;
use crate::hub::queue_status::{Backlog, QueueStatus};
use crate::hub::socket_writer::{ConnectionEnd, SocketWriter};
use crate::hub::tickets::{CommitStatus, Ticket, Tickets};
use crate::id::Seq;
use crate::limits::{IDLE_BUFFER_BYTES, PUSH_BYTES};
use crate::wire::{ReplyFormat, Tag};

/// Replies that wait for a commit, then bytes that wait for the socket.
#[derive(Default)]
pub(super) struct QueueState {
    /// The bytes of the held replies, one after the other.
    held: Vec<u8>,
    replies: VecDeque<HeldReply>,
    /// The newest ticket that any reply was held for.
    newest_held: Ticket,
    /// Bytes for the socket.
    pub(super) ready: Vec<u8>,
    /// How many of them were written.
    written: usize,
    pub(super) is_blocked: bool,
    /// The connection's task waits until something was sent.
    pub(super) is_awaited: bool,
    /// Another thread has this queue on its list of those to flush.
    pub(super) is_listed: bool,
    pub(super) push: PushState,
    pub(super) joining: Option<Box<JoiningPushes>>,
    pub(super) ending: Option<ConnectionEnd>,
    /// Why the session ended that the connection was attached to last.
    pub(super) session_end: Option<SessionEnd>,
    /// Of the connection's task. Stays registered: a task keeps its waker.
    waker: Option<Waker>,
    must_wake: bool,
}

pub(super) struct HeldReply {
    pub(super) ticket: Ticket,
    pub(super) tag: Option<Tag>,
    pub(super) length: usize,
    pub(super) deferred: Option<Box<DeferredReply>>,
}

/// Pushes that are kept back until the replay before them has been queued (PROTOCOL §7).
#[derive(Default)]
pub(super) struct JoiningPushes {
    pub(super) frames: Vec<u8>,
    pub(super) newest: Option<Seq>,
    /// There was no room for one of them, and for none after it.
    pub(super) has_overflowed: bool,
}

impl QueueState {
    /// Wakes the connection's task once the status is published. The task reads that without the lock, so one that was
    /// woken before would see nothing to do and sleep on.
    pub(super) fn wake(&mut self) {
        self.must_wake = true;
    }

    /// Wakes the task if [`QueueState::wake`] was called.
    pub(super) fn wake_task(&mut self) {
        if std::mem::take(&mut self.must_wake)
            && let Some(waker) = &self.waker
        {
            waker.wake_by_ref();
        }
    }

    pub(super) fn set_waker(&mut self, waker: &Waker) {
        match &mut self.waker {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    pub(super) fn status(&self) -> QueueStatus {
        QueueStatus {
            backlog: Backlog { requests: self.replies.len(), bytes: self.held.len() + self.unwritten() },
            is_gone: self.is_gone(),
            is_closing: self.ending.is_some(),
            is_blocked: self.is_blocked,
            has_ready: self.unwritten() > 0,
            is_drained_after_lag: self.push.is_lagging() && self.unwritten() == 0,
            is_listening: self.push.is_live(),
        }
    }

    pub(super) fn held_tickets(&self) -> (Option<Ticket>, Ticket) {
        (self.replies.front().map(|reply| reply.ticket), self.newest_held)
    }

    pub(super) fn is_gone(&self) -> bool {
        self.ending == Some(ConnectionEnd::Gone)
    }

    /// The bytes for the socket that were not written yet.
    pub(super) fn unwritten(&self) -> usize {
        self.ready.len() - self.written
    }

    /// Holds a reply that `write` appends. A connection that is gone gets none.
    pub(super) fn hold(&mut self, ticket: Ticket, tag: Option<Tag>, write: impl FnOnce(&mut Vec<u8>)) {
        if self.is_gone() {
            return;
        }
        let start = self.held.len();
        write(&mut self.held);
        let length = self.held.len() - start;
        self.hold_reply(HeldReply { ticket, tag, length, deferred: None });
    }

    pub(super) fn hold_deferred(&mut self, ticket: Ticket, deferred: DeferredReply) {
        if !self.is_gone() {
            let tag = deferred.context.tag.clone();
            self.hold_reply(HeldReply { ticket, tag, length: 0, deferred: Some(Box::new(deferred)) });
        }
    }

    fn hold_reply(&mut self, reply: HeldReply) {
        self.newest_held = self.newest_held.max(reply.ticket);
        self.replies.push_back(reply);
    }

    /// Queues a message for a connection that listens, if there is room.
    pub(super) fn push(&mut self, writer: &dyn SocketWriter, seq: Seq, frame: &[u8]) {
        if let Some(joining) = &mut self.joining {
            if joining.take(frame) {
                joining.newest = Some(seq);
            }
        } else if self.queue_push(writer, frame) {
            self.push.set_queued(seq);
        }
    }

    /// Queues a notification, if the connection asked for its topic and there is room. Returns whether it did.
    pub(super) fn notify(&mut self, writer: &dyn SocketWriter, format: ReplyFormat, what: &Notification) -> bool {
        if !self.push.wants_notification(what) {
            return false;
        }
        let mut frame = Vec::new();
        format.notify(&mut frame, what);
        match &mut self.joining {
            Some(joining) => {
                joining.take(&frame);
                false
            }
            None => self.queue_push(writer, &frame),
        }
    }

    /// Queues a pushed frame. If there is no room even after a write, the reader lags.
    fn queue_push(&mut self, writer: &dyn SocketWriter, frame: &[u8]) -> bool {
        if !self.fits(frame) && !self.is_blocked && self.write(writer) {
            self.wake();
        }
        let fits = self.fits(frame) && !self.is_gone();
        if fits {
            self.ready.extend_from_slice(frame);
        } else {
            self.push.lag();
        }
        fits
    }

    fn fits(&self, frame: &[u8]) -> bool {
        self.unwritten() + frame.len() <= PUSH_BYTES
    }

    /// Moves durable replies from `held` to `ready`, while `may_leave`. A reply whose batch failed is replaced by an
    /// error.
    pub(super) fn release_settled(
        &mut self,
        tickets: &Tickets,
        format: ReplyFormat,
        may_leave: impl Fn(Ticket) -> bool,
    ) {
        let mut taken = 0;
        while let Some(reply) = self.replies.front() {
            let ticket = reply.deferred.as_ref().map_or(Some(reply.ticket), |deferred| deferred.ticket(reply.ticket));
            let Some(ticket) = ticket else { break };
            match tickets.status(ticket) {
                CommitStatus::Pending => break,
                _ if !may_leave(ticket) => break,
                CommitStatus::Durable => match &reply.deferred {
                    Some(deferred) if !deferred.write(&mut self.ready, format) => break,
                    Some(_) => {}
                    None => {
                        let bytes = self.held.get(taken..taken + reply.length).unwrap_or_default();
                        self.ready.extend_from_slice(bytes);
                    }
                },
                CommitStatus::Failed(error) => format.fail(&mut self.ready, reply.tag.as_ref(), error),
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

    /// Writes as much as the socket takes, and wakes the connection's task if it waits for that or has to act.
    pub(super) fn write_out(&mut self, writer: &dyn SocketWriter) {
        self.is_listed = false;
        let must_act = !self.is_blocked && self.write(writer);
        if std::mem::take(&mut self.is_awaited) || must_act {
            self.wake();
        }
    }

    /// Swaps the scratch buffer in for `ready` if that is empty. Returns whether it did.
    pub(super) fn use_scratch(&mut self, scratch: &mut Vec<u8>) -> bool {
        let is_used = self.ready.is_empty();
        if is_used {
            std::mem::swap(&mut self.ready, scratch);
        }
        is_used
    }

    /// Returns the scratch buffer; bytes that were not written are copied to a buffer of the queue's own.
    pub(super) fn return_scratch(&mut self, scratch: &mut Vec<u8>) {
        std::mem::swap(&mut self.ready, scratch);
        self.ready.extend_from_slice(scratch.get(self.written..).unwrap_or_default());
        self.written = 0;
        scratch.clear();
    }

    /// Frees what was written once it is the larger half, which costs less than it did to write it: what waits for a reader is
    /// counted, and what was written is not. An idle connection keeps no large buffer.
    pub(super) fn free_written(&mut self) {
        if self.written > self.ready.len() / 2 {
            self.ready = self.ready.split_off(self.written);
            self.written = 0;
        }
        shrink(&mut self.ready);
    }

    /// Discards everything: the socket is gone.
    pub(super) fn abandon(&mut self) {
        self.ending = Some(ConnectionEnd::Gone);
        self.written = 0;
        self.ready = Vec::new();
        self.held = Vec::new();
        self.replies = VecDeque::new();
        self.joining = None;
        self.push.lag_if_live();
    }

    /// Writes as much as the socket takes. Returns whether the connection's task has to act: the socket is full or
    /// gone, or the reader is to be told that it lagged.
    fn write(&mut self, writer: &dyn SocketWriter) -> bool {
        while self.unwritten() > 0 {
            match writer.try_write(self.ready.get(self.written..).unwrap_or_default()) {
                Ok(count) if count > 0 => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.is_blocked = true;
                    return true;
                }
                Ok(_) | Err(_) => {
                    self.abandon();
                    return true;
                }
            }
        }
        self.written = 0;
        self.ready.clear();
        self.push.set_all_written();
        self.push.is_lagging()
    }
}

impl JoiningPushes {
    fn take(&mut self, frame: &[u8]) -> bool {
        self.has_overflowed |= self.frames.len() + frame.len() > PUSH_BYTES;
        if !self.has_overflowed {
            self.frames.extend_from_slice(frame);
        }
        !self.has_overflowed
    }
}

fn shrink(buffer: &mut Vec<u8>) {
    if buffer.is_empty() && buffer.capacity() > IDLE_BUFFER_BYTES {
        *buffer = Vec::new();
    }
}
