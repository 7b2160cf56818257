//! Exclusive access of a fan-out round to a connection.

use crate::chat::Notification;
use crate::hub::push_slot::PushSlot;
use crate::hub::queue_state::QueueState;
use crate::hub::send_queue::SendQueue;
use crate::hub::tickets::{Ticket, Tickets};
use crate::id::Seq;
use crate::wire::ReplyFormat;

/// A locked send queue that takes the pushes of a batch.
pub(super) struct PushGuard<'a> {
    pub(super) send_queue: &'a SendQueue,
    pub(super) state: &'a mut QueueState,
}

impl SendQueue {
    /// Queues the pushes of a round and the durable replies that may follow them, then writes as much as the socket takes.
    /// The round is told by the connection's slot in it and the newest batch that it has pushes of. `scratch` is a buffer
    /// of the caller.
    pub(super) fn push_round(
        &self,
        scratch: &mut Vec<u8>,
        tickets: &Tickets,
        (slot, upto): (PushSlot, Ticket),
        push: impl FnOnce(&mut PushGuard<'_>),
    ) {
        let mut state = self.lock();
        self.push_slot.remove(slot);
        let is_used = state.use_scratch(scratch);
        push(&mut PushGuard { send_queue: self, state: &mut state });
        // If there is a newer slot by now, the replies of later batches wait for its pushes.
        state.release_settled(tickets, self.format(), |ticket| ticket <= upto || self.push_slot().is_none());
        state.write_out(&*self.writer);
        if is_used { state.return_scratch(scratch) } else { state.free_written() }
    }
}

impl PushGuard<'_> {
    pub(super) fn format(&self) -> ReplyFormat {
        self.send_queue.format()
    }

    /// Whether the connection is bound to the same user still.
    pub(super) fn is_bound(&self, binding: u32) -> bool {
        self.send_queue.binding() == binding
    }

    /// Whether the connection listens to messages of this number.
    pub(super) fn wants(&self, seq: Seq) -> bool {
        self.state.push.wants(seq)
    }

    pub(super) fn push(&mut self, seq: Seq, frame: &[u8]) {
        self.state.push(&*self.send_queue.writer, seq, frame);
    }

    /// Queues bytes as they are.
    #[cfg(all(test, feature = "loom"))]
    pub(super) fn push_bytes(&mut self, bytes: &[u8]) {
        self.state.ready.extend_from_slice(bytes);
    }

    pub(super) fn notify(&mut self, notification: &Notification) {
        self.state.notify(&*self.send_queue.writer, self.send_queue.format(), notification);
    }
}
