//! A round of the fan-out: the pushes of one or more batches, collected for each connection, so that each is locked and
//! written to once, however much it gets.

use std::iter::successors;
use std::sync::Arc;

use crate::chat::{Event, Message, Record, StoredMessage};
use crate::hub::batch::{Batch, Payload, Push};
use crate::hub::push_guard::PushGuard;
use crate::hub::push_slot::PushSlot;
use crate::hub::send_queue::SendQueue;
use crate::hub::tickets::{Ticket, Tickets};
use crate::limits::{FRAME_BYTES, PUSH_BYTES};
use crate::wire::ReplyFormat;

pub(super) struct Round {
    number: u32,
    /// The newest batch that pushes were collected of.
    upto: Ticket,
    pushes: Vec<(Arc<Batch>, usize)>,
    connections: Vec<ConnectionPushes>,
    /// How many of the connections were written to.
    written: usize,
    nodes: Vec<PushNode>,
    cache: RenderCache,
    /// Lent to one connection after the other, so that none keeps a large buffer of its own.
    scratch: Vec<u8>,
}

/// The rendered messages of a round: each once for each format, when the first connection wants it.
#[derive(Default)]
struct RenderCache {
    bytes: Vec<u8>,
    /// The place of each push in `bytes`, for each format.
    made: Vec<[Option<(usize, usize)>; ReplyFormat::COUNT]>,
}

/// The pushes of a round for one connection: a chain of nodes.
struct ConnectionPushes {
    send_queue: Arc<SendQueue>,
    /// The binding that they are for.
    binding: u32,
    first: usize,
    last: usize,
}

struct PushNode {
    /// The place of the push in the round.
    push: usize,
    next: Option<usize>,
}

impl Round {
    /// Rounds that are collected at the same time need numbers that they never share: they advance by two.
    pub(super) fn new(number: u32) -> Self {
        Self {
            number,
            upto: Ticket::NONE,
            pushes: Vec::new(),
            connections: Vec::new(),
            written: 0,
            nodes: Vec::new(),
            cache: RenderCache::default(),
            scratch: Vec::new(),
        }
    }

    pub(super) fn next_number(&self) -> u32 {
        self.number.wrapping_add(2)
    }

    pub(super) fn set_number(&mut self, number: u32) {
        self.number = number;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// How often something is pushed to somebody.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are pushes for the connection in this round.
    pub(super) fn has(&self, slot: PushSlot) -> bool {
        slot.round == self.number
    }

    /// Adds a push of a batch, to be enqueued for connections. Returns its place.
    pub(super) fn add(&mut self, batch: &Arc<Batch>, place: usize) -> usize {
        self.upto = Ticket(batch.ticket);
        self.pushes.push((batch.clone(), place));
        self.pushes.len() - 1
    }

    /// Adds a push for a connection, which has its newest pushes at `slot`.
    pub(super) fn enqueue(&mut self, send_queue: &Arc<SendQueue>, slot: Option<PushSlot>, push: usize) {
        let place = self.nodes.len();
        self.nodes.push(PushNode { push, next: None });
        let slot = slot.filter(|slot| self.has(*slot));
        let Some(pushes) = slot.and_then(|slot| self.connections.get_mut(slot.place as usize)) else {
            send_queue.hold_for_push(PushSlot { round: self.number, place: self.connections.len() as u32 });
            let binding = send_queue.binding();
            self.connections.push(ConnectionPushes {
                send_queue: send_queue.clone(),
                binding,
                first: place,
                last: place,
            });
            return;
        };
        if let Some(last) = self.nodes.get_mut(pushes.last) {
            last.next = Some(place);
        }
        pushes.last = place;
    }

    /// Queues the collected pushes and the durable replies of one connection after the other, and writes as much as its
    /// socket takes, until `is_over`. Returns whether all was written, and the round is empty again.
    pub(super) fn write(&mut self, tickets: &Tickets, mut is_over: impl FnMut() -> bool) -> bool {
        let Self { number, upto, pushes, connections, written, nodes, cache, scratch } = self;
        while let Some(ConnectionPushes { send_queue, binding, first, .. }) = connections.get(*written) {
            let chain = successors(nodes.get(*first), |node| nodes.get(node.next?));
            let slot = PushSlot { round: *number, place: *written as u32 };
            send_queue.push_round(scratch, tickets, (slot, *upto), |guard| {
                if guard.is_bound(*binding) {
                    chain.for_each(|node| cache.render(pushes, node.push, guard));
                }
            });
            *written += 1;
            if *written < connections.len() && is_over() {
                return false;
            }
        }
        *written = 0;
        connections.clear();
        nodes.clear();
        pushes.clear();
        cache.clear();
        scratch.shrink_to(PUSH_BYTES);
        true
    }
}

impl RenderCache {
    fn render(&mut self, pushes: &[(Arc<Batch>, usize)], place: usize, guard: &mut PushGuard<'_>) {
        let Some((batch, push)) = pushes.get(place).and_then(|(batch, push)| Some((batch, batch.pushes.get(*push)?)))
        else {
            return;
        };
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
        let made = &mut self.made[place][format.index()];
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

/// A message as readers get it.
pub(super) fn stored(record: &Record, message: &Message) -> StoredMessage {
    StoredMessage { seq: record.seq, time: record.time, body: message.body.clone() }
}

impl Push {
    /// The message that is pushed, if it is one.
    pub(super) fn message<'a>(&self, batch: &'a Batch) -> Option<(&'a Record, &'a Message)> {
        let Payload::Message(place) = self.what else { return None };
        let record = batch.records.get(place)?;
        let Event::MessageSent(message) = &record.event else { return None };
        Some((record, message))
    }
}
