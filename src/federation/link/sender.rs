//! Messages to the other server: from the outbox, in order, until it acknowledges or refuses them.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::time::Instant;

use crate::chat::{Bounce, BounceReason, Command, Kind, StoredMessage};
use crate::federation::frame::{self, CloseReason, Frame, SourceSeq, WireMessage};
use crate::federation::link::end::LinkEnd;
use crate::federation::link::write_buffers::WriteBuffers;
use crate::hub::{CommitStatus, Hub, OutboxTail, TailRead, Ticket};
use crate::id::{Epoch, RealmId, Seq};
use crate::limits::{CURSOR_SAVED, CURSOR_SAVED_MESSAGES, LINK_BATCH, LINK_BATCH_BYTES, LINK_WINDOW};
use crate::name::Address;
use crate::wire;

pub(super) struct Sender {
    realm: RealmId,
    outbox: Arc<OutboxTail>,
    /// The last message that was sent on this link.
    position: Seq,
    /// Sent and not acknowledged, oldest first.
    in_flight: VecDeque<InFlight>,
    /// When to persist what was acknowledged; `None` if it is persisted.
    persist_at: Option<Instant>,
    /// How many messages were acknowledged since that was last persisted.
    unpersisted: usize,
    /// Refusals that the other server may forget once the ticket is durable.
    confirming: VecDeque<(Ticket, SourceSeq)>,
    /// Epochs of this server of which the other server may still store refusals.
    unconfirmed: Vec<Epoch>,
}

struct InFlight {
    number: SourceSeq,
    to: Box<str>,
}

impl Sender {
    /// Starts after the heads that the other server sent, which may be less than it once acknowledged.
    pub(super) fn new(hub: &Hub, outbox: Arc<OutboxTail>, realm: RealmId, heads: &[SourceSeq]) -> Self {
        let position = hub.read(|state| state.peer(realm).map(|peer| state.resend_position(peer, heads))).0;
        let mut sender = Self {
            realm,
            outbox,
            position: position.unwrap_or_default(),
            in_flight: VecDeque::new(),
            persist_at: None,
            unpersisted: 0,
            confirming: VecDeque::new(),
            unconfirmed: heads.iter().map(|(epoch, _)| *epoch).collect(),
        };
        // Confirmations may have been lost with the link before.
        sender.confirm_old_epochs(hub);
        sender
    }

    /// Queues confirmations for each epoch in `unconfirmed`, which keeps those that still have messages waiting.
    fn confirm_old_epochs(&mut self, hub: &Hub) {
        let unconfirmed = &self.unconfirmed;
        let (confirmed, ticket) = hub.read(|state| {
            let peer = state.peer(self.realm)?;
            Some(unconfirmed.iter().map(|of| (*of, state.confirmed_up_to(peer, *of))).collect::<Vec<_>>())
        });
        let confirmed = confirmed.unwrap_or_default();
        self.unconfirmed = confirmed.iter().filter(|(_, upto)| *upto != Seq(u64::MAX)).map(|(of, _)| *of).collect();
        self.confirming.extend(confirmed.into_iter().map(|number| (ticket, number)));
    }

    pub(super) fn outbox(&self) -> &OutboxTail {
        &self.outbox
    }

    pub(super) fn waits_for_commit(&self) -> bool {
        !self.confirming.is_empty()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        [self.persist_at, self.outbox.next_timeout()].into_iter().flatten().min()
    }

    /// Answers senders that have waited for [`DELIVERY_WAIT`](crate::limits::DELIVERY_WAIT), and persists what is due.
    pub(super) fn handle_timeouts(&mut self, hub: &Hub) {
        let now = Instant::now();
        hub.expire_waiters(&self.outbox, now);
        if self.persist_at.is_some_and(|at| at <= now) {
            self.persist_ack(hub);
        }
    }

    /// Writes messages while the window and the buffer have room. While some are in flight it waits for a full batch, so
    /// that both disks sync once for many messages.
    pub(super) async fn send_pending(&mut self, hub: &Hub, out: &mut WriteBuffers) -> Result<(), LinkEnd> {
        while self.in_flight.len() < LINK_WINDOW && out.has_room_for_messages() {
            if !self.in_flight.is_empty() && self.outbox.has_few(self.position, LINK_BATCH) {
                return Ok(());
            }
            let messages = match self.outbox.take(self.position, LINK_BATCH) {
                TailRead::Messages(messages) if messages.is_empty() => return Ok(()),
                TailRead::Messages(messages) => messages,
                TailRead::ReadStore => self.read_store(hub).await?,
            };
            if messages.is_empty() {
                continue;
            }
            if let Some(last) = messages.last() {
                self.position = last.seq;
            }
            self.write(hub, &messages, &mut out.messages)?;
        }
        Ok(())
    }

    async fn read_store(&mut self, hub: &Hub) -> Result<Vec<StoredMessage>, LinkEnd> {
        let (realm, after) = (self.realm, self.position);
        let page = hub.read_store(move |hub| hub.outbox_page(realm, after, LINK_BATCH)).await;
        let page = page.map_err(|_| LinkEnd::ClosedHere(CloseReason::NoRoom))?;
        if page.messages.is_empty() && page.upto <= after {
            // The tail has newer messages than the store: retrying would loop for ever.
            return Err(LinkEnd::ClosedHere(CloseReason::NoRoom));
        }
        if !page.more {
            self.position = page.upto;
        }
        Ok(page.messages)
    }

    fn write(&mut self, hub: &Hub, messages: &[StoredMessage], out: &mut BytesMut) -> Result<(), LinkEnd> {
        let mut rest = messages;
        while let Some(first) = rest.first() {
            let (epoch, end) = hub.read(|state| state.epoch_of(first.seq)).0;
            let mut bytes = 0;
            let fits = |message: &&StoredMessage| {
                bytes += message.body.size();
                message.seq == first.seq || (message.seq <= end && bytes <= LINK_BATCH_BYTES)
            };
            let count = rest.iter().take_while(fits).count();
            let (batch, later) = rest.split_at(count);
            rest = later;
            let (messages, addresses): (Vec<_>, Vec<_>) = batch.iter().filter_map(to_wire).unzip();
            let in_flight = |(message, to): (&WireMessage, Box<str>)| {
                let number = (epoch, message.number);
                InFlight { number, to }
            };
            self.in_flight.extend(messages.iter().zip(addresses).map(in_flight));
            frame::write(out, &Frame::Messages { epoch, messages }).map_err(LinkEnd::ClosedHere)?;
        }
        Ok(())
    }

    /// The other server has stored or refused everything up to a number.
    pub(super) fn acknowledged(
        &mut self,
        hub: &Hub,
        (epoch, upto): SourceSeq,
        refused: &[(Seq, BounceReason)],
    ) -> Result<(), LinkEnd> {
        let is_acknowledged = |sent: &&InFlight| sent.number.0 == epoch && sent.number.1 <= upto;
        let count = self.in_flight.iter().take_while(is_acknowledged).count();
        let settled: Vec<InFlight> = self.in_flight.drain(..count).collect();
        let Some(last) = settled.last().map(|sent| sent.number.1) else { return Ok(()) };
        let refused = refused_of(&settled, refused);
        let untold = hub.note_acknowledged(&self.outbox, last, &refused).ok_or(LinkEnd::Replaced)?;
        self.unpersisted += settled.len();
        if refused.is_empty() {
            if self.unpersisted < CURSOR_SAVED_MESSAGES {
                self.persist_at.get_or_insert_with(|| Instant::now() + CURSOR_SAVED);
            } else {
                self.persist_ack(hub);
            }
            return Ok(());
        }
        // A sender whose reply did not carry the refusal gets a notification instead.
        let notification = |number: Seq, why| {
            let sent = settled.get(index_of(&settled, number)?)?;
            let is_untold = untold.binary_search_by_key(&number, |(untold, _)| *untold).is_ok();
            is_untold.then(|| wire::returned(&sent.to, why).into())
        };
        let bounce =
            |&(number, why): &(Seq, BounceReason)| Bounce { number, why, notification: notification(number, why) };
        let bounces = refused.iter().map(bounce).collect();
        let executed = hub.execute_as_server(&Command::AcknowledgeOutbox { realm: self.realm, upto: last, bounces });
        executed.result.map_err(|_| LinkEnd::ClosedHere(CloseReason::NoRoom))?;
        self.persist_at = None;
        self.confirming.push_back((executed.ticket, (epoch, last)));
        Ok(())
    }

    /// Lets the other server forget the refusals that are durable here.
    pub(super) fn send_confirmations(&mut self, hub: &Hub, out: &mut BytesMut) -> Result<(), LinkEnd> {
        while let Some((ticket, (epoch, upto))) = self.confirming.front().copied() {
            match hub.commit_status(ticket) {
                CommitStatus::Pending => return Ok(()),
                CommitStatus::Failed(_) => return Err(LinkEnd::ClosedHere(CloseReason::NoRoom)),
                CommitStatus::Durable => {}
            }
            self.confirming.pop_front();
            frame::write(out, &Frame::RefusalsConfirmed { epoch, upto }).map_err(LinkEnd::ClosedHere)?;
        }
        Ok(())
    }

    /// Persists how far the other server has acknowledged. May come late: a message sent twice is received once.
    pub(super) fn persist_ack(&mut self, hub: &Hub) {
        self.persist_at = None;
        self.unpersisted = 0;
        let upto = self.outbox.acknowledged();
        let command = Command::AcknowledgeOutbox { realm: self.realm, upto, bounces: Vec::new() };
        // If it fails, the messages are sent again; if the realm was removed, nothing depends on it.
        let _executed = hub.execute_as_server(&command);
        self.confirm_old_epochs(hub);
    }
}

/// The refusals of messages that were sent, sorted, each number once.
fn refused_of(settled: &[InFlight], refused: &[(Seq, BounceReason)]) -> Vec<(Seq, BounceReason)> {
    let was_sent = |(number, _): &&(Seq, BounceReason)| index_of(settled, *number).is_some();
    let mut refused: Vec<_> = refused.iter().filter(was_sent).copied().collect();
    refused.sort_by_key(|(number, _)| *number);
    refused.dedup_by_key(|(number, _)| *number);
    refused
}

fn index_of(settled: &[InFlight], number: Seq) -> Option<usize> {
    settled.binary_search_by_key(&number, |sent| sent.number.1).ok()
}

/// The wire form of a stored message, and its address. `None` if the store has lost it; the message is skipped.
fn to_wire(message: &StoredMessage) -> Option<(WireMessage, Box<str>)> {
    let fields = message.body.fields().filter(|fields| fields.kind != Kind::Damaged)?;
    let address = Address::parse(&fields.to).ok()?;
    let wire_message = WireMessage {
        number: message.seq,
        from: (&*fields.from).into(),
        full_name: (&*fields.msg_from).into(),
        to: address.name.as_str().into(),
        to_group: fields.kind == Kind::Group,
        text: (&*fields.msg).into(),
    };
    Some((wire_message, fields.to.into()))
}
