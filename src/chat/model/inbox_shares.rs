//! Unread messages by sender and inbox: bounded for each sender and inbox, so that nobody fills another's inbox.
//!
//! Counted by this process as messages are sent, and stored nowhere; what was unread before that is counted from the store
//! (`hub/recount.rs`). A count knows where in the inbox its messages stand, in steps, so that what was read since
//! drops out of it.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::chat::model::message::UserRef;
use crate::chat::model::user::User;
use crate::id::{Seq, UserId};
use crate::limits::{INBOX_SHARE_STEPS, INBOX_SHARES};

/// The limit of unread messages of one sender in one inbox; `None` if unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InboxLimits {
    pub messages: Option<u64>,
    pub bytes: Option<u64>,
}

/// The counts of all senders and inboxes.
#[derive(Debug, Default)]
pub struct InboxShares(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    limits: InboxLimits,
    of: HashMap<(UserId, UserRef), Count>,
}

/// The messages of one inbox, counted from the store.
#[derive(Debug)]
pub struct InboxTally {
    limits: InboxLimits,
    of: HashMap<UserRef, Count>,
}

/// Unread messages of one sender in one inbox.
#[derive(Debug, Default)]
struct Count {
    total: Amount,
    /// In the order of the inbox.
    steps: VecDeque<Step>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Amount {
    messages: u64,
    bytes: u64,
}

/// Messages that drop out of the count together.
#[derive(Clone, Copy, Debug)]
struct Step {
    first: Seq,
    last: Seq,
    amount: Amount,
}

impl InboxShares {
    /// Changes the limits.
    pub fn set_limits(&self, limits: InboxLimits) {
        self.lock().limits = limits;
    }

    /// Whether a further message has no room in an inbox.
    pub(in crate::chat) fn is_full(&self, inbox: (UserId, &User), sender: &UserRef, bytes: usize) -> bool {
        let mut counts = self.lock();
        let limits = counts.limits;
        let Some(count) = counts.of.get_mut(&(inbox.0, sender.clone())) else { return false };
        if !limits.are_exceeded(count.total, bytes) {
            return false;
        }
        count.forget_read(inbox.1);
        limits.are_exceeded(count.total, bytes)
    }

    /// Counts a message that was put into an inbox.
    pub fn record(&self, inbox: (UserId, &User), sender: UserRef, seq: Seq, bytes: usize) {
        let mut counts = self.lock();
        let limits = counts.limits;
        if limits == InboxLimits::default() {
            return;
        }
        let key = (inbox.0, sender);
        if counts.of.len() >= INBOX_SHARES && !counts.of.contains_key(&key) {
            counts.make_room();
        }
        let count = counts.of.entry(key).or_default();
        count.forget_before(inbox.1.cursor);
        count.add(seq, bytes as u64, limits);
    }

    /// Begins to count an inbox from the store. `None` if nothing is limited.
    #[must_use]
    pub fn tally(&self) -> Option<InboxTally> {
        let limits = self.lock().limits;
        (limits != InboxLimits::default()).then(|| InboxTally { limits, of: HashMap::new() })
    }

    /// Adds a count from the store; everything that was recorded of the inbox came after it.
    pub fn add_earlier(&self, inbox: UserId, tally: InboxTally) {
        let mut counts = self.lock();
        for (sender, mut count) in tally.of {
            let key = (inbox, sender);
            if counts.of.len() >= INBOX_SHARES && !counts.of.contains_key(&key) {
                counts.make_room();
            }
            let recorded = counts.of.remove(&key).unwrap_or_default();
            count.total.add(recorded.total);
            count.steps.extend(recorded.steps);
            counts.of.insert(key, count);
        }
    }

    /// Forgets what a sender has left in an inbox: it is not shown there any more.
    pub fn forget(&self, inbox: UserId, sender: &UserRef) {
        self.lock().of.remove(&(inbox, sender.clone()));
    }

    /// Forgets everything: the messages were taken back.
    pub fn clear(&self) {
        self.lock().of.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InboxTally {
    /// Counts a message, later in the inbox than those before.
    pub fn add(&mut self, sender: UserRef, seq: Seq, bytes: usize) {
        self.of.entry(sender).or_default().add(seq, bytes as u64, self.limits);
    }
}

impl Counts {
    /// Forgets those who have left least: half of all.
    fn make_room(&mut self) {
        let mut sizes: Vec<u64> = self.of.values().map(|count| count.total.bytes).collect();
        let middle = sizes.len() / 2;
        let (_, median, _) = sizes.select_nth_unstable(middle);
        let median = *median;
        self.of.retain(|_, count| count.total.bytes > median);
    }
}

impl InboxLimits {
    fn are_exceeded(self, amount: Amount, more: usize) -> bool {
        self.messages.is_some_and(|most| amount.messages >= most)
            || self.bytes.is_some_and(|most| amount.bytes + more as u64 > most && amount.bytes > 0)
    }

    /// A step is full with so many messages, or bytes.
    fn is_full_step(self, amount: Amount) -> bool {
        self.messages.is_some_and(|most| amount.messages >= most.div_ceil(INBOX_SHARE_STEPS))
            || self.bytes.is_some_and(|most| amount.bytes >= most.div_ceil(INBOX_SHARE_STEPS))
    }
}

impl Count {
    fn add(&mut self, seq: Seq, bytes: u64, limits: InboxLimits) {
        self.total.add(Amount { messages: 1, bytes });
        let added = Amount { messages: 1, bytes };
        match self.steps.back_mut().filter(|step| !limits.is_full_step(step.amount)) {
            Some(step) => {
                step.last = seq;
                step.amount.add(added);
            }
            None => self.steps.push_back(Step { first: seq, last: seq, amount: added }),
        }
    }

    /// Forgets what the inbox cursor has passed.
    fn forget_before(&mut self, cursor: Seq) {
        while let Some(step) = self.steps.pop_front_if(|step| step.last <= cursor) {
            self.total.subtract(step.amount);
        }
    }

    /// Forgets what was read, as the inbox or live.
    fn forget_read(&mut self, user: &User) {
        self.forget_before(user.cursor);
        let is_read =
            |step: &Step| user.read_ranges.iter().any(|(after, upto)| *after < step.first && step.last <= *upto);
        let total = &mut self.total;
        self.steps.retain(|step| {
            let is_read = is_read(step);
            if is_read {
                total.subtract(step.amount);
            }
            !is_read
        });
    }
}

impl Amount {
    fn add(&mut self, other: Self) {
        self.messages += other.messages;
        self.bytes += other.bytes;
    }

    fn subtract(&mut self, other: Self) {
        self.messages -= other.messages;
        self.bytes -= other.bytes;
    }
}
