//! The outcome of a command that was forwarded to the leader of the cluster, as a reply waits for it.

use std::fmt;
use std::sync::OnceLock;

use tokio::sync::Notify;

use crate::chat::{CommandError, Response};
use crate::hub::tickets::Ticket;

/// The outcome of a forwarded command that is told once a batch is durable.
pub(super) struct ToTell {
    pub(super) number: u64,
    pub(super) outcome: Result<Response, CommandError>,
}

/// The outcome of a forwarded command, which is told once.
#[derive(Default)]
pub struct Forward {
    outcome: OnceLock<(Ticket, Result<Response, CommandError>)>,
    news: Notify,
}

impl fmt::Debug for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Forward").field(&self.outcome).finish()
    }
}

impl Forward {
    /// The outcome, once it is told, and the batch whose pushes come before the reply.
    pub(super) fn outcome(&self) -> Option<&(Ticket, Result<Response, CommandError>)> {
        self.outcome.get()
    }

    /// Waits for the outcome.
    pub(super) async fn told(&self) -> Result<Response, CommandError> {
        loop {
            let news = self.news.notified();
            if let Some((_, outcome)) = self.outcome.get() {
                return outcome.clone();
            }
            news.await;
        }
    }

    pub(super) fn tell(&self, ticket: Ticket, outcome: Result<Response, CommandError>) {
        let _told_before = self.outcome.set((ticket, outcome));
        self.news.notify_waiters();
    }
}

/// Whether another realm has a message is known to the leader's links only: for others it is queued.
pub(super) fn mark_queued(response: &mut Response, is_remote: bool) {
    if let Response::Sent { delivered, .. } = response {
        *delivered = is_remote.then_some(false);
    }
}
