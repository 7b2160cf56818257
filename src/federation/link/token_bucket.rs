//! Limits the rate of what another server sends.

use std::time::Duration;

use tokio::time::Instant;

/// Holds at most one second's worth of tokens.
pub(super) struct TokenBucket {
    per_second: u32,
    full_at: Instant,
}

impl TokenBucket {
    /// A full bucket.
    pub(super) fn new(per_second: u32) -> Self {
        Self { per_second, full_at: Instant::now() }
    }

    /// Takes tokens, even more than there are: the bucket is in debt then.
    pub(super) fn take(&mut self, amount: usize, now: Instant) {
        let cost = Duration::from_secs_f64(amount as f64 / f64::from(self.per_second));
        self.full_at = self.full_at.max(now) + cost;
    }

    /// When the bucket is out of debt, or `None` if it is now.
    pub(super) fn in_debt_until(&self, now: Instant) -> Option<Instant> {
        let until = self.full_at.checked_sub(Duration::from_secs(1))?;
        (until > now).then_some(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_bucket_allows_a_burst_of_one_second_and_refills() {
        let mut bucket = TokenBucket::new(100);
        let begun = Instant::now();
        bucket.take(100, begun);
        assert_eq!(bucket.in_debt_until(begun), None);
        bucket.take(50, begun);
        let until = bucket.in_debt_until(begun).unwrap();
        assert_eq!(until - begun, Duration::from_millis(500));
        assert_eq!(bucket.in_debt_until(until), None);
    }
}
