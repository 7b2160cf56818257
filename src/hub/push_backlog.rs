//! Counts the pushes of each user that wait to be written, so that no user gets far ahead of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::id::UserId;
use crate::limits::PUSHES_PER_AUTHOR;

#[derive(Default)]
pub(super) struct PushBacklog {
    waiting: AtomicUsize,
    authors: Mutex<HashMap<UserId, usize>>,
    written: Notify,
}

impl PushBacklog {
    fn authors(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        self.authors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, author: UserId, count: usize) {
        self.waiting.fetch_add(count, Ordering::Relaxed);
        *self.authors().entry(author).or_default() += count;
    }

    /// Takes out written pushes, by author.
    pub(super) fn remove(&self, written: impl Iterator<Item = (UserId, usize)>) {
        let mut authors = self.authors();
        for (author, count) in written {
            self.waiting.fetch_sub(count, Ordering::Relaxed);
            if let Some(left) = authors.get_mut(&author) {
                *left = left.saturating_sub(count);
                if *left == 0 {
                    authors.remove(&author);
                }
            }
        }
        drop(authors);
        self.written.notify_waiters();
    }

    /// Whether too many pushes of the author wait to be written.
    pub(super) fn is_far_ahead(&self, author: UserId) -> bool {
        self.waiting.load(Ordering::Relaxed) > PUSHES_PER_AUTHOR
            && self.authors().get(&author).is_some_and(|waiting| *waiting > PUSHES_PER_AUTHOR)
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
}
