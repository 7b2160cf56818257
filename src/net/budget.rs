//! What one user may do in a second and in a day, over all connections (`[limits]` in the configuration).
//!
//! A bucket is one number, so that taking from it needs no lock. A connection takes for many messages at a time, and counts
//! down its own credit for each: what is not used it gives back.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::chat::{Command, CommandError};
use crate::id::UserId;
use crate::limits::{BUDGETS_REMEMBERED, CREDIT_BYTES, CREDIT_MESSAGES, READING_BURST, READS_PER_USER};
use crate::net::origin::origin;

/// So many in a period, at once or one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    pub(crate) most: u64,
    pub(crate) period: Duration,
}

/// The rates of one user; `None` where there is no limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rates {
    pub(crate) messages: [Option<Rate>; 2],
    pub(crate) bytes: [Option<Rate>; 2],
    pub(crate) groups: Option<Rate>,
    pub(crate) realms: Option<Rate>,
    /// Of an address.
    pub(crate) registrations: Option<Rate>,
}

/// The budgets of all users that did something of late.
pub struct Budgets {
    rates: Rates,
    /// Messages and bytes that a connection takes at a time: a little of the least rate.
    credit: (u64, u64),
    begun: Instant,
    users: Mutex<HashMap<UserId, Arc<UserBudget>>>,
    /// For registrations.
    addresses: Mutex<HashMap<IpAddr, Bucket>>,
}

/// The buckets of one user.
pub(super) struct UserBudget {
    messages: [Bucket; 2],
    bytes: [Bucket; 2],
    groups: Bucket,
    realms: Bucket,
    /// Time that readers of the store spent for the user.
    reading: Bucket,
    /// Pages that are read at a time.
    pub(super) reads: Semaphore,
}

/// When the bucket is full again, in nanoseconds since the start.
#[derive(Default)]
struct Bucket(AtomicU64);

/// What a connection has taken for messages of its user and not used yet.
pub(super) struct Credit {
    pub(super) user: UserId,
    budget: Arc<UserBudget>,
    messages: u64,
    bytes: u64,
}

impl Bucket {
    /// Takes an amount, or returns how long until there is as much.
    fn take(&self, rate: Option<Rate>, amount: u64, now: u64) -> Result<(), Duration> {
        let Some(rate) = rate else { return Ok(()) };
        let (cost, room) = (rate.cost(amount), rate.nanos());
        let taken = self.0.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |full_at| {
            let full_at = full_at.max(now) + cost;
            // Whoever wants more than a bucket holds waits for a full one.
            (full_at - now <= room || full_at == now + cost).then_some(full_at)
        });
        let missing = |full_at: u64| Duration::from_nanos((full_at.max(now) + cost - now).saturating_sub(room));
        taken.map(drop).map_err(missing)
    }

    fn give_back(&self, rate: Option<Rate>, amount: u64) {
        let Some(rate) = rate else { return };
        let cost = rate.cost(amount);
        let _updated = self.0.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |at| Some(at.saturating_sub(cost)));
    }

    fn is_full(&self, now: u64) -> bool {
        self.0.load(Ordering::Acquire) <= now
    }
}

impl Rate {
    fn nanos(self) -> u64 {
        u64::try_from(self.period.as_nanos()).unwrap_or(u64::MAX)
    }

    fn cost(self, amount: u64) -> u64 {
        let cost = u128::from(amount) * self.period.as_nanos() / u128::from(self.most.max(1));
        u64::try_from(cost).unwrap_or(u64::MAX / 4)
    }
}

impl Budgets {
    #[must_use]
    pub(crate) fn new(rates: Rates) -> Self {
        let little = |rates: [Option<Rate>; 2]| rates.into_iter().flatten().map(|rate| rate.most / 64).min();
        let messages = little(rates.messages).map_or(CREDIT_MESSAGES, |little| little.min(CREDIT_MESSAGES));
        let bytes = little(rates.bytes).map_or(CREDIT_BYTES, |little| little.min(CREDIT_BYTES));
        Self {
            rates,
            credit: (messages, bytes),
            begun: Instant::now(),
            users: Mutex::default(),
            addresses: Mutex::default(),
        }
    }

    /// The budget of a user.
    pub(super) fn of(&self, user: UserId) -> Arc<UserBudget> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if users.len() >= BUDGETS_REMEMBERED && !users.contains_key(&user) {
            let now = self.now();
            users.retain(|_, budget| Arc::strong_count(budget) > 1 || !budget.is_full(now));
        }
        users.entry(user).or_default().clone()
    }

    /// Takes from the budget of a user for a command; what it costs beside a message's bytes is little.
    ///
    /// # Errors
    /// [`CommandError::SlowDown`].
    pub(super) fn take(&self, user: UserId, command: &Command) -> Result<(), CommandError> {
        let (rates, now) = (&self.rates, self.now());
        let taken = match command {
            Command::CreateGroup { .. } => self.of(user).groups.take(rates.groups, 1, now),
            Command::AddRealm { .. } => self.of(user).realms.take(rates.realms, 1, now),
            _ => match message_bytes(command) {
                Some(bytes) => self.of(user).take_messages(rates, 1, bytes, now),
                None => Ok(()),
            },
        };
        taken.map_err(slow_down)
    }

    /// Takes for a link to another server.
    ///
    /// # Errors
    /// [`CommandError::SlowDown`].
    pub(super) fn take_realm(&self, user: UserId) -> Result<(), CommandError> {
        self.of(user).realms.take(self.rates.realms, 1, self.now()).map_err(slow_down)
    }

    /// Takes for a registration from an address. This machine's own stand for any number of people.
    ///
    /// # Errors
    /// [`CommandError::SlowDown`].
    pub(super) fn take_registration(&self, address: IpAddr) -> Result<(), CommandError> {
        let (address, now) = (origin(address), self.now());
        if address.is_loopback() {
            return Ok(());
        }
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if addresses.len() >= BUDGETS_REMEMBERED {
            addresses.retain(|_, bucket| !bucket.is_full(now));
        }
        addresses.entry(address).or_default().take(self.rates.registrations, 1, now).map_err(slow_down)
    }

    /// Takes from the credit of a connection, and more credit if that is used up.
    ///
    /// # Errors
    /// [`CommandError::SlowDown`].
    pub(super) fn take_from(&self, credit: &mut Credit, bytes: u64) -> Result<(), CommandError> {
        if credit.messages == 0 || credit.bytes < bytes {
            let (rates, now) = (&self.rates, self.now());
            self.give_back(credit);
            let (messages, more) = (1 + self.credit.0, bytes + self.credit.1);
            let budget = &credit.budget;
            (credit.messages, credit.bytes) = match budget.take_messages(rates, messages, more, now) {
                Ok(()) => (messages, more),
                Err(_) => budget.take_messages(rates, 1, bytes, now).map(|()| (1, bytes)).map_err(slow_down)?,
            };
        }
        credit.messages -= 1;
        credit.bytes -= bytes;
        Ok(())
    }

    pub(super) fn credit(&self, user: UserId) -> Credit {
        Credit { user, budget: self.of(user), messages: 0, bytes: 0 }
    }

    pub(super) fn give_back(&self, credit: &mut Credit) {
        let Credit { budget, messages, bytes, .. } = credit;
        let (messages, bytes) = (std::mem::take(messages), std::mem::take(bytes));
        for (bucket, rate) in budget.messages.iter().zip(self.rates.messages) {
            bucket.give_back(rate, messages);
        }
        for (bucket, rate) in budget.bytes.iter().zip(self.rates.bytes) {
            bucket.give_back(rate, bytes);
        }
    }

    /// Whether the readers of the store have time for the user.
    ///
    /// # Errors
    /// [`CommandError::SlowDown`].
    pub(super) fn check_reading(&self, budget: &UserBudget) -> Result<(), CommandError> {
        budget.reading.take(Some(READING), 0, self.now()).map_err(slow_down)
    }

    /// Records the time that a reader spent for the user.
    pub(super) fn record_reading(&self, budget: &UserBudget, spent: Duration) {
        let (spent, now) = (u64::try_from(spent.as_nanos()).unwrap_or(u64::MAX / 4), self.now());
        let later = |full_at: u64| Some(full_at.max(now) + spent);
        let _updated = budget.reading.0.fetch_update(Ordering::AcqRel, Ordering::Relaxed, later);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX / 2)
    }
}

/// A reader's whole time, for one user: one connection that reads on and on never uses up more.
const READING: Rate = Rate { most: READING_BURST.as_secs(), period: READING_BURST };

impl Default for UserBudget {
    fn default() -> Self {
        Self {
            messages: Default::default(),
            bytes: Default::default(),
            groups: Bucket::default(),
            realms: Bucket::default(),
            reading: Bucket::default(),
            reads: Semaphore::new(READS_PER_USER),
        }
    }
}

impl UserBudget {
    fn take_messages(&self, rates: &Rates, messages: u64, bytes: u64, now: u64) -> Result<(), Duration> {
        let of_messages = self.messages.iter().zip(rates.messages).map(|(bucket, rate)| (bucket, rate, messages));
        let of_bytes = self.bytes.iter().zip(rates.bytes).map(|(bucket, rate)| (bucket, rate, bytes));
        let all: Vec<_> = of_messages.chain(of_bytes).collect();
        for (place, (bucket, rate, amount)) in all.iter().enumerate() {
            if let Err(missing) = bucket.take(*rate, *amount, now) {
                all.iter().take(place).for_each(|(bucket, rate, amount)| bucket.give_back(*rate, *amount));
                return Err(missing);
            }
        }
        Ok(())
    }

    fn is_full(&self, now: u64) -> bool {
        let several = self.messages.iter().chain(&self.bytes);
        several.chain([&self.groups, &self.realms, &self.reading]).all(|bucket| bucket.is_full(now))
    }
}

/// The bytes that a message takes, or `None` for a command that sends none.
pub(super) fn message_bytes(command: &Command) -> Option<u64> {
    match command {
        Command::SendDirect { text, .. } | Command::SendGroup { text, .. } | Command::Broadcast { text } => {
            Some(text.size() as u64)
        }
        _ => None,
    }
}

fn slow_down(missing: Duration) -> CommandError {
    CommandError::SlowDown(u32::try_from(missing.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const MESSI: UserId = UserId(7);

    fn rate(most: u64, seconds: u64) -> Option<Rate> {
        Some(Rate { most, period: Duration::from_secs(seconds) })
    }

    #[test]
    fn a_bucket_holds_a_period_and_fills_as_time_passes() {
        let (bucket, rate) = (Bucket::default(), rate(10, 100));
        (0..10).for_each(|_| bucket.take(rate, 1, 0).unwrap());
        assert_eq!(bucket.take(rate, 1, 0), Err(Duration::from_secs(10)));
        assert_eq!(bucket.take(rate, 3, 10 * SECOND), Err(Duration::from_secs(20)));
        bucket.take(rate, 1, 10 * SECOND).unwrap();
        bucket.give_back(rate, 1);
        bucket.take(rate, 1, 10 * SECOND).unwrap();
    }

    #[test]
    fn what_is_larger_than_a_bucket_is_taken_from_a_full_one() {
        let (bucket, rate) = (Bucket::default(), rate(10, 100));
        bucket.take(rate, 25, 0).unwrap();
        assert_eq!(bucket.take(rate, 1, 100 * SECOND), Err(Duration::from_secs(60)));
    }

    #[test]
    fn no_limit_limits_nothing() {
        assert_eq!(Bucket::default().take(None, u64::MAX, 0), Ok(()));
    }

    fn budgets(messages: u64, bytes: u64) -> Budgets {
        let day = 24 * 3600;
        Budgets::new(Rates {
            messages: [None, rate(messages, day)],
            bytes: [None, rate(bytes, day)],
            ..Rates::default()
        })
    }

    #[test]
    fn connections_of_a_user_share_a_budget() {
        let budgets = budgets(1_000, 1 << 30);
        let mut credits = [budgets.credit(MESSI), budgets.credit(MESSI)];
        let sent = (0..3_000).filter(|number| budgets.take_from(&mut credits[number % 2], 1).is_ok()).count();
        assert_eq!(sent, 1_000);
        let error = budgets.take_from(&mut credits[0], 1).unwrap_err();
        assert!(error.retry_after().is_some_and(|seconds| (80..=87).contains(&seconds)), "{error:?}");
        assert!(budgets.take_from(&mut budgets.credit(UserId(8)), 1).is_ok());
    }

    #[test]
    fn bytes_are_limited_like_messages() {
        let budgets = budgets(1 << 30, 1_000_000);
        let mut credit = budgets.credit(MESSI);
        let sent = (0..2_000).filter(|_| budgets.take_from(&mut credit, 1_000).is_ok()).count();
        assert_eq!(sent, 1_000);
    }

    #[test]
    fn registrations_are_limited_by_address() {
        let budgets = Budgets::new(Rates { registrations: rate(3, 24 * 3600), ..Rates::default() });
        let register = |address: &str| budgets.take_registration(address.parse().unwrap());
        (0..3).for_each(|last| register(&format!("2001:db8:1:2::{last}")).unwrap());
        assert!(matches!(register("2001:db8:1:2::9"), Err(CommandError::SlowDown(_))));
        register("2001:db8:1:3::9").unwrap();
        (0..9).for_each(|_| register("127.0.0.1").unwrap());
    }

    #[test]
    fn credit_that_is_not_used_is_given_back() {
        let budgets = budgets(1_000, 1 << 30);
        for _ in 0..500 {
            let mut credit = budgets.credit(MESSI);
            budgets.take_from(&mut credit, 1).unwrap();
            budgets.give_back(&mut credit);
        }
        let mut credit = budgets.credit(MESSI);
        assert_eq!((0..1_000).filter(|_| budgets.take_from(&mut credit, 1).is_ok()).count(), 500);
    }

    #[test]
    fn a_reader_that_is_used_all_the_time_by_one_user_must_pause() {
        let budgets = budgets(1, 1);
        let budget = budgets.of(MESSI);
        budgets.record_reading(&budget, READING_BURST * 2);
        assert!(matches!(budgets.check_reading(&budget), Err(CommandError::SlowDown(_))));
        assert_eq!(budgets.check_reading(&budgets.of(UserId(8))), Ok(()));
    }

    #[test]
    fn only_budgets_that_are_not_full_are_remembered() {
        let budgets = budgets(1_000, 1_000);
        budgets.take_from(&mut budgets.credit(MESSI), 1).unwrap();
        (0..BUDGETS_REMEMBERED as u64).for_each(|user| drop(budgets.of(UserId(100 + user))));
        let users = budgets.users.lock().unwrap();
        assert!(users.len() <= BUDGETS_REMEMBERED && users.contains_key(&MESSI), "{}", users.len());
    }
}
