//! How fast another server may send: so much at once, and so much a second.

use std::time::Duration;

use tokio::time::Instant;

/// A bucket that fills with time and is emptied by what comes.
pub(super) struct Pace {
    per_second: u32,
    /// When the bucket is full again.
    full_at: Instant,
}

impl Pace {
    /// So much a second, and a second's worth at once.
    pub(super) fn new(per_second: u32) -> Self {
        Self { per_second, full_at: Instant::now() }
    }

    /// Takes something, though it be more than there is: the next has to wait then.
    pub(super) fn take(&mut self, amount: usize, now: Instant) {
        let cost = Duration::from_secs_f64(amount as f64 / f64::from(self.per_second));
        self.full_at = self.full_at.max(now) + cost;
    }

    /// When there is something again, if there is nothing now.
    pub(super) fn empty_until(&self, now: Instant) -> Option<Instant> {
        let until = self.full_at.checked_sub(Duration::from_secs(1))?;
        (until > now).then_some(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_second_s_worth_is_there_at_once_and_then_it_fills_with_time() {
        let mut pace = Pace::new(100);
        let begun = Instant::now();
        pace.take(100, begun);
        assert_eq!(pace.empty_until(begun), None);
        pace.take(50, begun);
        let until = pace.empty_until(begun).unwrap();
        assert_eq!(until - begun, Duration::from_millis(500));
        assert_eq!(pace.empty_until(until), None);
    }
}
