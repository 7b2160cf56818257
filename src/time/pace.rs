//! The paced time: that of the clock, but no further than the process has run since a time that was right. What is removed
//! because it is old goes by it, and what ends at a time: a clock that is wrong by years must not remove everything, nor lift
//! a ban.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::limits::CLOCK_PAUSE;

/// A time that was right, and when that was. `None`: nothing is known, and the clock is followed.
static PACE: Mutex<Option<(u64, Instant)>> = Mutex::new(None);

/// Up to here the clock is followed in any case: every request asks, and takes no lock for it.
static FOLLOWED: AtomicU64 = AtomicU64::new(0);

pub(super) fn set(right: u64) {
    let mut pace = PACE.lock().unwrap_or_else(PoisonError::into_inner);
    *pace = Some((right, Instant::now()));
    FOLLOWED.store(plus(right, CLOCK_PAUSE), Ordering::Relaxed);
}

pub(super) fn paced(now: u64) -> u64 {
    if now <= FOLLOWED.load(Ordering::Relaxed) {
        return now;
    }
    let pace = *PACE.lock().unwrap_or_else(PoisonError::into_inner);
    pace.map_or(now, |(right, since)| advance(right, since.elapsed(), now))
}

/// A pause that is not long is believed.
fn advance(right: u64, ran: Duration, now: u64) -> u64 {
    // Nothing is right yet at the first start.
    if right == 0 || now <= plus(right, ran + CLOCK_PAUSE) { now } else { plus(right, ran) }
}

fn plus(time: u64, more: Duration) -> u64 {
    time.saturating_add(more.as_millis().try_into().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 3_600_000;
    const NOW: u64 = 1_795_244_400_000;

    fn advanced(right: u64, ran_days: u64, now: u64) -> u64 {
        advance(right, Duration::from_millis(ran_days * DAY), now)
    }

    #[test]
    fn a_clock_that_goes_on_is_followed() {
        assert_eq!(advanced(0, 0, NOW), NOW, "the first start");
        assert_eq!(advanced(NOW, 30, NOW + 30 * DAY), NOW + 30 * DAY);
        assert_eq!(advanced(NOW, 0, NOW + DAY / 2), NOW + DAY / 2, "after a night");
        assert_eq!(advanced(NOW, 0, NOW - DAY), NOW - DAY, "the clock went back");
    }

    #[test]
    fn a_clock_two_years_ahead_is_not_followed() {
        let ahead = NOW + 730 * DAY;
        assert_eq!(advanced(NOW, 0, ahead), NOW);
        assert_eq!(advanced(NOW, 3, ahead + 3 * DAY), NOW + 3 * DAY, "by the time that it has run");
        assert_eq!(advanced(ahead - DAY / 2, 0, ahead), ahead, "once it is confirmed");
    }
}
