//! The outcome of a command that was forwarded to the leader of the cluster, as a reply waits for it.

use std::fmt;
use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

use crate::chat::{CommandError, Response};
use crate::hub::delivery_status::DeliveryHandle;
use crate::hub::tickets::Ticket;

/// The outcome of a forwarded command that is told once a batch is durable.
pub(super) struct ToTell {
    pub(super) number: u64,
    pub(super) outcome: Result<Response, CommandError>,
    /// The delivery status of the message, if it is for another realm: the reply waits for it, too.
    pub(super) delivery: Option<Arc<DeliveryHandle>>,
}

impl ToTell {
    /// An outcome that is all that the reply tells.
    pub(super) fn at_once(number: u64, outcome: Result<Response, CommandError>) -> Self {
        Self { number, outcome, delivery: None }
    }
}

/// An outcome that was told.
#[derive(Debug)]
pub(super) struct Told {
    /// The batch whose pushes come before the reply.
    pub(super) ticket: Ticket,
    pub(super) outcome: Result<Response, CommandError>,
    /// As in [`ToTell`].
    pub(super) delivery: Option<Arc<DeliveryHandle>>,
}

/// The outcome of a forwarded command, which is told once.
#[derive(Default)]
pub struct Forward {
    outcome: OnceLock<Told>,
    news: Notify,
}

impl fmt::Debug for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Forward").field(&self.outcome).finish()
    }
}

impl Forward {
    /// The outcome, once it is told.
    pub(super) fn outcome(&self) -> Option<&Told> {
        self.outcome.get()
    }

    /// Waits for the outcome.
    pub(super) async fn told(&self) -> Result<Response, CommandError> {
        loop {
            let news = self.news.notified();
            if let Some(told) = self.outcome.get() {
                return told.outcome.clone();
            }
            news.await;
        }
    }

    pub(super) fn tell(&self, told: Told) {
        let _told_before = self.outcome.set(told);
        self.news.notify_waiters();
    }
}

/// A node that begins to lead has no links yet: a message to another realm that it decides then is queued.
pub(super) fn mark_queued(response: &mut Response, is_remote: bool) {
    if let Response::Sent { delivered, .. } = response {
        *delivered = is_remote.then_some(false);
    }
}
