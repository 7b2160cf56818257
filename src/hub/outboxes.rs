//! The outboxes of peers, as links and senders use them: tails that are opened and closed with the links, and replies that
//! wait for an acknowledgement.

use std::sync::Arc;

use tokio::time::Instant;

use crate::chat::{BounceReason, ForwardId, TimelineQuery};
use crate::hub::delivery_status::{DeliveryHandle, DeliveryStatus};
use crate::hub::outbox_tail::{Asker, OutboxTail, Waiter};
use crate::hub::shared::{Hub, Shared};
use crate::id::{RealmId, Seq};
use crate::store::{Page, StoreError};

impl Hub {
    /// Opens the tail of an outbox for a new link. A tail of the same outbox that is open is closed, and its senders wait on:
    /// the new link resends what was not acknowledged.
    #[must_use]
    pub(crate) fn open_outbox_tail(&self, realm: RealmId, acknowledged: Seq) -> Arc<OutboxTail> {
        let mut presence = self.0.presence();
        let tail = Arc::new(OutboxTail::new(realm, presence.delivered, acknowledged));
        if let Some(before) = presence.outbox_tails.insert(realm, tail.clone()) {
            tail.take_over(before.close());
        }
        tail
    }

    /// Closes a tail. Senders that wait are answered that their messages are queued.
    pub(crate) fn close_outbox_tail(&self, tail: &Arc<OutboxTail>) {
        let mut presence = self.0.presence();
        if presence.outbox_tails.get(&tail.realm).is_some_and(|current| Arc::ptr_eq(current, tail)) {
            presence.outbox_tails.remove(&tail.realm);
        }
        drop(presence);
        self.settle_waiters(&tail.close(), DeliveryStatus::Queued);
    }

    /// Records that the peer has stored or refused everything up to `upto`, and answers the senders that wait. Returns
    /// the refusals that no sender was answered with; `None` if the tail is closed, and nothing was recorded.
    #[must_use]
    pub(crate) fn note_acknowledged(
        &self,
        tail: &OutboxTail,
        upto: Seq,
        refused: &[(Seq, BounceReason)],
    ) -> Option<Vec<(Seq, BounceReason)>> {
        let settled = tail.acknowledge(upto)?;
        let is_told = |number: Seq, why| {
            let first = settled.partition_point(|waiter| waiter.message < number);
            let its = settled.iter().skip(first).take_while(|waiter| waiter.message == number);
            its.map(|waiter| waiter.delivery.settle(DeliveryStatus::Refused(why))).fold(false, |told, this| told | this)
        };
        let untold = refused.iter().filter(|(number, why)| !is_told(*number, *why)).copied().collect();
        self.settle_waiters(&settled, DeliveryStatus::Delivered);
        Some(untold)
    }

    /// Answers `delivered: false` to every sender whose message was not acknowledged within `DELIVERY_WAIT`.
    pub(crate) fn expire_waiters(&self, tail: &OutboxTail, now: Instant) {
        self.settle_waiters(&tail.take_expired(now), DeliveryStatus::Queued);
    }

    fn settle_waiters(&self, waiters: &[Waiter], delivery: DeliveryStatus) {
        for waiter in waiters {
            waiter.delivery.settle(delivery);
        }
        // A connection that pipelines waits for many messages; their replies are flushed together.
        let is_same = |one: &Waiter, next: &Waiter| match (&one.asker, &next.asker) {
            (Asker::Connection(one), Asker::Connection(next)) => Arc::ptr_eq(one, next),
            _ => false,
        };
        for waiter in waiters.chunk_by(is_same).filter_map(|its| its.first()) {
            match &waiter.asker {
                Asker::Connection(send_queue) => self.send_replies(send_queue),
                Asker::Node(forward) => self.0.tell_node(*forward, waiter.delivery.get()),
            }
        }
    }

    /// Reads the messages of an outbox after a number from the store.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(crate) fn outbox_page(&self, realm: RealmId, after: Seq, limit: usize) -> Result<Page, StoreError> {
        self.0.store.page(&TimelineQuery::outbox(realm, after), limit)
    }
}

impl Shared {
    /// Registers a sender for the delivery status of its message. A node is told what is known at once, too.
    pub(super) fn wait_for(&self, realm: RealmId, message: Seq, asker: &Asker) -> Arc<DeliveryHandle> {
        // Under the lock: a link that replaces this one takes over the senders that wait by then.
        let presence = self.presence();
        let delivery = presence.outbox_tails.get(&realm).map(|tail| tail.wait(message, asker.clone()));
        drop(presence);
        let Some(delivery) = delivery else {
            self.tell_if_node(asker, DeliveryStatus::Queued);
            return DeliveryHandle::settled(DeliveryStatus::Queued).into();
        };
        self.tell_if_node(asker, delivery.get());
        delivery
    }

    fn tell_if_node(&self, asker: &Asker, status: DeliveryStatus) {
        if let Asker::Node(forward) = asker
            && status != DeliveryStatus::Open
        {
            self.tell_node(*forward, status);
        }
    }

    /// Tells the node that has forwarded a message what became of it.
    fn tell_node(&self, forward: ForwardId, status: DeliveryStatus) {
        self.presence().elsewhere().tell_delivery(forward.process, (forward.number, status));
    }
}
