//! Messages to other realms that clients of this node have sent through the leader, until it is known here whether they were
//! delivered. The leader tells it, whose links they go over; if its word is lost, the log tells it somewhat later.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::chat::{Event, Record};
use crate::hub::delivery_status::{DeliveryHandle, DeliveryStatus};
use crate::hub::send_queue::SendQueue;
use crate::id::{RealmId, Seq};

/// A message whose sender waits.
pub(super) struct AwaitedDelivery {
    pub(super) realm: RealmId,
    pub(super) message: Seq,
    pub(super) delivery: Arc<DeliveryHandle>,
    /// The connection that waits for the reply.
    pub(super) send_queue: Option<Arc<SendQueue>>,
    pub(super) until: Instant,
}

/// What a sender waited for, and what became of it.
pub(super) type Settled = (AwaitedDelivery, DeliveryStatus);

/// By the numbers of the forwarded commands.
#[derive(Default)]
pub(super) struct AwaitedDeliveries(BTreeMap<u64, AwaitedDelivery>);

impl AwaitedDeliveries {
    pub(super) fn insert(&mut self, number: u64, awaited: AwaitedDelivery) {
        self.0.insert(number, awaited);
    }

    pub(super) fn take(&mut self, number: u64) -> Option<AwaitedDelivery> {
        self.0.remove(&number)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes out what a record settles. What an older leader knew and did not write is lost: the next one's links begin anew.
    pub(super) fn take_settled(&mut self, record: &Record, settled: &mut Vec<Settled>) {
        match &record.event {
            Event::OutboxAcknowledged { realm, upto, refused } => {
                let status = |message| {
                    let refused = refused.iter().find(|(number, ..)| *number == message);
                    refused.map_or(DeliveryStatus::Delivered, |(.., why)| DeliveryStatus::Refused(*why))
                };
                let its = self.take_if(|awaited| awaited.realm == *realm && awaited.message <= *upto);
                settled
                    .extend(its.map(|awaited| (status(awaited.message), awaited)).map(|(status, its)| (its, status)));
            }
            Event::RealmRemoved { realm } => {
                let its = self.take_if(|awaited| awaited.realm == *realm);
                settled.extend(its.map(|awaited| (awaited, DeliveryStatus::Queued)));
            }
            Event::EpochBegun { .. } => {
                let before = self.take_if(|awaited| awaited.message < record.seq);
                settled.extend(before.map(|awaited| (awaited, DeliveryStatus::Queued)));
            }
            _ => {}
        }
    }

    /// Takes out the messages that have waited for too long.
    pub(super) fn take_late(&mut self, now: Instant) -> impl Iterator<Item = AwaitedDelivery> {
        self.take_if(move |awaited| awaited.until <= now)
    }

    fn take_if(&mut self, is_taken: impl Fn(&AwaitedDelivery) -> bool) -> impl Iterator<Item = AwaitedDelivery> {
        self.0.extract_if(.., move |_, awaited| is_taken(awaited)).map(|(_, awaited)| awaited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::BounceReason;
    use crate::id::{Epoch, UserId};
    use crate::time::Time;

    const REALM: RealmId = RealmId(7);

    /// Messages with these numbers are awaited by commands of the same numbers.
    fn awaited(messages: &[u64]) -> AwaitedDeliveries {
        let mut awaited = AwaitedDeliveries::default();
        for message in messages {
            let (delivery, until) = (Arc::default(), Instant::now());
            awaited.insert(
                *message,
                AwaitedDelivery { realm: REALM, message: Seq(*message), delivery, send_queue: None, until },
            );
        }
        awaited
    }

    fn settled(awaited: &mut AwaitedDeliveries, seq: u64, event: Event) -> Vec<(u64, DeliveryStatus)> {
        let mut settled = Vec::new();
        awaited.take_settled(&Record { seq: Seq(seq), time: Time(0), event }, &mut settled);
        settled.iter().map(|(awaited, status)| (awaited.message.0, *status)).collect()
    }

    #[test]
    fn an_acknowledgement_in_the_log_settles_what_it_covers() {
        let mut awaited = awaited(&[1, 2, 3]);
        let refused = vec![(Seq(2), UserId(0), BounceReason::Blocked)];
        let event = |realm| Event::OutboxAcknowledged { realm, upto: Seq(2), refused: refused.clone() };
        assert_eq!(settled(&mut awaited, 4, event(RealmId(8))), []);
        let refused = DeliveryStatus::Refused(BounceReason::Blocked);
        assert_eq!(settled(&mut awaited, 5, event(REALM)), [(1, DeliveryStatus::Delivered), (2, refused)]);
    }

    #[test]
    fn a_new_leader_lets_those_before_it_wait_no_longer() {
        let mut awaited = awaited(&[1, 5]);
        let epoch = Event::EpochBegun { epoch: Epoch(9) };
        assert_eq!(settled(&mut awaited, 3, epoch), [(1, DeliveryStatus::Queued)]);
    }
}
