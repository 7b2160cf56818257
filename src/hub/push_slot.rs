//! Where the pushes of a connection stand that are on their way to it.

use crate::hub::sync::{AtomicU64, Ordering};

/// The place of a connection in a round of the fan-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PushSlot {
    pub(super) round: u32,
    pub(super) place: u32,
}

/// The newest slot of a connection, if it has one.
pub(super) struct CurrentSlot(AtomicU64);

const NO_SLOT: u64 = u64::MAX;

impl PushSlot {
    fn pack(self) -> u64 {
        u64::from(self.round) << 32 | u64::from(self.place)
    }
}

impl CurrentSlot {
    pub(super) fn none() -> Self {
        Self(AtomicU64::new(NO_SLOT))
    }

    pub(super) fn get(&self) -> Option<PushSlot> {
        let packed = self.0.load(Ordering::Acquire);
        (packed != NO_SLOT).then_some(PushSlot { round: (packed >> 32) as u32, place: packed as u32 })
    }

    #[cfg(not(all(test, feature = "loom")))]
    pub(super) fn set(&self, slot: PushSlot) {
        self.0.store(slot.pack(), Ordering::Release);
    }

    /// The same for loom, which lets the exchange in [`CurrentSlot::remove`] miss a store that no thread has ordered before
    /// it. No processor does: an exchange sees the newest value.
    #[cfg(all(test, feature = "loom"))]
    pub(super) fn set(&self, slot: PushSlot) {
        self.0.swap(slot.pack(), Ordering::AcqRel);
    }

    /// Removes a slot, unless there is a newer one.
    pub(super) fn remove(&self, slot: PushSlot) {
        let _newer = self.0.compare_exchange(slot.pack(), NO_SLOT, Ordering::AcqRel, Ordering::Relaxed);
    }
}
