//! What became of a message to another realm, for the answer to whoever sent it (PROTOCOL §6).

use std::sync::atomic::{AtomicU8, Ordering};

use crate::chat::Undeliverable;

/// What became of a message to another realm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The other server is being asked.
    Open,
    /// The other server has it on its disk.
    Delivered,
    /// It waits for the other server.
    Queued,
    /// The other server did not take it.
    Refused(Undeliverable),
}

/// A [`Fate`] that is shared by whoever waits for it and whoever learns it first. It is settled once.
#[derive(Debug, Default)]
pub struct SharedFate(AtomicU8);

/// Refusals follow this number.
const REFUSED: u8 = 3;

impl SharedFate {
    /// A fate that is settled.
    pub(super) fn settled(fate: Fate) -> Self {
        Self(AtomicU8::new(number(fate)))
    }

    /// The fate as it is now.
    #[must_use]
    pub fn get(&self) -> Fate {
        match self.0.load(Ordering::Acquire) {
            0 => Fate::Open,
            1 => Fate::Delivered,
            2 => Fate::Queued,
            refused => Undeliverable::of_number(refused - REFUSED).map_or(Fate::Queued, Fate::Refused),
        }
    }

    /// Settles the fate; false where it was settled before.
    pub(super) fn settle(&self, fate: Fate) -> bool {
        let open = number(Fate::Open);
        self.0.compare_exchange(open, number(fate), Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

fn number(fate: Fate) -> u8 {
    match fate {
        Fate::Open => 0,
        Fate::Delivered => 1,
        Fate::Queued => 2,
        Fate::Refused(why) => REFUSED + why.number(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_to_settle_a_fate_has_settled_it() {
        for fate in [Fate::Delivered, Fate::Queued, Fate::Refused(Undeliverable::Blocked)] {
            let shared = SharedFate::default();
            assert_eq!(shared.get(), Fate::Open);
            assert!(shared.settle(fate));
            assert!(!shared.settle(Fate::Delivered));
            assert_eq!(shared.get(), fate);
        }
    }
}
