//! Messages from the other server: to the hub, and acknowledged once they are durable.

use std::collections::VecDeque;

use bytes::BytesMut;
use tokio::time::Instant;

use crate::chat::{BounceReason, Command, RemoteMessage};
use crate::federation::frame::{self, CloseReason, Frame, WireMessage};
use crate::federation::link::end::LinkEnd;
use crate::federation::link::token_bucket::TokenBucket;
use crate::hub::{CommitStatus, Hub, Ticket};
use crate::id::{Epoch, RealmId, Seq};
use crate::limits::{LINK_BATCH, LINK_IN_FLIGHT, PEER_BYTES_PER_SECOND, PEER_MESSAGES_PER_SECOND, PROFILE_BYTES};
use crate::name::Name;
use crate::wire;

pub(super) struct Receiver {
    realm: RealmId,
    /// The longest text of a message.
    text_bytes: usize,
    /// Received and not known to be durable, in the order of their tickets.
    pending: VecDeque<PendingAck>,
    messages: TokenBucket,
    bytes: TokenBucket,
}

/// An acknowledgement that waits for a commit.
struct PendingAck {
    ticket: Ticket,
    epoch: Epoch,
    upto: Seq,
    refused: Vec<(Seq, BounceReason)>,
}

impl Receiver {
    pub(super) fn new(realm: RealmId, text_bytes: usize) -> Self {
        Self {
            realm,
            text_bytes,
            pending: VecDeque::new(),
            messages: TokenBucket::new(PEER_MESSAGES_PER_SECOND),
            bytes: TokenBucket::new(PEER_BYTES_PER_SECOND),
        }
    }

    pub(super) fn waits_for_commit(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Whether to read on: not while too many messages wait for the disk, or the other server exceeds its rate.
    pub(super) fn has_room(&self, hub: &Hub, now: Instant) -> bool {
        self.pending.len() < LINK_IN_FLIGHT && hub.has_capacity() && self.throttled_until(now).is_none()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.throttled_until(Instant::now())
    }

    fn throttled_until(&self, now: Instant) -> Option<Instant> {
        self.messages.in_debt_until(now).max(self.bytes.in_debt_until(now))
    }

    /// A frame costs as much as a message, so that empty ones are limited too.
    pub(super) fn count_frame(&mut self, now: Instant) {
        self.messages.take(1, now);
    }

    /// Hands messages to the hub. Messages that were received before are only acknowledged again, with their refusals.
    pub(super) fn receive(&mut self, hub: &Hub, epoch: Epoch, messages: Vec<WireMessage>) -> Result<(), LinkEnd> {
        let (Some(first), Some(last)) = (messages.first(), messages.last()) else { return Ok(()) };
        let (first, upto) = (first.number, last.number);
        let in_order = messages.is_sorted_by(|one, next| one.number < next.number);
        if messages.len() > LINK_BATCH || !in_order {
            return Err(LinkEnd::ClosedHere(CloseReason::Malformed));
        }
        let now = Instant::now();
        self.messages.take(messages.len(), now);
        self.bytes.take(messages.iter().map(|message| message.text.len()).sum(), now);
        let messages = messages.into_iter().map(|message| (message.number, validate(message, self.text_bytes)));
        let command = Command::Receive { realm: self.realm, epoch, messages: messages.collect() };
        let executed = hub.execute_as_server(&command);
        if executed.result.is_err() {
            let is_removed = hub.read(|state| state.peer(self.realm).is_none()).0;
            let reason = if is_removed { CloseReason::Removed } else { CloseReason::NoRoom };
            return Err(LinkEnd::ClosedHere(reason));
        }
        let refused = self.refused(hub, epoch, first, upto);
        self.pending.push_back(PendingAck { ticket: executed.ticket, epoch, upto, refused });
        Ok(())
    }

    fn refused(&self, hub: &Hub, epoch: Epoch, first: Seq, upto: Seq) -> Vec<(Seq, BounceReason)> {
        let in_range = |(of, number, why): &(Epoch, Seq, BounceReason)| {
            (*of == epoch && (first..=upto).contains(number)).then_some((*number, *why))
        };
        let refused = hub.read(|state| Some(state.peer(self.realm)?.refused.iter().filter_map(in_range).collect())).0;
        refused.unwrap_or_default()
    }

    /// Writes the acknowledgements of what is durable by now, one for each run of the same epoch.
    pub(super) fn acknowledge(&mut self, hub: &Hub, out: &mut BytesMut) -> Result<(), LinkEnd> {
        let mut durable: Option<PendingAck> = None;
        while let Some(next) = self.pending.front() {
            match hub.commit_status(next.ticket) {
                CommitStatus::Pending => break,
                CommitStatus::Failed(_) => return Err(LinkEnd::ClosedHere(CloseReason::NoRoom)),
                CommitStatus::Durable => {}
            }
            let Some(next) = self.pending.pop_front() else { break };
            match durable.as_mut().filter(|before| before.epoch == next.epoch) {
                Some(before) => {
                    before.upto = next.upto.max(before.upto);
                    before.refused.extend(next.refused);
                }
                None => {
                    if let Some(before) = durable.replace(next) {
                        write(before, out)?;
                    }
                }
            }
        }
        durable.map_or(Ok(()), |ack| write(ack, out))
    }

    /// The other server has stored the refusals up to a number.
    pub(super) fn forget_refusals(&self, hub: &Hub, epoch: Epoch, upto: Seq) -> Result<(), LinkEnd> {
        let executed = hub.execute_as_server(&Command::ConfirmReceived { realm: self.realm, epoch, upto });
        executed.result.map(drop).map_err(|_| LinkEnd::ClosedHere(CloseReason::NoRoom))
    }
}

fn write(PendingAck { epoch, upto, refused, .. }: PendingAck, out: &mut BytesMut) -> Result<(), LinkEnd> {
    frame::write(out, &Frame::Acknowledged { epoch, upto, refused }).map_err(LinkEnd::ClosedHere)
}

/// Applies the rules that hold for clients (PROTOCOL §1, §3).
fn validate(message: WireMessage, text_bytes: usize) -> Result<RemoteMessage, BounceReason> {
    let WireMessage { from, full_name, to, to_group, text, .. } = message;
    let is_text = !text.trim().is_empty() && text.len() <= text_bytes && !wire::has_control_character(&text);
    let is_full_name = full_name.len() <= PROFILE_BYTES && !wire::has_control_character(&full_name);
    let (Ok(from), true, true) = (Name::parse(&from), is_text, is_full_name) else {
        return Err(BounceReason::Malformed);
    };
    let not_found = if to_group { BounceReason::GroupNotFound } else { BounceReason::UserNotFound };
    let to = Name::parse(&to).map_err(|_| not_found)?;
    Ok(RemoteMessage { from, full_name, to, to_group, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 100;

    fn message() -> WireMessage {
        WireMessage {
            number: Seq(1),
            from: "messi".into(),
            full_name: "Lionel Messi".into(),
            to: "henderson".into(),
            to_group: false,
            text: "apa kabar?".into(),
        }
    }

    #[test]
    fn the_rules_of_clients_hold_for_other_servers() {
        assert!(validate(message(), LIMIT).is_ok());
        for wrong in [
            WireMessage { from: "messi@barat".into(), ..message() },
            WireMessage { from: "realm".into(), ..message() },
            WireMessage { from: "".into(), ..message() },
            WireMessage { full_name: "x".repeat(PROFILE_BYTES + 1).into(), ..message() },
            WireMessage { full_name: "a\u{1b}[2J".into(), ..message() },
            WireMessage { text: "".into(), ..message() },
            WireMessage { text: " \t".into(), ..message() },
            WireMessage { text: "a\r\n[OK] b".into(), ..message() },
            WireMessage { text: "x".repeat(LIMIT + 1).into(), ..message() },
        ] {
            assert_eq!(validate(wrong.clone(), LIMIT), Err(BounceReason::Malformed), "{wrong:?}");
        }
        let no_name = WireMessage { to: "@".into(), ..message() };
        assert_eq!(validate(no_name.clone(), LIMIT), Err(BounceReason::UserNotFound));
        assert_eq!(validate(WireMessage { to_group: true, ..no_name }, LIMIT), Err(BounceReason::GroupNotFound));
    }
}
