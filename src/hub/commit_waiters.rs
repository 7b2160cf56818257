//! The send queues that hold replies for batches on their way to the disk.

use std::sync::{Arc, PoisonError};

use crate::hub::send_queue::SendQueue;
use crate::hub::sync::{Mutex, MutexGuard};
use crate::hub::tickets::{Ticket, Tickets};

/// How far commits have come, and which send queues wait for them.
#[derive(Default)]
pub(super) struct CommitWaiters {
    pub(super) tickets: Tickets,
    queues: Mutex<Vec<(Ticket, Arc<SendQueue>)>>,
}

impl CommitWaiters {
    /// Flushes the replies that may leave, and registers the queue for the ticket of its newest one if that is pending.
    /// Takes the queue's lock only if something can leave.
    pub(super) fn send_replies(&self, send_queue: &Arc<SendQueue>) {
        if let Some(ticket) = send_queue.unwatched_ticket(&self.tickets) {
            self.queues().push((ticket, send_queue.clone()));
        }
        // After the registration: a commit that was settled before it has not seen this queue, but is seen here.
        if send_queue.can_flush(&self.tickets) {
            send_queue.flush_ready(&self.tickets);
        }
    }

    /// Flushes the queues that waited for a ticket that was settled, or for an earlier one.
    pub(super) fn release(&self, ticket: Ticket) {
        let settled: Vec<_> = self.queues().extract_if(.., |(waits_for, _)| *waits_for <= ticket).collect();
        for (_, send_queue) in settled {
            self.send_replies(&send_queue);
        }
    }

    fn queues(&self) -> MutexGuard<'_, Vec<(Ticket, Arc<SendQueue>)>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
