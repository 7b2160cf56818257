//! Tickets: which replies may leave.
//!
//! The state runs ahead of the disk by the batches in flight. A reply that shows any of it has the ticket of the newest
//! batch then, and is held until that batch is settled.

use std::sync::PoisonError;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::chat::CommandError;
use crate::hub::sync::{AtomicBool, AtomicU64, Mutex, Ordering};

/// The number of a batch, counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub(super) u64);

impl Ticket {
    /// The ticket of a reply that shows nothing of the state.
    pub(crate) const NONE: Self = Self(0);

    /// The ticket of the first batch.
    #[cfg(test)]
    pub(crate) const FIRST: Self = Self(1);

    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The commit status of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitStatus {
    /// On its way to the disk.
    Pending,
    /// Stored and synced.
    Durable,
    /// Not stored, or it is unknown whether it was.
    Failed(CommandError),
}

/// Failures that are remembered: a ticket is looked up right after its batch was settled, and a failing store is tried
/// once a second.
const FAILURES: usize = 64;

/// The commit status of all batches.
#[derive(Default)]
pub struct Tickets {
    settled: AtomicU64,
    any_failed: AtomicBool,
    failures: Mutex<Vec<(Ticket, Ticket, CommandError)>>,
    /// Wakes links, which have no send queue.
    news: Notify,
}

impl Tickets {
    #[must_use]
    pub(crate) fn status(&self, ticket: Ticket) -> CommitStatus {
        if self.settled.load(Ordering::Acquire) < ticket.0 {
            return CommitStatus::Pending;
        }
        if !self.any_failed.load(Ordering::Acquire) {
            return CommitStatus::Durable;
        }
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = failures.iter().find(|(first, last, _)| (*first..=*last).contains(&ticket));
        failed.map_or(CommitStatus::Durable, |(_, _, error)| CommitStatus::Failed(*error))
    }

    pub(super) fn settle(&self, ticket: Ticket) {
        self.settled.store(ticket.0, Ordering::Release);
        self.news.notify_waiters();
    }

    pub(super) fn settled(&self) -> Notified<'_> {
        self.news.notified()
    }

    pub(super) fn fail(&self, first: Ticket, last: Ticket, error: CommandError) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() == FAILURES {
            failures.remove(0);
        }
        failures.push((first, last, error));
        drop(failures);
        self.any_failed.store(true, Ordering::Release);
        self.settle(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_open_until_settled_and_stays_failed() {
        let tickets = Tickets::default();
        assert_eq!(tickets.status(Ticket::NONE), CommitStatus::Durable);
        assert_eq!(tickets.status(Ticket(1)), CommitStatus::Pending);
        tickets.settle(Ticket(1));
        tickets.fail(Ticket(2), Ticket(3), CommandError::StorageFailed);
        tickets.settle(Ticket(4));
        let statuses = [1, 2, 3, 4, 5].map(|number| tickets.status(Ticket(number)));
        let failed = CommitStatus::Failed(CommandError::StorageFailed);
        assert_eq!(statuses, [CommitStatus::Durable, failed, failed, CommitStatus::Durable, CommitStatus::Pending]);
    }
}
