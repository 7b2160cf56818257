//! Whether messages to other realms were delivered that a node of a cluster has forwarded: the leader tells it to the node, and
//! the log tells it if the leader does not.

use std::sync::Arc;
use std::time::Instant;

use crate::chat::{Command, CommandError, CompletedRequest, Peer, Record, State};
use crate::hub::awaited_deliveries::Settled;
use crate::hub::delivery_status::{DeliveryHandle, DeliveryStatus};
use crate::hub::elsewhere::NodeDelivery;
use crate::hub::shared::{Hub, Shared};
use crate::id::RealmId;

impl Hub {
    /// As the leader: what another node is to be told next of messages that it has forwarded; nothing if there is nothing new.
    pub(crate) fn delivery_news(&self, node: u64) -> Vec<NodeDelivery> {
        self.0.presence().elsewhere().take_deliveries(node)
    }

    /// Notes what the leader says of messages that this node has forwarded.
    pub(crate) fn note_deliveries(&self, deliveries: &[NodeDelivery]) {
        self.0.settle(self.0.forwards.note_deliveries(deliveries));
    }
}

impl Shared {
    /// Settles what the log says of messages that this node has forwarded.
    pub(super) fn settle_deliveries(&self, records: &[Record]) {
        self.settle(self.forwards.settled_deliveries(records));
    }

    /// Ends the waiting of senders that were told nothing. If this node has contact, it has the log of long after the message: a
    /// later refusal finds no sender waiting, and is told by a notification.
    pub(super) fn expire_deliveries(&self, now: Instant) {
        let is_cut_off = self.forwards.contact.is_lost(now);
        let status = if is_cut_off { DeliveryStatus::Unknown } else { DeliveryStatus::Queued };
        self.settle(self.forwards.late_deliveries(now).into_iter().map(|awaited| (awaited, status)).collect());
    }

    /// The delivery status of a message to another realm that was sent before, under the tag of a request that this node has
    /// forwarded now. `None` if the request is another one.
    pub(super) fn earlier_forwarded_delivery(
        &self,
        state: &State,
        (number, command): (u64, &Command),
        done: &CompletedRequest,
    ) -> Result<Option<Arc<DeliveryHandle>>, CommandError> {
        let Some((realm, peer)) = remote_recipient(state, command) else { return Ok(None) };
        if let Some(why) = done.refused {
            return Err(why.into());
        }
        let message = done.receipt.seq;
        if message <= peer.cursor {
            return Ok(Some(DeliveryHandle::settled(DeliveryStatus::Delivered).into()));
        }
        Ok(Some(self.forwards.await_delivery(number, realm, message)))
    }

    fn settle(&self, settled: Vec<Settled>) {
        for (awaited, status) in settled {
            awaited.delivery.settle(status);
            awaited.send_queue.iter().for_each(|send_queue| self.waiters.send_replies(send_queue));
        }
    }
}

/// The other realm that a message is for.
fn remote_recipient<'a>(state: &'a State, command: &Command) -> Option<(RealmId, &'a Peer)> {
    let (Command::SendDirect { to, .. } | Command::SendGroup { to, .. }) = command else { return None };
    let (id, realm) = state.realm_named(to.realm.as_ref()?)?;
    Some((id, realm.peer()?))
}
