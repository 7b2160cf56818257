//! Until when a node may serve without word from its cluster. One that is cut off would honour sessions that were ended.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Until when the node may serve.
pub(super) struct Contact {
    /// False for a server on its own.
    is_needed: AtomicBool,
    begun: Instant,
    /// In nanoseconds after the beginning.
    until: AtomicU64,
}

impl Default for Contact {
    fn default() -> Self {
        Self { is_needed: AtomicBool::new(false), begun: Instant::now(), until: AtomicU64::new(0) }
    }
}

impl Contact {
    /// The server is a node of a cluster.
    pub(super) fn need(&self) {
        self.is_needed.store(true, Ordering::Release);
    }

    pub(super) fn is_needed(&self) -> bool {
        self.is_needed.load(Ordering::Acquire)
    }

    pub(super) fn extend(&self, until: Instant) {
        let until = until.saturating_duration_since(self.begun);
        self.until.fetch_max(until.as_nanos().try_into().unwrap_or(u64::MAX), Ordering::AcqRel);
    }

    pub(super) fn is_lost(&self, now: Instant) -> bool {
        self.is_needed() && now > self.begun + Duration::from_nanos(self.until.load(Ordering::Acquire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_without_word_is_lost_and_a_server_on_its_own_is_not() {
        let (contact, now) = (Contact::default(), Instant::now());
        assert!(!contact.is_lost(now));
        contact.need();
        assert!(contact.is_lost(now));
        contact.extend(now + Duration::from_secs(3));
        contact.extend(now + Duration::from_secs(2));
        assert!(!contact.is_lost(now + Duration::from_secs(3)));
        assert!(contact.is_lost(now + Duration::from_secs(4)));
    }
}
