//! Throttle of failed logins, by address and by name (PROTOCOL §2).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::limits::{FAILURE_FORGIVEN, FAILURES_PER_ADDRESS, FAILURES_PER_NAME, FAILURES_REMEMBERED};
use crate::name::FoldedName;
use crate::net::origin::origin;

/// What failures are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ThrottleKey {
    Address(IpAddr),
    Account(FoldedName),
    Group(FoldedName),
}

/// The target that an attempt knocks at: whose password it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoginTarget {
    /// An account's.
    Account(FoldedName),
    /// A group's.
    Group(FoldedName),
}

/// Counts recent failed logins.
#[derive(Default)]
pub struct Throttle {
    failures: Mutex<HashMap<ThrottleKey, Failures>>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last_forgiven: Instant,
}

impl Throttle {
    #[must_use]
    pub(super) fn is_allowed(&self, address: IpAddr, target: LoginTarget, now: Instant) -> bool {
        let mut failures = self.failures();
        keys(address, target).into_iter().all(|(key, most)| {
            let Some(past) = failures.get_mut(&key) else { return true };
            past.forgive(now);
            past.count < most
        })
    }

    pub(super) fn record_failure(&self, address: IpAddr, target: LoginTarget, now: Instant) {
        let mut failures = self.failures();
        for (key, most) in keys(address, target) {
            if failures.len() >= FAILURES_REMEMBERED && !failures.contains_key(&key) {
                make_room(&mut failures, now);
            }
            let past = failures.entry(key).or_insert(Failures { count: 0, last_forgiven: now });
            past.forgive(now);
            past.count = (past.count + 1).min(most);
        }
    }

    fn failures(&self) -> MutexGuard<'_, HashMap<ThrottleKey, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failures {
    fn forgive(&mut self, now: Instant) {
        let forgiven = now.saturating_duration_since(self.last_forgiven).as_secs() / FAILURE_FORGIVEN.as_secs();
        if forgiven > 0 {
            self.count = self.count.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX));
            self.last_forgiven = now;
        }
    }
}

fn keys(address: IpAddr, target: LoginTarget) -> [(ThrottleKey, u32); 2] {
    let name = match target {
        LoginTarget::Account(name) => ThrottleKey::Account(name),
        LoginTarget::Group(name) => ThrottleKey::Group(name),
    };
    [(ThrottleKey::Address(origin(address)), FAILURES_PER_ADDRESS), (name, FAILURES_PER_NAME)]
}

/// Drops entries that are forgiven, and if there are none, those with the fewest failures.
fn make_room(failures: &mut HashMap<ThrottleKey, Failures>, now: Instant) {
    failures.retain(|_, past| {
        past.forgive(now);
        past.count > 0
    });
    if failures.len() < FAILURES_REMEMBERED {
        return;
    }
    let least = failures.values().map(|past| past.count).min().unwrap_or(0);
    failures.retain(|_, past| past.count > least);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    fn account(name: &str) -> LoginTarget {
        LoginTarget::Account(Name::parse(name).unwrap().folded())
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn a_name_is_closed_after_too_many_failures_wherever_they_came_from() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for attempt in 0..FAILURES_PER_NAME {
            assert!(throttle.is_allowed(address(1), account("messi"), now));
            throttle.record_failure(address(u8::try_from(attempt).unwrap()), account("messi"), now);
        }
        assert!(!throttle.is_allowed(address(99), account("messi"), now));
        assert!(throttle.is_allowed(address(99), account("henderson"), now));
    }

    #[test]
    fn an_address_is_closed_after_too_many_failures_whatever_the_names() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for attempt in 0..FAILURES_PER_ADDRESS {
            throttle.record_failure(address(1), account(&format!("user{attempt}")), now);
        }
        assert!(!throttle.is_allowed(address(1), account("messi"), now));
        assert!(throttle.is_allowed(address(2), account("messi"), now));
    }

    #[test]
    fn failures_are_forgiven_one_by_one() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..FAILURES_PER_NAME {
            throttle.record_failure(address(1), account("messi"), now);
        }
        let later = now + FAILURE_FORGIVEN;
        assert!(throttle.is_allowed(address(1), account("messi"), later));
        throttle.record_failure(address(1), account("messi"), later);
        assert!(!throttle.is_allowed(address(1), account("messi"), later));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut failures = HashMap::new();
        let now = Instant::now();
        for number in 0..FAILURES_REMEMBERED {
            let address = IpAddr::V4(u32::try_from(number).unwrap().into());
            let count = if number == 7 { 2 } else { 1 };
            failures.insert(ThrottleKey::Address(address), Failures { count, last_forgiven: now });
        }
        make_room(&mut failures, now);
        assert_eq!(failures.len(), 1, "only the worst is still remembered");
    }
}
