//! Fan-out: collects the pushes of a durable batch for each connection, then queues and writes them in one go.

use std::iter::successors;
use std::sync::Arc;

use crate::chat::{Event, Message, Record, SessionEnd, StoredMessage};
use crate::hub::batch::{Batch, EndedSession, Payload, Push};
use crate::hub::presence::{Attached, Presence};
use crate::hub::send_queue::{PushGuard, SendQueue};
use crate::hub::socket_writer::ConnectionEnd;
use crate::hub::tickets::Tickets;
use crate::id::{Seq, UserId};
use crate::limits::{FRAME_BYTES, PUSH_BYTES, PUSHES_AT_ONCE};
use crate::wire::{DisconnectReason, ReplyFormat};

/// Pushes batches to connections. Each connection is locked and written to once a batch, however much it gets.
#[derive(Default)]
pub(super) struct Fanout {
    connections: Vec<ConnectionPushes>,
    nodes: Vec<PushNode>,
    cache: RenderCache,
    /// Lent to one connection after the other, so that none keeps a large buffer of its own.
    scratch: Vec<u8>,
    /// What text connections had read before their sessions ended: to be recorded.
    pub(super) read_ranges: Vec<(UserId, (Seq, Seq))>,
}

/// The rendered messages of a batch: each once for each format, when the first connection wants it.
#[derive(Default)]
struct RenderCache {
    bytes: Vec<u8>,
    /// The place of each push in `bytes`, for each format.
    made: Vec<[Option<(usize, usize)>; ReplyFormat::COUNT]>,
}

/// The pushes of a batch for one connection: a chain of nodes.
struct ConnectionPushes {
    send_queue: Arc<SendQueue>,
    first: usize,
    last: usize,
}

struct PushNode {
    /// The place of the push in the batch.
    push: usize,
    next: Option<usize>,
}

impl Fanout {
    /// Collects the pushes of a batch for each connection, and appends to the outbox tails. Flushes early at
    /// [`PUSHES_AT_ONCE`].
    pub(super) fn collect(&mut self, batch: &Batch, presence: &mut Presence, tickets: &Tickets) {
        for (place, push) in batch.pushes.iter().enumerate() {
            if let Payload::SessionEnded(ended) = &push.what {
                if presence.is_connected(ended.user, ended.session) {
                    self.flush(batch, tickets);
                    self.end_session(ended, push.origin.as_ref(), presence);
                }
                presence.session_uses.forget(ended.session);
                continue;
            }
            let message = push.message(batch);
            if let Some((record, message)) = message
                && let Some(tail) = message.to.remote_realm().and_then(|realm| presence.outbox_tails.get(&realm))
            {
                tail.push(stored(record, message));
            }
            presence.each_of(&push.audience, |user, send_queue| {
                if push.is_for(user, send_queue, message.map(|(_, message)| message)) {
                    self.enqueue(send_queue, place);
                }
            });
            if self.nodes.len() >= PUSHES_AT_ONCE {
                self.flush(batch, tickets);
            }
        }
    }

    /// Detaches the connections of a session that was closed, once what was pushed to them before has left. The connection
    /// that closed it has its reply.
    fn end_session(&mut self, ended: &EndedSession, origin: Option<&Arc<SendQueue>>, presence: &mut Presence) {
        let EndedSession { session, user, name, end } = ended;
        let left = presence.detach(*user, |attached| attached.session == *session);
        for Attached { send_queue, .. } in &left {
            let is_origin = origin.is_some_and(|origin| Arc::ptr_eq(origin, send_queue));
            let read = if is_origin { send_queue.end_binding() } else { send_queue.end_session(*end) };
            self.read_ranges.extend(read.map(|range| (*user, range)));
            if let Some(reason) = disconnect_reason(*end) {
                send_queue.close(ConnectionEnd::Disconnected(reason));
            }
        }
        if !presence.is_online(*user) {
            presence.notify_watchers(name.clone(), false).iter().for_each(|watcher| watcher.flush());
        }
    }

    fn enqueue(&mut self, send_queue: &Arc<SendQueue>, push: usize) {
        let place = self.nodes.len();
        self.nodes.push(PushNode { push, next: None });
        let Some(pushes) = send_queue.push_slot().and_then(|slot| self.connections.get_mut(slot)) else {
            send_queue.hold_for_push(self.connections.len());
            self.connections.push(ConnectionPushes { send_queue: send_queue.clone(), first: place, last: place });
            return;
        };
        if let Some(last) = self.nodes.get_mut(pushes.last) {
            last.next = Some(place);
        }
        pushes.last = place;
    }

    /// Queues the collected pushes and all durable replies, and writes as much as the sockets take.
    pub(super) fn flush(&mut self, batch: &Batch, tickets: &Tickets) {
        let Self { connections, nodes, cache, scratch, .. } = self;
        for ConnectionPushes { send_queue, first, .. } in connections.drain(..) {
            let chain = successors(nodes.get(first), |node| nodes.get(node.next?));
            send_queue.push_batch(scratch, tickets, |guard| {
                chain.for_each(|node| cache.render(batch, node.push, guard));
            });
        }
        nodes.clear();
        cache.clear();
        scratch.shrink_to(PUSH_BYTES);
    }
}

impl RenderCache {
    fn render(&mut self, batch: &Batch, place: usize, guard: &mut PushGuard<'_>) {
        let Some(push) = batch.pushes.get(place) else { return };
        match &push.what {
            Payload::Notification(notification) => guard.notify(notification),
            Payload::SessionEnded(_) => {}
            Payload::Message(_) => {
                let Some((record, message)) = push.message(batch) else { return };
                if guard.wants(record.seq) {
                    guard.push(record.seq, self.frame(place, guard.format(), record, message));
                }
            }
        }
    }

    fn frame(&mut self, place: usize, format: ReplyFormat, record: &Record, message: &Message) -> &[u8] {
        if self.bytes.len() > FRAME_BYTES {
            self.clear();
        }
        if self.made.len() <= place {
            self.made.resize(place + 1, [None; ReplyFormat::COUNT]);
        }
        let made = &mut self.made[place][format as usize];
        let (start, end) = *made.get_or_insert_with(|| {
            let start = self.bytes.len();
            format.push(&mut self.bytes, &stored(record, message));
            (start, self.bytes.len())
        });
        &self.bytes[start..end]
    }

    fn clear(&mut self) {
        self.made.clear();
        self.bytes.clear();
        self.bytes.shrink_to(PUSH_BYTES);
    }
}

/// An administrator who puts somebody out means the connections, too.
fn disconnect_reason(end: SessionEnd) -> Option<DisconnectReason> {
    match end {
        SessionEnd::Kicked => Some(DisconnectReason::Kicked),
        SessionEnd::Banned => Some(DisconnectReason::Banned),
        _ => None,
    }
}

fn stored(record: &Record, message: &Message) -> StoredMessage {
    StoredMessage { seq: record.seq, time: record.time, body: message.body.clone() }
}

impl Push {
    /// The message that is pushed, if it is one.
    fn message<'a>(&self, batch: &'a Batch) -> Option<(&'a Record, &'a Message)> {
        let Payload::Message(place) = self.what else { return None };
        let record = batch.records.get(place)?;
        let Event::MessageSent(message) = &record.event else { return None };
        Some((record, message))
    }

    /// Whether a connection of the audience gets this push. The connection that sent it has a reply instead, and the
    /// sender's other text connections get nothing; but a message to oneself goes everywhere.
    fn is_for(&self, user: UserId, send_queue: &Arc<SendQueue>, message: Option<&Message>) -> bool {
        let is_origin = self.origin.as_ref().is_some_and(|origin| Arc::ptr_eq(origin, send_queue));
        let Some(message) = message else { return !is_origin };
        let is_blocked = self.blocked_by.as_ref().is_some_and(|blocked_by| blocked_by.binary_search(&user).is_ok());
        let is_own = is_origin || (send_queue.format() == ReplyFormat::Text && message.is_from(user));
        !is_blocked && (!is_own || message.is_to(user))
    }
}
