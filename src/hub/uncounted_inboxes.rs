//! Which inboxes have unread messages that this process has not counted (`chat/model/inbox_shares`).

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::hub::user_bitset::UserBitset;
use crate::id::{Seq, UserId};

/// The inboxes that are to be counted.
#[derive(Default)]
pub(super) struct UncountedInboxes(Mutex<Wanted>);

#[derive(Default)]
struct Wanted {
    /// Later messages are counted as they are sent.
    upto: Seq,
    /// Inboxes that were counted, or are to be.
    known: UserBitset,
    inboxes: Vec<UserId>,
}

impl UncountedInboxes {
    /// Begins anew: nothing is counted up to the head of the log.
    pub(super) fn begin(&self, head: Seq) {
        *self.lock() = Wanted { upto: head, ..Wanted::default() };
    }

    /// Somebody sends to an inbox with this cursor.
    pub(super) fn want(&self, inbox: UserId, cursor: Seq) {
        let mut wanted = self.lock();
        if cursor < wanted.upto && !wanted.known.contains(inbox) {
            wanted.known.insert(inbox);
            wanted.inboxes.push(inbox);
        }
    }

    /// Takes the inboxes that are to be counted, and the number up to which.
    pub(super) fn take(&self) -> (Seq, Vec<UserId>) {
        let mut wanted = self.lock();
        (wanted.upto, std::mem::take(&mut wanted.inboxes))
    }

    fn lock(&self) -> MutexGuard<'_, Wanted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
