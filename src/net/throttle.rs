//! Throttle of attempts at passwords (PROTOCOL §2).
//!
//! An attempt counts while its password is hashed, so that attempts in parallel are no way around: as many run at a time as
//! may fail, and further ones wait for these. What refuses is only (target, address): nobody can lock somebody out who is
//! elsewhere. Many failures at one target from anywhere, or from one address at any target, slow attempts down; a user who
//! is logged in from the same address is not slowed.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::limits::{
    FAILURE_DELAY, FAILURE_DELAY_MAX, FAILURE_FORGIVEN, FAILURES_BEFORE_DELAY, FAILURES_PER_TARGET, FAILURES_REMEMBERED,
};
use crate::name::FoldedName;
use crate::net::origin::origin;

/// The key that failures are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ThrottleKey {
    TargetFrom(LoginTarget, IpAddr),
    Target(LoginTarget),
    Address(IpAddr),
}

/// The account or group whose password is tried.
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
    /// Woken one by one as attempts at the same target from the same address are settled.
    waiting: Mutex<HashMap<ThrottleKey, Arc<Notify>>>,
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
#[derive(Debug)]
pub(super) enum Held {
    /// Too many failed; the next one is allowed after so many seconds.
    Throttled(u32),
    /// Others are under way, and may fail: try again when this is notified, and notify it again if the next try is
    /// throttled.
    UnderWay(Arc<Notify>),
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
        let strict_key = ThrottleKey::TargetFrom(target, address);
        let strict = row(&mut failures, strict_key, now);
        if strict.count >= FAILURES_PER_TARGET {
            return Err(Held::Throttled(strict.retry_after(now)));
        }
        if strict.count + strict.under_way >= FAILURES_PER_TARGET {
            return Err(Held::UnderWay(self.waiting().entry(strict_key).or_default().clone()));
        }
        strict.under_way += 1;
        let delay = if is_known { Duration::ZERO } else { delay(failed.into_iter().max().unwrap_or(0)) };
        Ok(Attempt { throttle: self, target, address, delay })
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<ThrottleKey, Arc<Notify>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes so many who wait for attempts at a target from an address.
    fn wake(&self, key: ThrottleKey, count: u32) {
        let mut waiting = self.waiting();
        let Some(waiters) = waiting.get(&key) else { return };
        (0..count).for_each(|_| waiters.notify_one());
        // Nobody waits any more.
        if Arc::strong_count(waiters) == 1 {
            waiting.remove(&key);
        }
    }

    fn failures(&self) -> MutexGuard<'_, HashMap<ThrottleKey, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// The password was right: its target has no failures from this address any more.
    pub(super) fn succeeded(self) {
        let before = self.throttle.failures().get_mut(&self.strict()).map(|strict| std::mem::take(&mut strict.count));
        self.throttle.wake(self.strict(), before.unwrap_or_default());
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
        self.throttle.wake(self.strict(), 1);
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

/// Drops entries that are forgiven, and if most are not, those with the fewest failures: an eighth of all, so that an entry
/// costs little on average, also when somebody fills the map.
fn make_room(failures: &mut HashMap<ThrottleKey, Failures>, now: Instant) {
    failures.retain(|_, past| {
        *past = past.as_of(now);
        past.count > 0 || past.under_way > 0
    });
    let excess = failures.len().saturating_sub(FAILURES_REMEMBERED / 8 * 7);
    if excess == 0 {
        return;
    }
    let mut counts: Vec<u32> = failures.values().map(|past| past.count).collect();
    let (fewer, few, _) = counts.select_nth_unstable(excess - 1);
    let few = *few;
    let mut with_few = excess - fewer.iter().filter(|count| **count < few).count();
    failures.retain(|_, past| {
        let is_dropped = past.under_way == 0 && (past.count < few || (past.count == few && with_few > 0));
        with_few -= usize::from(is_dropped && past.count == few);
        !is_dropped
    });
}
