//! How long to wait before the next try.

use std::time::Duration;

use crate::limits::{CLIENT_RETRY, CLIENT_RETRY_MAX};

/// Exponential, with jitter, so that a thousand clients of a restarted server do not come back at once.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after one more failure: between a half and all of a bound that doubles up to [`CLIENT_RETRY_MAX`].
    pub(super) fn next(&mut self) -> Duration {
        let bound = CLIENT_RETRY.saturating_mul(1 << self.failures.min(16)).min(CLIENT_RETRY_MAX);
        self.failures += 1;
        bound.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_grow_to_a_bound_and_begin_again() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..32).map(|_| backoff.next()).collect();
        assert!(waits[0] <= CLIENT_RETRY && waits[4] > waits[0]);
        assert!(waits.iter().all(|wait| *wait <= CLIENT_RETRY_MAX));
        assert!(waits[31] >= CLIENT_RETRY_MAX / 2);
        backoff.reset();
        assert!(backoff.next() <= CLIENT_RETRY);
    }
}
