//! Another server, and the outbox of messages for it (PROTOCOL §6).

use std::collections::VecDeque;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::chat::error::BounceReason;
use crate::chat::model::message::{Author, Message};
use crate::id::{Epoch, PeerKey, RealmId, Seq, UserId};
use crate::limits::{
    EPOCHS_PER_PEER, OUTBOX_BYTES, OUTBOX_BYTES_PER_USER, OUTBOX_KEPT_BYTES, OUTBOX_KEPT_MESSAGES, OUTBOX_MESSAGES,
    OUTBOX_MESSAGES_PER_USER, OUTBOX_RESERVED_BYTES, OUTBOX_RESERVED_MESSAGES,
};
use crate::time::Time;

/// Another server. Its identity is its key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// What may change of it.
    pub info: PeerInfo,
    /// What of the outbox the other server has, as far as this one's disk knows.
    pub cursor: Seq,
    /// The newest entry of the outbox.
    pub last: Seq,
    /// What it does not have yet, as far as this one's disk knows.
    pub queue: OutboxQueue,
    /// Up to which of its numbers everything was taken in, of each of its epochs, the newest last.
    pub received: Vec<(Epoch, Seq)>,
    /// What of that was refused, until the other server has noted it.
    pub refused: Vec<(Epoch, Seq, BounceReason)>,
}

/// What is known of another server: all that may change but what was said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerInfo {
    /// `None` if it was configured without one and never met.
    pub key: Option<PeerKey>,
    /// The address to dial.
    pub address: Option<PeerAddress>,
    /// It came by itself, and has the name that it calls itself: one that a user gives it goes before.
    pub self_named: bool,
    /// Its name for this server.
    pub our_alias: Option<RealmId>,
}

/// A server's address: that of its ordinary chat port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerAddress {
    /// A name or an address.
    pub host: Box<str>,
    /// The port.
    pub port: u16,
}

/// A message that waits for another server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    /// The log entry of the message.
    pub seq: Seq,
    /// When it was sent.
    pub time: Time,
    /// Its sender.
    pub from: UserId,
    /// The bytes of its body.
    pub bytes: u32,
}

/// Messages that wait for another server, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxQueue {
    waiting: VecDeque<OutboxEntry>,
    bytes: usize,
    senders: HashMap<UserId, SenderShare>,
}

/// What waits of one sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct SenderShare {
    messages: usize,
    bytes: usize,
}

impl SenderShare {
    /// Whether one more message is within bounds.
    fn has_room_for(self, bytes: usize, most: usize, most_bytes: usize) -> bool {
        self.messages < most && self.bytes + bytes <= most_bytes
    }
}

impl OutboxQueue {
    /// The oldest that waits.
    #[must_use]
    pub fn oldest(&self) -> Option<&OutboxEntry> {
        self.waiting.front()
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The bytes of their bodies.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there is room for one more message of a sender. If others have filled the queue, there still is for a few.
    #[must_use]
    pub fn has_room_for(&self, sender: UserId, bytes: usize) -> bool {
        let all = SenderShare { messages: self.len(), bytes: self.bytes };
        let own = self.senders.get(&sender).copied().unwrap_or_default();
        let has_reserve = own.has_room_for(bytes, OUTBOX_KEPT_MESSAGES, OUTBOX_KEPT_BYTES);
        let (messages, reserve) = if has_reserve { (OUTBOX_RESERVED_MESSAGES, OUTBOX_RESERVED_BYTES) } else { (0, 0) };
        own.has_room_for(bytes, OUTBOX_MESSAGES_PER_USER, OUTBOX_BYTES_PER_USER)
            && all.has_room_for(bytes, OUTBOX_MESSAGES + messages, OUTBOX_BYTES + reserve)
    }

    /// All that wait, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &OutboxEntry> {
        self.waiting.iter()
    }

    /// The sender of the waiting message of that number.
    #[must_use]
    pub fn sender(&self, seq: Seq) -> Option<UserId> {
        let place = self.waiting.binary_search_by_key(&seq, |queued| queued.seq).ok()?;
        self.waiting.get(place).map(|queued| queued.from)
    }

    /// Adds a message that is newer than all.
    pub fn push(&mut self, queued: OutboxEntry) {
        self.bytes += queued.bytes as usize;
        let own = self.senders.entry(queued.from).or_default();
        own.messages += 1;
        own.bytes += queued.bytes as usize;
        self.waiting.push_back(queued);
    }

    pub(in crate::chat) fn drop_upto(&mut self, upto: Seq) {
        while let Some(queued) = self.waiting.pop_front_if(|queued| queued.seq <= upto) {
            self.bytes -= queued.bytes as usize;
            let left = self.senders.entry(queued.from).or_default();
            left.messages -= 1;
            left.bytes -= queued.bytes as usize;
            if left.messages == 0 {
                self.senders.remove(&queued.from);
            }
        }
    }
}

impl Peer {
    /// Up to which number everything of an epoch was taken in.
    #[must_use]
    pub fn received_upto(&self, epoch: Epoch) -> Seq {
        let known = self.received.iter().find(|(known, _)| *known == epoch);
        known.map_or(Seq(0), |(_, upto)| *upto)
    }

    /// A message for the other server is in its outbox.
    pub(in crate::chat) fn send(&mut self, seq: Seq, time: Time, message: &Message) {
        self.last = seq;
        let from = match message.from {
            Author::Local(user) => user,
            Author::Remote(_) | Author::Server => UserId::NOBODY,
        };
        let bytes = u32::try_from(message.body.size()).unwrap_or(u32::MAX);
        self.queue.push(OutboxEntry { seq, time, from, bytes });
    }

    /// The least recently used epoch, to be dropped for a new one if there are too many.
    pub(in crate::chat) fn makes_room_for(&self, epoch: Epoch) -> Option<Epoch> {
        let is_full = self.received.len() >= EPOCHS_PER_PEER;
        let is_known = self.received.iter().any(|(known, _)| *known == epoch);
        let (oldest, _) = self.received.first().filter(|_| is_full && !is_known)?;
        Some(*oldest)
    }

    pub(in crate::chat) fn receive(
        &mut self,
        epoch: Epoch,
        upto: Seq,
        refused: &[(Seq, BounceReason)],
        forgotten: Option<Epoch>,
    ) {
        self.received.retain(|(known, _)| *known != epoch && Some(*known) != forgotten);
        // The numbers of a forgotten one may come once more, and none may be refused twice.
        self.refused.retain(|(of, ..)| Some(*of) != forgotten);
        self.received.push((epoch, upto));
        self.refused.extend(refused.iter().map(|(number, why)| (epoch, *number, *why)));
    }

    pub(in crate::chat) fn forget_refused(&mut self, epoch: Epoch, upto: Seq) {
        self.refused.retain(|(of, number, _)| *of != epoch || *number > upto);
    }
}
