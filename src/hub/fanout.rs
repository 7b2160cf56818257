//! From a durable batch to those who listen: what each is to get is noted first, then handed over all at once.

use std::iter::successors;
use std::sync::Arc;

use crate::chat::{Event, Message, Record, StoredMessage};
use crate::hub::batch::{Batch, Payload, Push};
use crate::hub::presence::Presence;
use crate::hub::send_queue::{PushGuard, SendQueue};
use crate::hub::tickets::Tickets;
use crate::id::UserId;
use crate::limits::{FRAME_BYTES, PUSH_BYTES, PUSHES_AT_ONCE};
use crate::wire::ReplyFormat;

/// Takes what is to be pushed to whom it concerns: to each connection once a batch, however much that is.
#[derive(Default)]
pub(super) struct Fanout {
    connections: Vec<ConnectionPushes>,
    nodes: Vec<PushNode>,
    cache: RenderCache,
    /// Lent to one connection after the other for what it gets, so that none needs much room of its own.
    room: Vec<u8>,
}

/// What is pushed of a batch, as each style writes it: made once, where somebody wants it.
#[derive(Default)]
struct RenderCache {
    bytes: Vec<u8>,
    /// Where in `bytes` the cache of each delivery stand: of the JSON style and of the text style.
    made: Vec<[Option<(usize, usize)>; 2]>,
}

/// What of a batch is for one connection: a chain of nodes.
struct ConnectionPushes {
    send_queue: Arc<SendQueue>,
    first: usize,
    last: usize,
}

struct PushNode {
    /// The place of a delivery in the batch.
    delivery: usize,
    next: Option<usize>,
}

impl Fanout {
    /// Notes who is to get what of a batch, and feeds the links. Where that is very much, some is handed over already.
    pub(super) fn collect(&mut self, batch: &Batch, presence: &Presence, tickets: &Tickets) {
        for (place, delivery) in batch.pushes.iter().enumerate() {
            let message = delivery.message(batch);
            if let Some((record, message)) = message
                && let Some(feed) = message.to.remote_realm().and_then(|realm| presence.outbox_tails.get(&realm))
            {
                feed.push(stored(record, message));
            }
            presence.each_of(&delivery.audience, |user, send_queue| {
                if delivery.is_for(user, send_queue, message.map(|(_, message)| message)) {
                    self.enqueue(send_queue, place);
                }
            });
            if self.nodes.len() >= PUSHES_AT_ONCE {
                self.flush(batch, tickets);
            }
        }
    }

    fn enqueue(&mut self, send_queue: &Arc<SendQueue>, delivery: usize) {
        let place = self.nodes.len();
        self.nodes.push(PushNode { delivery, next: None });
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

    /// Hands over what was noted, with the replies that are settled, and writes what the sockets take.
    pub(super) fn flush(&mut self, batch: &Batch, tickets: &Tickets) {
        let Self { connections, nodes, cache, room } = self;
        for ConnectionPushes { send_queue, first, .. } in connections.drain(..) {
            let chain = successors(nodes.get(first), |node| nodes.get(node.next?));
            send_queue.push_batch(room, tickets, |receiver| {
                chain.for_each(|node| cache.render(batch, node.delivery, receiver));
            });
        }
        nodes.clear();
        cache.clear();
        room.shrink_to(PUSH_BYTES);
    }
}

impl RenderCache {
    fn render(&mut self, batch: &Batch, place: usize, receiver: &mut PushGuard<'_>) {
        let Some(delivery) = batch.pushes.get(place) else { return };
        match &delivery.what {
            Payload::Notification(notification) => receiver.notify(notification),
            Payload::Message(_) => {
                let Some((record, message)) = delivery.message(batch) else { return };
                if receiver.wants(record.seq) {
                    receiver.push(record.seq, self.frame(place, receiver.format(), record, message));
                }
            }
        }
    }

    fn frame(&mut self, place: usize, format: ReplyFormat, record: &Record, message: &Message) -> &[u8] {
        if self.bytes.len() > FRAME_BYTES {
            self.clear();
        }
        if self.made.len() <= place {
            self.made.resize(place + 1, [None; 2]);
        }
        let made = &mut self.made[place][usize::from(format == ReplyFormat::Text)];
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

fn stored(record: &Record, message: &Message) -> StoredMessage {
    StoredMessage { seq: record.seq, time: record.time, body: message.body.clone() }
}

impl Push {
    /// The message that is pushed, where it is one.
    fn message<'a>(&self, batch: &'a Batch) -> Option<(&'a Record, &'a Message)> {
        let Payload::Message(place) = self.what else { return None };
        let record = batch.records.get(place)?;
        let Event::MessageSent(message) = &record.event else { return None };
        Some((record, message))
    }

    /// Whether a connection of the audience is to be told. The one that brought it has its reply; a person at a
    /// terminal knows what was typed at another. What one says to oneself is heard everywhere.
    fn is_for(&self, user: UserId, send_queue: &Arc<SendQueue>, message: Option<&Message>) -> bool {
        let is_from = self.origin.as_ref().is_some_and(|origin| Arc::ptr_eq(origin, send_queue));
        let Some(message) = message else { return !is_from };
        let is_deaf = self.blocked_by.as_ref().is_some_and(|blocked_by| blocked_by.binary_search(&user).is_ok());
        let is_own = is_from || (send_queue.format() == ReplyFormat::Text && message.is_from(user));
        !is_deaf && (!is_own || message.is_to(user))
    }
}
