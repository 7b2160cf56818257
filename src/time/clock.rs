//! A clock that does not follow the system's at once when that jumps forward.
//!
//! Whatever is stored once with a time of the future stays in the log, and no later time may be before it: a minute with a
//! wrong clock would date everything for years. So a jump of more than an hour, against a clock that nobody sets, is believed
//! only when it has lasted for [`CLOCK_TRUST`]. Until then times go on as before; if the clock jumps back, nothing happened.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use tracing::warn;

use crate::limits::{CLOCK_GAP, CLOCK_JUMP, CLOCK_TRUST};

/// The clock of this process.
static CLOCK: Clock = Clock::new();

pub(super) fn now() -> u64 {
    let wall = wall();
    CLOCK.fast(wall).unwrap_or_else(|| CLOCK.read(wall, steady()))
}

pub(super) fn watch() {
    CLOCK.read(wall(), steady());
}

pub(super) fn begin_after(log: u64) {
    CLOCK.begin_after(log, wall(), steady());
}

/// The system's time, in milliseconds since 1970.
fn wall() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis().try_into().unwrap_or(u64::MAX)
}

/// Milliseconds since the machine was started. Nobody sets this clock, and it goes on while the machine sleeps.
fn steady() -> u64 {
    let since = clock_gettime(ClockId::Boottime);
    u64::try_from(since.tv_sec).unwrap_or(0) * 1_000 + u64::try_from(since.tv_nsec).unwrap_or(0) / 1_000_000
}

struct Clock {
    /// The system's clock when it was last looked at with the steady one; 0 before.
    wall: AtomicU64,
    /// By how much the believed time is behind the system's.
    behind: AtomicU64,
    /// The rest, which only jumps and [`watch`] need.
    seen: Mutex<Seen>,
}

#[derive(Clone, Copy)]
struct Seen {
    /// The steady clock when both were last looked at.
    steady: u64,
    /// The same when the jump was noticed that is not believed.
    jumped: u64,
}

impl Clock {
    const fn new() -> Self {
        let seen = Mutex::new(Seen { steady: 0, jumped: 0 });
        Self { wall: AtomicU64::new(0), behind: AtomicU64::new(0), seen }
    }

    /// The believed time, if there was no jump since the clocks were last looked at.
    fn fast(&self, wall: u64) -> Option<u64> {
        let known = self.wall.load(Ordering::Acquire);
        let is_near = wall.abs_diff(known) <= millis(CLOCK_JUMP);
        is_near.then(|| wall.saturating_sub(self.behind.load(Ordering::Acquire)))
    }

    /// Looks at both clocks. Returns the believed time.
    fn read(&self, wall: u64, steady: u64) -> u64 {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, behind) = (self.wall.load(Ordering::Acquire), self.behind.load(Ordering::Acquire));
        let expected = known + steady.saturating_sub(seen.steady);
        let mut behind_now = behind;
        if known != 0 && wall > expected + millis(CLOCK_JUMP) {
            behind_now += wall - expected;
            seen.jumped = steady;
            warn!("the clock jumped forward by {}: it is not believed yet", shown(wall - expected));
        } else if known != 0 && wall + millis(CLOCK_JUMP) < expected {
            behind_now = behind.saturating_sub(expected - wall);
            warn!("the clock jumped back by {}", shown(expected - wall));
        } else if behind > 0 && steady.saturating_sub(seen.jumped) >= millis(CLOCK_TRUST) {
            behind_now = 0;
            warn!("the clock is believed now: it is {} further than the time before", shown(behind));
        }
        seen.steady = steady;
        self.behind.store(behind_now, Ordering::Release);
        self.wall.store(wall, Ordering::Release);
        wall.saturating_sub(behind_now)
    }

    /// Warns if a log ends long before now, or after it. If it ends so long ago that the clock is the likelier reason than a
    /// pause, times go on from there until the clock has stood for a while.
    fn begin_after(&self, log: u64, wall: u64, steady: u64) {
        let now = self.read(wall, steady);
        if log > now + millis(CLOCK_JUMP) {
            warn!(
                "the log is {} further than the clock: new messages get its time until the clock has come there",
                shown(log - now)
            );
        }
        let gap = now.saturating_sub(log);
        if log == 0 || gap <= millis(CLOCK_JUMP) {
            return;
        }
        if gap <= millis(CLOCK_GAP) {
            warn!(
                "the clock is {} further than the log: look at it, unless the server stood still for so long",
                shown(gap)
            );
            return;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.jumped = steady;
        self.behind.fetch_add(gap, Ordering::AcqRel);
        warn!("the clock is {} further than the log: it is not believed yet", shown(gap));
    }
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}

fn shown(millis: u64) -> String {
    let hours = millis / 3_600_000;
    if hours < 48 { format!("{hours} hours") } else { format!("{} days", hours / 24) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;
    const YEAR: u64 = 365 * 24 * HOUR;
    const START: u64 = 1_795_244_400_000;

    /// A clock that was looked at when the steady clock stood at 0.
    fn clock() -> Clock {
        let clock = Clock::new();
        assert_eq!(clock.read(START, 0), START);
        clock
    }

    #[test]
    fn a_clock_that_goes_on_is_believed() {
        let clock = clock();
        assert_eq!(clock.fast(START + 5), Some(START + 5));
        assert_eq!(clock.read(START + 9 * HOUR, 9 * HOUR), START + 9 * HOUR, "idle, or asleep");
        assert_eq!(clock.read(START + 9 * HOUR + 1_000, 9 * HOUR + 900), START + 9 * HOUR + 1_000, "corrected");
    }

    #[test]
    fn a_minute_in_another_year_dates_nothing() {
        let clock = clock();
        assert_eq!(clock.fast(START + 4 * YEAR), None);
        assert_eq!(clock.read(START + 4 * YEAR + 1_000, 1_000), START + 1_000);
        assert_eq!(clock.fast(START + 4 * YEAR + 60_000), Some(START + 60_000));
        assert_eq!(clock.fast(START + 61_000), None, "it is back");
        assert_eq!(clock.read(START + 61_000, 61_000), START + 61_000);
        assert_eq!(clock.fast(START + 62_000), Some(START + 62_000));
    }

    #[test]
    fn a_jump_that_lasts_is_believed() {
        let clock = clock();
        clock.read(START + YEAR, 0);
        let trust = millis(CLOCK_TRUST);
        assert_eq!(clock.read(START + YEAR + trust - 1, trust - 1), START + trust - 1);
        assert_eq!(clock.read(START + YEAR + trust, trust), START + YEAR + trust);
    }

    #[test]
    fn two_jumps_are_not_believed_either() {
        let clock = clock();
        clock.read(START + YEAR, 0);
        assert_eq!(clock.read(START + 3 * YEAR + 1_000, 1_000), START + 1_000);
        assert_eq!(clock.read(START + 2_000, 2_000), START + 2_000);
    }

    #[test]
    fn a_clock_that_was_wrong_may_go_back() {
        let clock = clock();
        assert_eq!(clock.read(START - YEAR, 1_000), START - YEAR, "the log keeps its time");
    }

    #[test]
    fn a_start_years_after_the_log_goes_on_from_the_log() {
        let clock = clock();
        clock.begin_after(START - 2 * YEAR, START, 0);
        assert_eq!(clock.fast(START + 5), Some(START - 2 * YEAR + 5));
        let trust = millis(CLOCK_TRUST);
        assert_eq!(clock.read(START + trust, trust), START + trust, "it has lasted");
    }

    #[test]
    fn a_start_after_a_night_is_believed() {
        let clock = clock();
        for log in [0, START - 10 * HOUR, START + YEAR] {
            clock.begin_after(log, START, 0);
            assert_eq!(clock.fast(START + 5), Some(START + 5), "{log}");
        }
    }
}
