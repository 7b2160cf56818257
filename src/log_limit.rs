//! How often something may be logged that others can bring about: once a second for each of them, and some lines a second in
//! all.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::limits::{LOG_LIMIT, LOG_LIMIT_KEYS};

/// Limits the lines of one kind, by who brings them about.
pub(crate) struct LogLimit<K>(Mutex<Logged<K>>);

struct Logged<K> {
    /// The start of the second that is counted, and the keys logged since then.
    second: Option<Instant>,
    keys: HashMap<K, Instant>,
    /// Keys in a second.
    most: usize,
    left_out: u64,
}

impl<K> Default for LogLimit<K> {
    fn default() -> Self {
        Self::of(LOG_LIMIT_KEYS)
    }
}

impl<K> LogLimit<K> {
    /// For so many in a second.
    pub(crate) fn of(most: usize) -> Self {
        Self(Mutex::new(Logged { second: None, keys: HashMap::new(), most, left_out: 0 }))
    }
}

impl<K: Eq + Hash> LogLimit<K> {
    /// Whether a line may be logged. Returns how many were left out before it.
    pub(crate) fn allows(&self, key: K, now: Instant) -> Option<u64> {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.second.is_none_or(|second| now.saturating_duration_since(second) >= LOG_LIMIT) {
            logged.second = Some(now);
            logged.keys.retain(|_, at| now.saturating_duration_since(*at) < LOG_LIMIT);
        }
        let is_recent = |at: &Instant| now.saturating_duration_since(*at) < LOG_LIMIT;
        if logged.keys.get(&key).is_some_and(is_recent) || logged.keys.len() >= logged.most {
            logged.left_out += 1;
            return None;
        }
        logged.keys.insert(key, now);
        Some(std::mem::take(&mut logged.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_logged_once_a_second() {
        let (limit, begun) = (LogLimit::default(), Instant::now());
        let allowed = ["messi", "messi", "paff", "messi"].map(|user| limit.allows(user, begun));
        assert_eq!(allowed, [Some(0), None, Some(1), None]);
        assert_eq!(limit.allows("messi", begun + LOG_LIMIT), Some(1));
    }

    #[test]
    fn all_together_are_bounded() {
        let (limit, begun) = (LogLimit::default(), Instant::now());
        let allowed = (0..10_000).filter(|user| limit.allows(*user, begun).is_some()).count();
        assert_eq!(allowed, LOG_LIMIT_KEYS);
        assert_eq!(limit.allows(7, begun + LOG_LIMIT), Some(10_000 - LOG_LIMIT_KEYS as u64));
    }
}
