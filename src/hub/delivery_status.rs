//! The delivery status of a message to another realm, for the reply to its sender (PROTOCOL §6).

use std::sync::atomic::{AtomicU8, Ordering};

use serde::{Deserialize, Serialize};

use crate::chat::BounceReason;

/// The delivery status of a message to another realm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeliveryStatus {
    /// Sent, or about to be sent, and not acknowledged.
    Open,
    /// The peer has stored it.
    Delivered,
    /// It stays in the outbox until the peer is back.
    Queued,
    /// The peer refused it.
    Refused(BounceReason),
    /// This node of a cluster is cut off from it, and cannot tell.
    Unknown,
}

/// A shared [`DeliveryStatus`]. It is settled once.
#[derive(Debug, Default)]
pub struct DeliveryHandle(AtomicU8);

/// Refusals follow this number.
const REFUSED: u8 = 4;

impl DeliveryHandle {
    pub(super) fn settled(delivery: DeliveryStatus) -> Self {
        Self(AtomicU8::new(number(delivery)))
    }

    #[must_use]
    pub(crate) fn get(&self) -> DeliveryStatus {
        match self.0.load(Ordering::Acquire) {
            0 => DeliveryStatus::Open,
            1 => DeliveryStatus::Delivered,
            2 => DeliveryStatus::Queued,
            3 => DeliveryStatus::Unknown,
            refused => {
                BounceReason::of_number(refused - REFUSED).map_or(DeliveryStatus::Queued, DeliveryStatus::Refused)
            }
        }
    }

    /// Settles the status. Returns false if it was settled before.
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
        DeliveryStatus::Unknown => 3,
        DeliveryStatus::Refused(why) => REFUSED + why.number(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_settled_once() {
        for delivery in [
            DeliveryStatus::Delivered,
            DeliveryStatus::Queued,
            DeliveryStatus::Unknown,
            DeliveryStatus::Refused(BounceReason::Blocked),
        ] {
            let shared = DeliveryHandle::default();
            assert_eq!(shared.get(), DeliveryStatus::Open);
            assert!(shared.settle(delivery));
            assert!(!shared.settle(DeliveryStatus::Delivered));
            assert_eq!(shared.get(), delivery);
        }
    }
}
