//! Budgets of one user by second and by day, over all connections (`[limits]` in the configuration).
//!
//! A bucket is one number, so that taking from it needs no lock. A connection takes for many messages at a time, and counts
//! down its own credit for each: what is not used it gives back.

mod tags;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::sync::Semaphore;

use crate::chat::{Command, CommandError};
use crate::id::UserId;
use crate::limits::{BUDGETS_REMEMBERED, CREDIT_BYTES, CREDIT_MESSAGES, READING_BURST, READS_PER_USER};
use crate::net::origin::origin;
use crate::net::pruned_map::PrunedMap;

use tags::TagsInFlight;

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
    rates: ArcSwap<Rates>,
    begun: Instant,
    users: Mutex<PrunedMap<UserId, Arc<UserBudget>>>,
    /// For registrations.
    addresses: Mutex<PrunedMap<IpAddr, Bucket>>,
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
    pub(super) tags: TagsInFlight,
}

/// When the bucket is full again, in nanoseconds since the start.
#[derive(Default)]
struct Bucket(AtomicU64);

/// The part of its user's budget that a connection took and has not used yet.
pub(super) struct Credit {
    pub(super) user: UserId,
    budget: Arc<UserBudget>,
    messages: u64,
    bytes: u64,
    /// In nanoseconds since the start. What was refused stays refused until then, so that of pipelined messages none
    /// overtakes one that has to be sent again.
    refused_until: u64,
}

impl Bucket {
    /// Takes an amount, or returns how long until there is as much.
    fn take(&self, rate: Option<Rate>, amount: u64, now: u64) -> Result<(), Duration> {
        let Some(rate) = rate else { return Ok(()) };
        let (cost, room) = (rate.cost(amount), rate.nanos());
        let taken = self.0.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |full_at| {
            let full_at = full_at.max(now) + cost;
            // A request for more than a bucket holds waits until the bucket is full.
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

impl Rates {
    /// Messages and bytes that a connection takes at a time: a little of the least rate.
    fn credit(&self) -> (u64, u64) {
        let little = |rates: [Option<Rate>; 2]| rates.into_iter().flatten().map(|rate| rate.most / 64).min();
        let messages = little(self.messages).map_or(CREDIT_MESSAGES, |little| little.min(CREDIT_MESSAGES));
        let bytes = little(self.bytes).map_or(CREDIT_BYTES, |little| little.min(CREDIT_BYTES));
        (messages, bytes)
    }
}

impl Budgets {
    #[must_use]
    pub(crate) fn new(rates: Rates) -> Self {
        Self {
            rates: ArcSwap::from_pointee(rates),
            begun: Instant::now(),
            users: Mutex::new(PrunedMap::new(BUDGETS_REMEMBERED)),
            addresses: Mutex::new(PrunedMap::new(BUDGETS_REMEMBERED)),
        }
    }

    /// Changes the rates; amounts already taken stay taken.
    pub(crate) fn set_rates(&self, rates: Rates) {
        self.rates.store(Arc::new(rates));
    }

    /// The budget of a user.
    pub(super) fn of(&self, user: UserId) -> Arc<UserBudget> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let is_needed = |budget: &Arc<UserBudget>| Arc::strong_count(budget) > 1 || !budget.is_full(self.now());
        users.entry(user, Arc::default, is_needed).clone()
    }

    /// Takes from the budget of a user for a command; what it costs beside a message's bytes is little.
    ///
    /// # Errors
    /// [`CommandError::SlowDown`].
    pub(super) fn take(&self, user: UserId, command: &Command) -> Result<(), CommandError> {
        let (rates, now) = (self.rates.load(), self.now());
        let taken = match command {
            Command::CreateGroup { .. } => self.of(user).groups.take(rates.groups, 1, now),
            Command::AddRealm { .. } => self.of(user).realms.take(rates.realms, 1, now),
            _ => match change_bytes(command) {
                Some(bytes) => self.of(user).take_messages(&rates, 1, bytes, now),
                None => Ok(()),
            },
        };
        taken.map_err(slow_down)
    }

    /// Gives back what a command that was refused made nothing of.
    pub(super) fn refund(&self, user: UserId, command: &Command) {
        match command {
            Command::CreateGroup { .. } => self.of(user).groups.give_back(self.rates.load().groups, 1),
            Command::AddRealm { .. } => self.of(user).realms.give_back(self.rates.load().realms, 1),
            _ => {}
        }
    }

    /// Takes for a link to another server.
    ///
    /// # Errors
    /// [`CommandError::SlowDown`].
    pub(super) fn take_realm(&self, user: UserId) -> Result<(), CommandError> {
        self.of(user).realms.take(self.rates.load().realms, 1, self.now()).map_err(slow_down)
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
        let bucket = addresses.entry(address, Bucket::default, |bucket| !bucket.is_full(now));
        bucket.take(self.rates.load().registrations, 1, now).map_err(slow_down)
    }

    /// Takes from the credit of a connection, and more credit if that is used up.
    ///
    /// # Errors
    /// [`CommandError::SlowDown`].
    pub(super) fn take_from(&self, credit: &mut Credit, bytes: u64) -> Result<(), CommandError> {
        if credit.messages == 0 || credit.bytes < bytes {
            let (rates, now) = (self.rates.load(), self.now());
            if now < credit.refused_until {
                return Err(slow_down(Duration::from_nanos(credit.refused_until - now)));
            }
            self.give_back(credit);
            let (messages, more) = rates.credit();
            let (messages, more) = (1 + messages, bytes + more);
            let budget = &credit.budget;
            (credit.messages, credit.bytes) = match budget.take_messages(&rates, messages, more, now) {
                Ok(()) => (messages, more),
                Err(_) => match budget.take_messages(&rates, 1, bytes, now) {
                    Ok(()) => (1, bytes),
                    Err(missing) => {
                        let told = Duration::from_secs(whole_seconds(missing).into());
                        credit.refused_until = now.saturating_add(u64::try_from(told.as_nanos()).unwrap_or(u64::MAX));
                        return Err(slow_down(missing));
                    }
                },
            };
        }
        credit.messages -= 1;
        credit.bytes -= bytes;
        Ok(())
    }

    pub(super) fn credit(&self, user: UserId) -> Credit {
        Credit { user, budget: self.of(user), messages: 0, bytes: 0, refused_until: 0 }
    }

    pub(super) fn give_back(&self, credit: &mut Credit) {
        let Credit { budget, messages, bytes, .. } = credit;
        let (messages, bytes) = (std::mem::take(messages), std::mem::take(bytes));
        let rates = self.rates.load();
        for (bucket, rate) in budget.messages.iter().zip(rates.messages) {
            bucket.give_back(rate, messages);
        }
        for (bucket, rate) in budget.bytes.iter().zip(rates.bytes) {
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
            tags: TagsInFlight::default(),
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

/// The bytes of text in a message, or in another change that a user may repeat without end: it counts as a message. `None` for
/// a change that is bounded elsewhere, or that takes something back.
pub(super) fn change_bytes(command: &Command) -> Option<u64> {
    match command {
        Command::SendDirect { text, .. } | Command::SendGroup { text, .. } | Command::Broadcast { text } => {
            Some(text.size() as u64)
        }
        Command::SetName { full_name } => Some(full_name.len() as u64),
        Command::JoinGroup { .. } | Command::ChangeGroupPassword { .. } | Command::Block { .. } => Some(0),
        _ => None,
    }
}

fn slow_down(missing: Duration) -> CommandError {
    CommandError::SlowDown(whole_seconds(missing))
}

/// As a client is told.
fn whole_seconds(missing: Duration) -> u32 {
    u32::try_from(missing.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
}
