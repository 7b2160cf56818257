//! Throttle of attempts at passwords (PROTOCOL §2).
//!
//! An attempt counts while its password is hashed, so that attempts in parallel are no way around: as many run at a time as
//! may fail, and further ones wait for these. What refuses is only (target, address): nobody can lock somebody out who is
//! elsewhere. Many failures at one target from anywhere, or from one address at any target, slow attempts down; a user who
//! is logged in from the same address is not slowed.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::limits::{
    FAILURE_DELAY, FAILURE_DELAY_MAX, FAILURE_FORGIVEN, FAILURES_BEFORE_DELAY, FAILURES_PER_TARGET, FAILURES_REMEMBERED,
};
use crate::name::FoldedName;
use crate::net::origin::origin;

/// What failures are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ThrottleKey {
    TargetFrom(LoginTarget, IpAddr),
    Target(LoginTarget),
    Address(IpAddr),
}

/// Whose password is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum LoginTarget {
    /// An account's, to log in.
    Account(FoldedName),
    /// An account's, from a session of it: guesses of others do not count.
    Own(FoldedName),
    /// A group's.
    Group(FoldedName),
}

/// Counts recent attempts at passwords that failed, or are not known yet to be right.
#[derive(Default)]
pub struct Throttle {
    failures: Mutex<HashMap<ThrottleKey, Failures>>,
    settled: Notify,
}

/// An attempt that counts until it is dropped.
pub(super) struct Attempt<'a> {
    throttle: &'a Throttle,
    target: LoginTarget,
    address: IpAddr,
    /// How long to wait before the password is checked.
    pub(super) delay: Duration,
}

/// Why an attempt does not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// Too many failed; the next one is allowed after so many seconds.
    Throttled(u32),
    /// Others are under way, and may fail: try again when one is settled.
    UnderWay,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    /// Attempts whose outcome is not known yet.
    under_way: u32,
    last_forgiven: Instant,
}

impl Throttle {
    /// Begins an attempt. `is_known`: the user is logged in from this address already.
    pub(super) fn begin(
        &self,
        target: LoginTarget,
        address: IpAddr,
        is_known: bool,
        now: Instant,
    ) -> Result<Attempt<'_>, Held> {
        let address = origin(address);
        let mut failures = self.failures();
        let slowing = [ThrottleKey::Target(target), ThrottleKey::Address(address)];
        let failed = slowing.map(|key| failures.get(&key).map_or(0, |past| past.as_of(now).count));
        let strict = row(&mut failures, ThrottleKey::TargetFrom(target, address), now);
        if strict.count >= FAILURES_PER_TARGET {
            return Err(Held::Throttled(strict.retry_after(now)));
        }
        if strict.count + strict.under_way >= FAILURES_PER_TARGET {
            return Err(Held::UnderWay);
        }
        strict.under_way += 1;
        let delay = if is_known { Duration::ZERO } else { delay(failed.into_iter().max().unwrap_or(0)) };
        Ok(Attempt { throttle: self, target, address, delay })
    }

    /// Waits until an attempt is settled. One that is settled between this call and the await counts.
    pub(super) fn settled(&self) -> Notified<'_> {
        self.settled.notified()
    }

    fn failures(&self) -> MutexGuard<'_, HashMap<ThrottleKey, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// The password was right: its target has no failures from this address any more.
    pub(super) fn succeeded(self) {
        if let Some(strict) = self.throttle.failures().get_mut(&self.strict()) {
            strict.count = 0;
        }
    }

    /// The password was wrong.
    pub(super) fn failed(self, now: Instant) {
        let mut failures = self.throttle.failures();
        for key in [self.strict(), ThrottleKey::Target(self.target), ThrottleKey::Address(self.address)] {
            let past = row(&mut failures, key, now);
            past.count = past.count.saturating_add(1);
        }
    }

    fn strict(&self) -> ThrottleKey {
        ThrottleKey::TargetFrom(self.target, self.address)
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if let Some(strict) = self.throttle.failures().get_mut(&self.strict()) {
            strict.under_way = strict.under_way.saturating_sub(1);
        }
        self.throttle.settled.notify_waiters();
    }
}

/// Grows with the failures past the first ones, which cost nothing.
fn delay(failures: u32) -> Duration {
    (FAILURE_DELAY * failures.saturating_sub(FAILURES_BEFORE_DELAY)).min(FAILURE_DELAY_MAX)
}

/// The row of a key as of now, made if it is missing.
fn row(failures: &mut HashMap<ThrottleKey, Failures>, key: ThrottleKey, now: Instant) -> &mut Failures {
    if failures.len() >= FAILURES_REMEMBERED && !failures.contains_key(&key) {
        make_room(failures, now);
    }
    let past = failures.entry(key).or_insert(Failures { count: 0, under_way: 0, last_forgiven: now });
    *past = past.as_of(now);
    past
}

impl Failures {
    /// With what is forgiven by now.
    fn as_of(self, now: Instant) -> Self {
        let passed = now.saturating_duration_since(self.last_forgiven).as_secs() / FAILURE_FORGIVEN.as_secs();
        let forgiven = u32::try_from(passed).unwrap_or(u32::MAX);
        match self.count.checked_sub(forgiven) {
            Some(count) if count > 0 => {
                Self { count, last_forgiven: self.last_forgiven + FAILURE_FORGIVEN * forgiven, ..self }
            }
            _ => Self { count: 0, last_forgiven: now, ..self },
        }
    }

    fn retry_after(self, now: Instant) -> u32 {
        let next = (self.last_forgiven + FAILURE_FORGIVEN).saturating_duration_since(now);
        u32::try_from(next.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
    }
}

/// Drops entries that are forgiven, and if there are none, those with the fewest failures.
fn make_room(failures: &mut HashMap<ThrottleKey, Failures>, now: Instant) {
    failures.retain(|_, past| {
        *past = past.as_of(now);
        past.count > 0 || past.under_way > 0
    });
    if failures.len() < FAILURES_REMEMBERED {
        return;
    }
    let least = failures.values().map(|past| past.count).min().unwrap_or(0);
    failures.retain(|_, past| past.count > least || past.under_way > 0);
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

    fn begun(throttle: &Throttle, target: LoginTarget, address: IpAddr, now: Instant) -> Attempt<'_> {
        throttle.begin(target, address, false, now).unwrap_or_else(|held| panic!("{held:?}"))
    }

    /// Begins attempts whose passwords are wrong.
    fn fails(throttle: &Throttle, target: LoginTarget, address: IpAddr, times: u32, now: Instant) {
        for _ in 0..times {
            begun(throttle, target, address, now).failed(now);
        }
    }

    #[test]
    fn too_many_failures_close_a_name_to_their_address_and_to_no_other() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        fails(&throttle, account("messi"), address(1), FAILURES_PER_TARGET, now);
        assert_eq!(throttle.begin(account("messi"), address(1), false, now).err(), Some(Held::Throttled(6)));
        assert!(throttle.begin(account("messi"), address(2), false, now).is_ok());
        assert!(throttle.begin(account("henderson"), address(1), false, now).is_ok());
    }

    #[test]
    fn as_many_attempts_run_in_parallel_as_may_fail_and_others_wait() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let mut running: Vec<_> =
            (0..FAILURES_PER_TARGET).map(|_| begun(&throttle, account("messi"), address(1), now)).collect();
        let held = || throttle.begin(account("messi"), address(1), false, now).err();
        assert_eq!(held(), Some(Held::UnderWay));
        running.pop().unwrap().succeeded();
        running.push(begun(&throttle, account("messi"), address(1), now));
        running.into_iter().for_each(|attempt| attempt.failed(now));
        assert_eq!(held(), Some(Held::Throttled(6)));
    }

    #[test]
    fn a_success_ends_the_failures_of_its_name_and_address() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        fails(&throttle, account("messi"), address(1), FAILURES_PER_TARGET - 1, now);
        begun(&throttle, account("messi"), address(1), now).succeeded();
        fails(&throttle, account("messi"), address(1), FAILURES_PER_TARGET, now);
    }

    #[test]
    fn an_attempt_that_was_not_checked_does_not_count() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..10 * FAILURES_PER_TARGET {
            drop(begun(&throttle, account("messi"), address(1), now));
        }
        fails(&throttle, account("messi"), address(1), FAILURES_PER_TARGET, now);
    }

    #[test]
    fn failures_at_a_name_from_anywhere_slow_it_down_for_whoever_is_not_known_at_the_address() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        (0..100).for_each(|last| fails(&throttle, account("messi"), address(last), 2, now));
        let delay = |is_known| {
            throttle.begin(account("messi"), address(200), is_known, now).map_or(Duration::MAX, |attempt| attempt.delay)
        };
        assert_eq!((delay(false), delay(true)), (FAILURE_DELAY_MAX, Duration::ZERO));
    }

    #[test]
    fn failures_from_an_address_slow_it_down_and_refuse_nobody() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for number in 0..400 {
            fails(&throttle, account(&format!("user{number}")), address(1), 1, now);
        }
        assert_eq!(begun(&throttle, account("messi"), address(1), now).delay, FAILURE_DELAY_MAX);
        assert_eq!(begun(&throttle, account("messi"), address(2), now).delay, Duration::ZERO);
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let in_network = |last: u32| format!("2001:db8:1:2::{last:x}").parse().unwrap();
        (0..FAILURES_PER_TARGET).for_each(|last| fails(&throttle, account("messi"), in_network(last), 1, now));
        assert!(throttle.begin(account("messi"), in_network(999), false, now).is_err());
    }

    #[test]
    fn guesses_of_others_do_not_count_against_a_change_of_the_own_password() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        fails(&throttle, account("messi"), address(1), FAILURES_PER_TARGET, now);
        let own = LoginTarget::Own(Name::parse("messi").unwrap().folded());
        assert!(throttle.begin(own, address(1), true, now).is_ok());
    }

    #[test]
    fn failures_are_forgiven_one_by_one() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        fails(&throttle, account("messi"), address(1), FAILURES_PER_TARGET, now);
        let later = now + FAILURE_FORGIVEN;
        fails(&throttle, account("messi"), address(1), 1, later);
        assert!(throttle.begin(account("messi"), address(1), false, later).is_err());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut failures = HashMap::new();
        let now = Instant::now();
        for number in 0..FAILURES_REMEMBERED {
            let address = IpAddr::V4(u32::try_from(number).unwrap().into());
            let count = if number == 7 { 2 } else { 1 };
            failures.insert(ThrottleKey::Address(address), Failures { count, under_way: 0, last_forgiven: now });
        }
        make_room(&mut failures, now);
        assert_eq!(failures.len(), 1, "only the worst is still remembered");
    }
}
