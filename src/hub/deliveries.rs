//! Pushes to large audiences, written by a thread of their own: the committer stores the next batches meanwhile, and
//! replies and pushes of others overtake them.
//!
//! Deliveries that come while a round is being written are collected in the next one, so that a connection gets many
//! messages with one write. A connection that has pushes here gets all further ones here too, in order.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::hub::round::Round;
use crate::hub::tickets::Tickets;
use crate::id::UserId;
use crate::limits::{PUSHES_AT_ONCE, PUSHES_PER_AUTHOR};

pub(super) struct Deliveries {
    collected: Mutex<Collected>,
    /// Something was collected, or the thread is to end.
    work: Condvar,
    /// A round was taken or written.
    progress: Condvar,
    /// Pushes that are not written yet.
    waiting: AtomicUsize,
    written: Notify,
}

/// Deliveries of the next round.
pub(super) struct Collected {
    pub(super) round: Round,
    /// Pushes of each author that are not written yet.
    authors: HashMap<UserId, usize>,
    /// Those of them in the round.
    of_round: HashMap<UserId, usize>,
    is_writing: bool,
    is_served: bool,
    is_closing: bool,
}

impl Deliveries {
    /// Collects nothing until [`Deliveries::serve`].
    pub(super) fn new() -> Self {
        let collected = Collected {
            round: Round::new(1),
            authors: HashMap::new(),
            of_round: HashMap::new(),
            is_writing: false,
            is_served: false,
            is_closing: false,
        };
        Self {
            collected: Mutex::new(collected),
            work: Condvar::new(),
            progress: Condvar::new(),
            waiting: AtomicUsize::new(0),
            written: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Collected> {
        self.collected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has rounds collected from now on: a thread is about to call [`Deliveries::run`].
    pub(super) fn serve(&self) {
        self.lock().is_served = true;
    }

    /// Has nothing collected: there is no thread.
    pub(super) fn stop_serving(&self) {
        self.lock().is_served = false;
    }

    /// The next round, if pushes are to be collected there.
    pub(super) fn collect(&self) -> Option<MutexGuard<'_, Collected>> {
        let collected = self.lock();
        collected.is_served.then_some(collected)
    }

    /// Whether nothing waits to be written.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.load(Ordering::Acquire) == 0
    }

    /// Counts pushes that were added to the round, and waits while it is too long.
    pub(super) fn added<'a>(
        &self,
        mut collected: MutexGuard<'a, Collected>,
        count: usize,
        author: Option<UserId>,
    ) -> MutexGuard<'a, Collected> {
        self.waiting.fetch_add(count, Ordering::AcqRel);
        if let Some(author) = author {
            *collected.authors.entry(author).or_default() += count;
            *collected.of_round.entry(author).or_default() += count;
        }
        while collected.round.len() >= PUSHES_AT_ONCE {
            self.work.notify_one();
            collected = self.progress.wait(collected).unwrap_or_else(PoisonError::into_inner);
        }
        collected
    }

    /// Has what was collected written.
    pub(super) fn start(&self) {
        if !self.is_idle() {
            self.work.notify_one();
        }
    }

    /// Waits until everything is written.
    pub(super) fn drain(&self) {
        let mut collected = self.lock();
        while collected.is_writing || !collected.round.is_empty() {
            self.work.notify_one();
            collected = self.progress.wait(collected).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends the thread once everything is written.
    pub(super) fn close(&self) {
        self.lock().is_closing = true;
        self.work.notify_one();
    }

    /// Writes round after round.
    pub(super) fn run(&self, tickets: &Tickets) {
        let mut round = Round::new(0);
        let mut of_round = HashMap::new();
        loop {
            let mut collected = self.lock();
            collected.is_writing = false;
            self.progress.notify_all();
            while collected.round.is_empty() {
                if collected.is_closing {
                    collected.is_served = false;
                    return;
                }
                collected = self.work.wait(collected).unwrap_or_else(PoisonError::into_inner);
            }
            round.set_number(collected.round.next_number());
            std::mem::swap(&mut round, &mut collected.round);
            std::mem::swap(&mut of_round, &mut collected.of_round);
            collected.is_writing = true;
            self.progress.notify_all();
            drop(collected);
            let count = round.len();
            round.flush(tickets);
            self.forget(count, &mut of_round);
        }
    }

    /// Takes what was written from the counts.
    fn forget(&self, count: usize, of_round: &mut HashMap<UserId, usize>) {
        self.waiting.fetch_sub(count, Ordering::AcqRel);
        let mut collected = self.lock();
        for (author, count) in of_round.drain() {
            if let Some(left) = collected.authors.get_mut(&author) {
                *left = left.saturating_sub(count);
                if *left == 0 {
                    collected.authors.remove(&author);
                }
            }
        }
        drop(collected);
        self.written.notify_waiters();
    }

    /// Waits while too many pushes of the author wait to be written.
    pub(super) async fn wait_for(&self, author: UserId) {
        loop {
            let written = self.written.notified();
            if !self.is_far_ahead(author) {
                return;
            }
            written.await;
        }
    }

    /// Whether too many pushes of the author wait to be written.
    pub(super) fn is_far_ahead(&self, author: UserId) -> bool {
        self.waiting.load(Ordering::Relaxed) > PUSHES_PER_AUTHOR
            && self.lock().authors.get(&author).is_some_and(|waiting| *waiting > PUSHES_PER_AUTHOR)
    }
}
