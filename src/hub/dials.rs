//! Servers that users of other nodes want to be linked, which this node dials as the leader.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::chat::{CommandError, ForwardId, IdempotencyKey, PeerAddress};
use crate::id::UserId;
use crate::limits::LINK_DIALS;
use crate::name::Name;

/// A server to dial for a user of another node.
pub struct WantedDial {
    /// Counted by this process: another one does not know of it.
    pub(crate) term: u64,
    pub(crate) forward: ForwardId,
    pub(crate) by: UserId,
    pub(crate) name: Name,
    pub(crate) address: PeerAddress,
    pub(crate) key: Option<IdempotencyKey>,
}

/// The dials that this node, as the leader, makes for others.
#[derive(Default)]
pub(super) struct Dials {
    inner: Mutex<Inner>,
    wanted: Notify,
}

#[derive(Default)]
struct Inner {
    queue: VecDeque<WantedDial>,
    /// Begun, or in the queue.
    running: HashSet<ForwardId>,
}

impl Dials {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a dial. Its command is running until [`Dials::end`].
    pub(super) fn begin(&self, dial: WantedDial) -> Result<(), CommandError> {
        let mut inner = self.inner();
        if inner.queue.len() >= LINK_DIALS {
            return Err(CommandError::Busy);
        }
        inner.running.insert(dial.forward);
        inner.queue.push_back(dial);
        drop(inner);
        self.wanted.notify_one();
        Ok(())
    }

    /// Takes the next dial.
    pub(super) async fn next(&self) -> WantedDial {
        loop {
            let wanted = self.wanted.notified();
            if let Some(dial) = self.inner().queue.pop_front() {
                return dial;
            }
            wanted.await;
        }
    }

    pub(super) fn end(&self, forward: ForwardId) {
        self.inner().running.remove(&forward);
    }

    /// Whether a command is not decided yet. Its answer comes over the channel that its node has by then.
    pub(super) fn is_running(&self, forward: ForwardId) -> bool {
        self.inner().running.contains(&forward)
    }

    /// A term begins: what was wanted in an earlier one was forwarded to this one's leader again.
    pub(super) fn begin_term(&self) {
        *self.inner() = Inner::default();
    }
}
