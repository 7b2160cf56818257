//! The newest messages of a peer's outbox, and the senders that wait for its acknowledgement.
//!
//! A link that keeps up reads its outbox from memory. One that falls behind, or was down, reads it from the store.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::chat::{ForwardId, StoredMessage};
use crate::hub::delivery_status::{DeliveryHandle, DeliveryStatus};
use crate::hub::send_queue::SendQueue;
use crate::id::{RealmId, Seq};
use crate::limits::{DELIVERY_WAIT, OUTBOX_TAIL_BYTES, OUTBOX_TAIL_MESSAGES};

/// The tail of the outbox of one peer, while the link to it is up.
pub struct OutboxTail {
    pub(super) realm: RealmId,
    inner: Mutex<Inner>,
    wake: Notify,
}

struct Inner {
    /// The newest messages, all durable.
    recent: VecDeque<StoredMessage>,
    bytes: usize,
    /// Every message after this one is in `recent`.
    complete_after: Seq,
    /// The peer has everything up to here.
    acknowledged: Seq,
    /// In the order of their messages, and of their timeouts.
    waiting: VecDeque<Waiter>,
    closed: bool,
}

/// A sender whose reply depends on what becomes of a message.
pub(super) struct Waiter {
    pub(super) message: Seq,
    pub(super) delivery: Arc<DeliveryHandle>,
    pub(super) asker: Asker,
    until: Instant,
}

/// Who is told what becomes of a message.
#[derive(Clone)]
pub(super) enum Asker {
    /// The connection on which it was sent.
    Connection(Arc<SendQueue>),
    /// The node of the cluster that has forwarded it.
    Node(ForwardId),
}

/// The next messages of an outbox.
pub enum TailRead {
    /// These; none if there is nothing new.
    Messages(Vec<StoredMessage>),
    /// Only the store has them.
    ReadStore,
}

impl OutboxTail {
    pub(super) fn new(realm: RealmId, durable: Seq, acknowledged: Seq) -> Self {
        let inner = Inner {
            recent: VecDeque::new(),
            bytes: 0,
            complete_after: durable,
            acknowledged,
            waiting: VecDeque::new(),
            closed: false,
        };
        Self { realm, inner: Mutex::new(inner), wake: Notify::new() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the tail. Returns the senders that wait.
    pub(super) fn close(&self) -> Vec<Waiter> {
        let mut inner = self.inner();
        inner.closed = true;
        let waiting = inner.waiting.drain(..).collect();
        drop(inner);
        self.wake.notify_one();
        waiting
    }

    /// Takes over the senders that wait for the link before, with the time they have left.
    pub(super) fn take_over(&self, waiting: Vec<Waiter>) {
        self.inner().waiting = waiting.into();
    }

    /// Records that the peer has everything up to `upto`. Returns the senders that waited for that; `None` if the tail is
    /// closed: the link that replaced this one resends the messages, and is told the same.
    pub(super) fn acknowledge(&self, upto: Seq) -> Option<Vec<Waiter>> {
        let mut inner = self.inner();
        if inner.closed {
            return None;
        }
        inner.acknowledged = upto.max(inner.acknowledged);
        let count = inner.waiting.partition_point(|waiter| waiter.message <= upto);
        Some(inner.waiting.drain(..count).collect())
    }

    /// Removes and returns the senders whose time is over.
    pub(super) fn take_expired(&self, now: Instant) -> Vec<Waiter> {
        let mut inner = self.inner();
        let count = inner.waiting.partition_point(|waiter| waiter.until <= now);
        inner.waiting.drain(..count).collect()
    }

    /// Waits until there may be a new message, or a new sender that waits.
    pub(crate) async fn notified(&self) {
        self.wake.notified().await;
    }

    /// Whether another link to the same peer has replaced this one.
    #[must_use]
    pub(crate) fn is_closed(&self) -> bool {
        self.inner().closed
    }

    /// The number up to which the peer has everything.
    #[must_use]
    pub(crate) fn acknowledged(&self) -> Seq {
        self.inner().acknowledged
    }

    /// When the first sender has waited for [`DELIVERY_WAIT`].
    #[must_use]
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.inner().waiting.front().map(|waiter| waiter.until)
    }

    /// Whether fewer than `many` messages come after `after`. False if only the store can tell.
    #[must_use]
    pub(crate) fn has_few(&self, after: Seq, many: usize) -> bool {
        let inner = self.inner();
        after >= inner.complete_after && inner.recent.len() < many
    }

    /// Takes the messages after `after`, at most `limit`.
    #[must_use]
    pub(crate) fn take(&self, after: Seq, limit: usize) -> TailRead {
        let mut inner = self.inner();
        if after < inner.complete_after {
            return TailRead::ReadStore;
        }
        while inner.recent.front().is_some_and(|message| message.seq <= after) {
            inner.drop_first();
        }
        let taken = inner.recent.len().min(limit);
        let messages: Vec<_> = inner.recent.drain(..taken).collect();
        inner.bytes -= messages.iter().map(|message| message.body.size()).sum::<usize>();
        if let Some(last) = messages.last() {
            inner.complete_after = last.seq;
        }
        TailRead::Messages(messages)
    }

    /// Adds a durable message. If the link does not keep up, the oldest are dropped; it reads them from the store.
    pub(super) fn push(&self, message: StoredMessage) {
        let mut inner = self.inner();
        inner.bytes += message.body.size();
        inner.recent.push_back(message);
        while inner.recent.len() > OUTBOX_TAIL_MESSAGES || inner.bytes > OUTBOX_TAIL_BYTES {
            inner.drop_first();
        }
        drop(inner);
        self.wake.notify_one();
    }

    /// Registers a sender for the delivery status of its message.
    pub(super) fn wait(&self, message: Seq, asker: Asker) -> Arc<DeliveryHandle> {
        let mut inner = self.inner();
        if inner.closed || message <= inner.acknowledged {
            let delivery = if inner.closed { DeliveryStatus::Queued } else { DeliveryStatus::Delivered };
            return DeliveryHandle::settled(delivery).into();
        }
        let delivery = Arc::new(DeliveryHandle::default());
        // A repeated request for an earlier message waits no longer than the senders of later ones: timeouts stay sorted.
        let place = inner.waiting.partition_point(|waiter| waiter.message <= message);
        let latest = Instant::now() + DELIVERY_WAIT;
        let until = inner.waiting.get(place).map_or(latest, |next| next.until.min(latest));
        inner.waiting.insert(place, Waiter { message, delivery: delivery.clone(), asker, until });
        drop(inner);
        self.wake.notify_one();
        delivery
    }
}

impl Inner {
    fn drop_first(&mut self) {
        if let Some(first) = self.recent.pop_front() {
            self.bytes -= first.body.size();
            self.complete_after = first.seq;
        }
    }
}
