//! What became of a message to another realm, for the answer to whoever sent it (PROTOCOL §6).

use std::sync::atomic::{AtomicU8, Ordering};

use crate::chat::BounceReason;

/// What became of a message to another realm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// The other server is being asked.
    Open,
    /// The other server has it on its disk.
    Delivered,
    /// It waits for the other server.
    Queued,
    /// The other server did not take it.
    Refused(BounceReason),
}

/// A [`DeliveryStatus`] that is shared by whoever waits for it and whoever learns it first. It is settled once.
#[derive(Debug, Default)]
pub struct DeliveryHandle(AtomicU8);

/// Refusals follow this number.
const REFUSED: u8 = 3;

impl DeliveryHandle {
    /// A fate that is settled.
    pub(super) fn settled(delivery: DeliveryStatus) -> Self {
        Self(AtomicU8::new(number(delivery)))
    }

    /// The fate as it is now.
    #[must_use]
    pub fn get(&self) -> DeliveryStatus {
        match self.0.load(Ordering::Acquire) {
            0 => DeliveryStatus::Open,
            1 => DeliveryStatus::Delivered,
            2 => DeliveryStatus::Queued,
            refused => {
                BounceReason::of_number(refused - REFUSED).map_or(DeliveryStatus::Queued, DeliveryStatus::Refused)
            }
        }
    }

    /// Settles the fate; false where it was settled before.
    pub(super) fn settle(&self, delivery: DeliveryStatus) -> bool {
        let open = number(DeliveryStatus::Open);
        self.0.compare_exchange(open, number(delivery), Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

fn number(delivery: DeliveryStatus) -> u8 {
    match delivery {
        DeliveryStatus::Open => 0,
        DeliveryStatus::Delivered => 1,
        DeliveryStatus::Queued => 2,
        DeliveryStatus::Refused(why) => REFUSED + why.number(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_to_settle_a_fate_has_settled_it() {
        for delivery in
            [DeliveryStatus::Delivered, DeliveryStatus::Queued, DeliveryStatus::Refused(BounceReason::Blocked)]
        {
            let shared = DeliveryHandle::default();
            assert_eq!(shared.get(), DeliveryStatus::Open);
            assert!(shared.settle(delivery));
            assert!(!shared.settle(DeliveryStatus::Delivered));
            assert_eq!(shared.get(), delivery);
        }
    }
}
