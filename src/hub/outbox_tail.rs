//! What a link is fed with: the messages of its outbox as they become durable, so that one that keeps up never reads
//! them from the disk, and those who wait to hear what became of theirs.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::chat::{BounceReason, StoredMessage, TimelineQuery};
use crate::hub::delivery_status::{DeliveryHandle, DeliveryStatus};
use crate::hub::send_queue::SendQueue;
use crate::hub::shared::{Hub, Shared};
use crate::id::{RealmId, Seq};
use crate::limits::{DELIVERY_WAIT, OUTBOX_TAIL_BYTES, OUTBOX_TAIL_MESSAGES};
use crate::store::{Page, StoreError};

/// A link's tail, for as long as the link is up.
pub struct OutboxTail {
    realm: RealmId,
    inner: Mutex<Inner>,
    wake: Notify,
}

struct Inner {
    /// The newest messages, durable.
    recent: VecDeque<StoredMessage>,
    bytes: usize,
    /// Every message after this one is in `recent`.
    complete_after: Seq,
    /// The other server has everything up to here.
    acknowledged: Seq,
    /// In the order of their messages, and of their patience.
    waiting: VecDeque<Waiter>,
    closed: bool,
}

/// Somebody who waits to hear what became of a message.
struct Waiter {
    message: Seq,
    delivery: Arc<DeliveryHandle>,
    send_queue: Arc<SendQueue>,
    until: Instant,
}

/// What of an outbox comes next.
pub enum TailRead {
    /// These messages; none where there is nothing new.
    Messages(Vec<StoredMessage>),
    /// What only the store has.
    ReadStore,
}

impl Hub {
    /// Begins to tail a link. A tail of the same realm before it is fed no more.
    #[must_use]
    pub fn open_outbox_tail(&self, realm: RealmId, acknowledged: Seq) -> Arc<OutboxTail> {
        let mut presence = self.0.presence();
        let tail = Arc::new(OutboxTail::new(realm, presence.delivered, acknowledged));
        let before = presence.outbox_tails.insert(realm, tail.clone());
        drop(presence);
        if let Some(before) = before {
            self.fail_waiters(&before);
        }
        tail
    }

    /// Ends a tail: whoever waits for an answer hears that the message waits.
    pub fn close_outbox_tail(&self, tail: &Arc<OutboxTail>) {
        let mut presence = self.0.presence();
        if presence.outbox_tails.get(&tail.realm).is_some_and(|current| Arc::ptr_eq(current, tail)) {
            presence.outbox_tails.remove(&tail.realm);
        }
        drop(presence);
        self.fail_waiters(tail);
    }

    fn fail_waiters(&self, tail: &OutboxTail) {
        let mut inner = tail.inner();
        inner.closed = true;
        let waiting = inner.waiting.drain(..).collect();
        drop(inner);
        tail.wake.notify_one();
        self.settle_waiters(waiting, DeliveryStatus::Queued);
    }

    /// Whether the link to a realm is up.
    #[must_use]
    pub fn is_linked(&self, realm: RealmId) -> bool {
        self.0.presence().outbox_tails.contains_key(&realm)
    }

    /// Notes what the other server has on its disk, and what of that it refused. Gives back which of the refusals nobody
    /// has been told.
    #[must_use]
    pub fn note_acknowledged(
        &self,
        tail: &OutboxTail,
        upto: Seq,
        refused: &[(Seq, BounceReason)],
    ) -> Vec<(Seq, BounceReason)> {
        let mut inner = tail.inner();
        inner.acknowledged = upto.max(inner.acknowledged);
        let count = inner.waiting.partition_point(|waiter| waiter.message <= upto);
        let settled: Vec<Waiter> = inner.waiting.drain(..count).collect();
        drop(inner);
        let is_told = |number: Seq, why| {
            let first = settled.partition_point(|waiter| waiter.message < number);
            let its = settled.iter().skip(first).take_while(|waiter| waiter.message == number);
            its.map(|waiter| waiter.delivery.settle(DeliveryStatus::Refused(why))).fold(false, |told, this| told | this)
        };
        let untold = refused.iter().filter(|(number, why)| !is_told(*number, *why)).copied().collect();
        self.settle_waiters(settled, DeliveryStatus::Delivered);
        untold
    }

    /// Tells those who have waited long enough that their messages wait.
    pub fn expire_waiters(&self, tail: &OutboxTail, now: Instant) {
        let mut inner = tail.inner();
        let count = inner.waiting.partition_point(|waiter| waiter.until <= now);
        let impatient = inner.waiting.drain(..count).collect();
        drop(inner);
        self.settle_waiters(impatient, DeliveryStatus::Queued);
    }

    fn settle_waiters(&self, waiters: Vec<Waiter>, delivery: DeliveryStatus) {
        for waiter in &waiters {
            waiter.delivery.settle(delivery);
        }
        // Who pipelines waits with many messages, and is answered to all of them at once.
        let connections = waiters.chunk_by(|one, next| Arc::ptr_eq(&one.send_queue, &next.send_queue));
        connections.filter_map(|its| its.first()).for_each(|waiter| self.send_replies(&waiter.send_queue));
    }

    /// Reads what a link is to send after a message from the store. Waits for the disk, where the store does.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn outbox_page(&self, realm: RealmId, after: Seq, limit: usize) -> Result<Page, StoreError> {
        self.0.store.page(&TimelineQuery::outbox(realm, after), limit)
    }
}

impl Shared {
    /// Waits, for whoever sent a message to another realm, for what becomes of it.
    pub(super) fn wait_for(&self, realm: RealmId, message: Seq, send_queue: &Arc<SendQueue>) -> Arc<DeliveryHandle> {
        let tail = self.presence().outbox_tails.get(&realm).cloned();
        tail.map_or_else(
            || DeliveryHandle::settled(DeliveryStatus::Queued).into(),
            |tail| tail.wait(message, send_queue),
        )
    }
}

impl OutboxTail {
    fn new(realm: RealmId, durable: Seq, acknowledged: Seq) -> Self {
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

    /// Whose outbox it is.
    #[must_use]
    pub fn realm(&self) -> RealmId {
        self.realm
    }

    /// Waits until there may be something new, or somebody new who waits.
    pub async fn notified(&self) {
        self.wake.notified().await;
    }

    /// Another link to the same server has taken this one's place.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.inner().closed
    }

    /// The other server has everything up to here.
    #[must_use]
    pub fn acknowledged(&self) -> Seq {
        self.inner().acknowledged
    }

    /// When the first of those who wait loses patience.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        self.inner().waiting.front().map(|waiter| waiter.until)
    }

    /// Whether fewer messages than that come after one, as far as the store need not be asked.
    #[must_use]
    pub fn has_few(&self, after: Seq, many: usize) -> bool {
        let inner = self.inner();
        after >= inner.complete_after && inner.recent.len() < many
    }

    /// Takes what comes after a message, at most so many.
    #[must_use]
    pub fn take(&self, after: Seq, limit: usize) -> TailRead {
        let mut inner = self.inner();
        if after < inner.complete_after {
            return TailRead::ReadStore;
        }
        while inner.recent.front().is_some_and(|message| message.seq <= after) {
            inner.drop_first();
        }
        let taken = inner.recent.len().min(limit);
        let messages: Vec<_> = inner.recent.drain(..taken).collect();
        inner.bytes -= messages.iter().map(|message| message.body.0.len()).sum::<usize>();
        if let Some(last) = messages.last() {
            inner.complete_after = last.seq;
        }
        TailRead::Messages(messages)
    }

    /// Adds a message that is durable. Where the link does not keep up, the oldest are left for it to read.
    pub(super) fn push(&self, message: StoredMessage) {
        let mut inner = self.inner();
        inner.bytes += message.body.0.len();
        inner.recent.push_back(message);
        while inner.recent.len() > OUTBOX_TAIL_MESSAGES || inner.bytes > OUTBOX_TAIL_BYTES {
            inner.drop_first();
        }
        drop(inner);
        self.wake.notify_one();
    }

    fn wait(&self, message: Seq, send_queue: &Arc<SendQueue>) -> Arc<DeliveryHandle> {
        let mut inner = self.inner();
        if inner.closed || message <= inner.acknowledged {
            let delivery = if inner.closed { DeliveryStatus::Queued } else { DeliveryStatus::Delivered };
            return DeliveryHandle::settled(delivery).into();
        }
        let delivery = Arc::new(DeliveryHandle::default());
        // Who asks again for an earlier message waits no longer than those before whom that one stands.
        let place = inner.waiting.partition_point(|waiter| waiter.message <= message);
        let patience = Instant::now() + DELIVERY_WAIT;
        let until = inner.waiting.get(place).map_or(patience, |next| next.until.min(patience));
        inner
            .waiting
            .insert(place, Waiter { message, delivery: delivery.clone(), send_queue: send_queue.clone(), until });
        drop(inner);
        self.wake.notify_one();
        delivery
    }
}

impl Inner {
    fn drop_first(&mut self) {
        if let Some(first) = self.recent.pop_front() {
            self.bytes -= first.body.0.len();
            self.complete_after = first.seq;
        }
    }
}
