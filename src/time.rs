//! Points in time as the protocol writes them.

mod clock;
mod pace;

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Time(pub u64);

impl Time {
    /// The system clock's time, except that a jump forward is not believed until it has lasted (`time/clock.rs`). It may go
    /// back; the hub keeps the log's time from going back.
    #[must_use]
    pub fn now() -> Self {
        Self(clock::now())
    }

    /// This time, or an earlier one if the clock has gone further than the process has run: what is removed because it is old
    /// goes by it, and what ends at a time.
    #[must_use]
    pub fn paced(self) -> Self {
        Self(pace::paced(self.0))
    }

    /// Paces time from now on by one that is right.
    pub fn set_pace(right: Self) {
        pace::set(right.0);
    }

    /// To be called every second: looks whether the clock has jumped.
    pub fn watch_clock() {
        clock::watch();
    }

    /// To be called with the newest time of a log, before anything is added to it: looks whether the clock has jumped since.
    pub fn begin_after(log: Self) {
        clock::begin_after(log.0);
    }

    /// Reads a time of the form of RFC 3339; fractions of a millisecond are left out. `None` if it is before 1970.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let timestamp: jiff::Timestamp = text.parse().ok()?;
        u64::try_from(timestamp.as_millisecond()).ok().map(Self)
    }

    /// `2026-11-21T07:00:00.123Z`, the form of every `time` in a reply (PROTOCOL §4).
    #[must_use]
    pub fn text(self) -> TimeText {
        let (second, millis) = (self.0 / 1_000, self.0 % 1_000);
        let (known, mut written) = SECOND.get();
        if known != second {
            written = write_second(second);
            SECOND.set((second, written));
        }
        let digit = |number: u64| b'0' + (number % 10) as u8;
        let mut text = [b'Z'; 24];
        let (to_second, fraction) = text.split_at_mut(written.len());
        to_second.copy_from_slice(&written);
        let millis = [b'.', digit(millis / 100), digit(millis / 10), digit(millis)];
        fraction.iter_mut().zip(millis).for_each(|(byte, written)| *byte = written);
        TimeText(text)
    }

    /// `2026-11-21 07:00Z`, for a person who reads many of them.
    #[must_use]
    pub fn to_minute(self) -> String {
        let text = self.text();
        let (date, time) = text.as_str().split_once('T').unwrap_or_default();
        format!("{date} {}Z", time.get(..5).unwrap_or_default())
    }

    #[must_use]
    pub fn after(self, lifetime: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long ago `earlier` was; zero if it is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

/// A time as text.
pub struct TimeText([u8; 24]);

impl TimeText {
    /// `2026-11-21T07:00:00.123Z`
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// `2026-11-21T07:00:00`
type Second = [u8; 19];

thread_local! {
    /// The second that was written last on this thread: most times are of the same as the one before, and the calendar
    /// is what costs.
    static SECOND: Cell<(u64, Second)> = Cell::new((0, write_second(0)));
}

fn write_second(second: u64) -> Second {
    let timestamp = jiff::Timestamp::from_second(i64::try_from(second).unwrap_or(i64::MAX));
    let text = timestamp.unwrap_or(jiff::Timestamp::MAX).to_string();
    let mut written = Second::default();
    for (byte, character) in written.iter_mut().zip(text.bytes()) {
        *byte = character;
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_written_with_milliseconds() {
        assert_eq!(Time(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Time(1_795_244_400_123).to_string(), "2026-11-21T07:00:00.123Z");
        assert_eq!(Time::parse("2026-11-21T07:00:00.123Z"), Some(Time(1_795_244_400_123)));
        assert_eq!(Time::parse("2026-11-21T08:00:00.1239+01:00"), Some(Time(1_795_244_400_123)));
        for bad in ["", "yesterday", "2026-11-21", "1969-12-31T23:59:59Z"] {
            assert_eq!(Time::parse(bad), None, "{bad}");
        }
        assert!(Time(u64::MAX).to_string().starts_with("9999-12-30"));
    }
}
