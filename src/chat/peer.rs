//! Links: what is known of another server, and what waits for it (PROTOCOL §6).

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::chat::error::{BounceReason, CommandError};
use crate::chat::event::Event;
use crate::chat::message::{Author, Destination, Kind, Message, MessageBody, MessageFields};
use crate::chat::realms::{Realm, RealmKind};
use crate::chat::state::State;
use crate::id::{Incarnation, PeerKey, RealmId, Seq, UserId};
use crate::limits::{INCARNATIONS, INCARNATIONS_PER_PEER};
use crate::name::Name;
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
    /// Up to which of its numbers everything was taken in, of each of its incarnations, the newest last.
    pub received: Vec<(Incarnation, Seq)>,
    /// What of that was refused, until the other server has noted it.
    pub refused: Vec<(Incarnation, Seq, BounceReason)>,
}

/// What is known of another server: all that may change but what was said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerInfo {
    /// Its key; none where it was configured without one and never met.
    pub key: Option<PeerKey>,
    /// Where it can be dialled.
    pub address: Option<PeerAddress>,
    /// It came by itself, and has the name that it calls itself: one that a user gives it goes before.
    pub self_named: bool,
    /// What it calls this server.
    pub our_alias: Option<RealmId>,
}

/// Where a server can be dialled: its ordinary chat port.
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
    /// Its number.
    pub seq: Seq,
    /// When it was sent.
    pub time: Time,
    /// Who sent it.
    pub from: UserId,
    /// The bytes of its body.
    pub bytes: u32,
}

/// What waits for another server, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxQueue {
    waiting: VecDeque<OutboxEntry>,
    bytes: usize,
    /// How many of each sender.
    senders: HashMap<UserId, usize>,
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

    /// How many of a sender wait.
    #[must_use]
    pub fn len_of(&self, sender: UserId) -> usize {
        self.senders.get(&sender).copied().unwrap_or_default()
    }

    /// All that wait, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &OutboxEntry> {
        self.waiting.iter()
    }

    /// Who sent the waiting message of that number.
    #[must_use]
    pub fn sender(&self, seq: Seq) -> Option<UserId> {
        let place = self.waiting.binary_search_by_key(&seq, |queued| queued.seq).ok()?;
        self.waiting.get(place).map(|queued| queued.from)
    }

    /// Adds a message that is newer than all.
    pub fn push(&mut self, queued: OutboxEntry) {
        self.bytes += queued.bytes as usize;
        *self.senders.entry(queued.from).or_default() += 1;
        self.waiting.push_back(queued);
    }

    pub(super) fn drop_upto(&mut self, upto: Seq) {
        while let Some(queued) = self.waiting.pop_front_if(|queued| queued.seq <= upto) {
            self.bytes -= queued.bytes as usize;
            let left = self.senders.entry(queued.from).or_default();
            *left -= 1;
            if *left == 0 {
                self.senders.remove(&queued.from);
            }
        }
    }
}

impl Peer {
    /// Up to which number everything of an incarnation was taken in.
    #[must_use]
    pub fn received_upto(&self, incarnation: Incarnation) -> Seq {
        let known = self.received.iter().find(|(known, _)| *known == incarnation);
        known.map_or(Seq(0), |(_, upto)| *upto)
    }

    /// A message for the other server is in its outbox.
    pub(super) fn send(&mut self, seq: Seq, time: Time, message: &Message) {
        self.last = seq;
        let from = match message.from {
            Author::Local(user) => user,
            Author::Remote(_) | Author::Server => UserId::NOBODY,
        };
        let bytes = u32::try_from(message.body.0.len()).unwrap_or(u32::MAX);
        self.queue.push(OutboxEntry { seq, time, from, bytes });
    }

    /// The incarnation that is forgotten when this one comes: the one that was used longest ago, where there are too many.
    pub(super) fn makes_room_for(&self, incarnation: Incarnation) -> Option<Incarnation> {
        let is_full = self.received.len() >= INCARNATIONS_PER_PEER;
        let is_known = self.received.iter().any(|(known, _)| *known == incarnation);
        let (oldest, _) = self.received.first().filter(|_| is_full && !is_known)?;
        Some(*oldest)
    }

    pub(super) fn receive(
        &mut self,
        incarnation: Incarnation,
        upto: Seq,
        refused: &[(Seq, BounceReason)],
        forgotten: Option<Incarnation>,
    ) {
        self.received.retain(|(known, _)| *known != incarnation && Some(*known) != forgotten);
        // The numbers of a forgotten one may come once more, and none may be refused twice.
        self.refused.retain(|(of, ..)| Some(*of) != forgotten);
        self.received.push((incarnation, upto));
        self.refused.extend(refused.iter().map(|(number, why)| (incarnation, *number, *why)));
    }

    pub(super) fn forget_refused(&mut self, incarnation: Incarnation, upto: Seq) {
        self.refused.retain(|(of, number, _)| *of != incarnation || *number > upto);
    }
}

impl State {
    /// The link to the server of a key.
    #[must_use]
    pub fn peer_of(&self, key: &PeerKey) -> Option<(RealmId, &Realm, &Peer)> {
        let id = *self.keys.get(key)?;
        let realm = self.realm(id)?;
        Some((id, realm, realm.peer()?))
    }

    /// The incarnation in which this server gave a number, and the last number before the next one.
    #[must_use]
    pub fn incarnation_of(&self, seq: Seq) -> (Incarnation, Seq) {
        let next = self.incarnations.partition_point(|(begun, _)| *begun <= seq);
        let incarnation = next.checked_sub(1).and_then(|place| self.incarnations.get(place));
        let end = self.incarnations.get(next).map_or(Seq(u64::MAX), |(begun, _)| Seq(begun.0 - 1));
        (incarnation.map_or(Incarnation(0), |(_, incarnation)| *incarnation), end)
    }

    /// After which number this server has to send, when the other one says how far it came in each incarnation: after
    /// what it has acknowledged (it may have more, and then says again what of that it refused), or earlier, where it
    /// has less than it once had (it was restored from a backup).
    #[must_use]
    pub fn resend_position(&self, peer: &Peer, heads: &[(Incarnation, Seq)]) -> Seq {
        let ends = self.incarnations.iter().skip(1).map(|(begun, _)| Seq(begun.0 - 1)).chain([Seq(u64::MAX)]);
        let newest_first = self.incarnations.iter().zip(ends.collect::<Vec<_>>()).rev();
        let mut known = newest_first.filter_map(|((_, incarnation), end)| {
            let (_, head) = heads.iter().find(|(known, _)| known == incarnation)?;
            Some(end.min(*head))
        });
        known.next().map_or(peer.cursor, |known| known.min(peer.cursor))
    }

    /// What the other server need not remember any more of what it refused in an incarnation of this one: up to what this
    /// one has noted, or all of it, where nothing of then waits any more (what it was is noted, or went with a restore).
    #[must_use]
    pub fn confirmed_up_to(&self, peer: &Peer, incarnation: Incarnation) -> Seq {
        let Some(place) = self.incarnations.iter().position(|(_, known)| *known == incarnation) else {
            return Seq(u64::MAX);
        };
        let Some((next, _)) = self.incarnations.get(place + 1) else { return peer.cursor };
        let waits = peer.queue.oldest().is_some_and(|oldest| oldest.seq < *next);
        if waits { peer.cursor } else { Seq(u64::MAX) }
    }

    pub(super) fn begin_incarnation(&mut self, seq: Seq, incarnation: Incarnation) {
        if self.incarnations.len() >= INCARNATIONS {
            self.incarnations.remove(0);
        }
        self.incarnations.push((seq, incarnation));
    }

    /// How this server counts now.
    #[must_use]
    pub fn incarnation(&self) -> Incarnation {
        self.incarnations.last().map_or(Incarnation(0), |(_, incarnation)| *incarnation)
    }

    /// Whether the other server has numbers of this one that this one has not given: it was restored, and must not go on
    /// counting from there.
    #[must_use]
    pub fn is_behind(&self, heads: &[(Incarnation, Seq)]) -> bool {
        let Some((_, current)) = self.incarnations.last() else { return true };
        heads.iter().any(|(incarnation, head)| incarnation == current && *head > self.head)
    }

    pub(super) fn change_peer(&mut self, id: RealmId, change: impl FnOnce(&mut Peer)) {
        if let Some(RealmKind::Peer(peer)) = self.realms.get_mut(id.0 as usize).map(|realm| &mut realm.kind) {
            change(peer);
        }
    }

    /// Whoever repeats a request whose message came back is told so again.
    pub(super) fn acknowledge_outbox(&mut self, id: RealmId, upto: Seq, refused: &[(Seq, UserId, BounceReason)]) {
        for (number, sender, why) in refused {
            self.change_user(*sender, |user| user.done.note_refused(*number, *why));
        }
        self.change_peer(id, |peer| {
            peer.cursor = upto;
            peer.queue.drop_upto(upto);
        });
    }

    pub(super) fn add_peer(&mut self, id: RealmId, name: &Name, by: Option<UserId>, info: &PeerInfo) {
        self.keys.extend(info.key.map(|key| (key, id)));
        let peer = Peer { info: info.clone(), ..Peer::default() };
        self.put_realm(id, Realm { name: name.clone(), by, kind: RealmKind::Peer(Box::new(peer)) });
    }

    pub(super) fn set_peer_info(&mut self, id: RealmId, name: &Name, info: &PeerInfo) {
        let Some(realm) = self.realms.get_mut(id.0 as usize) else { return };
        let RealmKind::Peer(peer) = &mut realm.kind else { return };
        // Another server has numbers of its own.
        if peer.info.key.is_some() && peer.info.key != info.key {
            peer.received.clear();
            peer.refused.clear();
        }
        peer.info = info.clone();
        realm.name = name.clone();
        self.realm_names.retain(|_, known| *known != id);
        // The home realm may have been given this one's name: it keeps it.
        self.realm_names.entry(name.folded()).or_insert(id);
        self.keys.retain(|_, known| *known != id);
        self.keys.extend(info.key.map(|key| (key, id)));
    }
}

/// A server to be linked: by a user who has it dialled, or by the configuration.
pub(super) struct NewPeer<'a> {
    pub(super) by: Option<UserId>,
    pub(super) name: &'a Name,
    pub(super) key: Option<PeerKey>,
    pub(super) address: Option<&'a PeerAddress>,
}

/// Links a server under the name that is given. A further name of this server may become a link, and so may the name
/// that the server gave itself when it came.
pub(super) fn decide_add_peer(state: &State, new: &NewPeer<'_>) -> Result<Vec<Event>, CommandError> {
    if let Some(user) = new.by {
        state.active_user(user)?;
    }
    let taken = state.realm_named(new.name);
    if let Some((id, realm, peer)) = new.key.and_then(|key| state.peer_of(&key)) {
        let is_free = taken.is_none_or(|(known, _)| known == id);
        if !peer.info.self_named || !is_free {
            return Err(CommandError::RealmExists);
        }
        let address = new.address.cloned().or_else(|| peer.info.address.clone());
        let info = PeerInfo { address, self_named: false, ..peer.info.clone() };
        let name = if taken.is_some() { &realm.name } else { new.name };
        return Ok(vec![Event::PeerChanged { realm: id, name: name.clone(), info }]);
    }
    let id = match taken {
        None => state.next_realm()?,
        Some((id, Realm { kind: RealmKind::Own, .. })) if id != RealmId::HOME => id,
        Some(_) => return Err(CommandError::RealmExists),
    };
    let info = PeerInfo { key: new.key, address: new.address.cloned(), self_named: false, our_alias: None };
    let added = Event::PeerAdded { realm: id, name: new.name.clone(), by: new.by, info };
    Ok(vec![added])
}

/// What the configuration says of a server goes before what is known of it.
pub(super) fn decide_configure(state: &State, new: &NewPeer<'_>) -> Result<Vec<Event>, CommandError> {
    let taken = state.realm_named(new.name);
    let of_name = || taken.and_then(|(id, realm)| Some((id, realm, realm.peer()?)));
    let known = new.key.and_then(|key| state.peer_of(&key)).or_else(of_name);
    let Some((id, realm, peer)) = known else { return decide_add_peer(state, new) };
    if taken.is_some_and(|(taken, _)| taken != id) {
        return Err(CommandError::RealmExists);
    }
    let address = new.address.cloned().or_else(|| peer.info.address.clone());
    let info = PeerInfo { key: new.key.or(peer.info.key), address, self_named: false, ..peer.info.clone() };
    if info == peer.info && realm.name == *new.name {
        return Ok(Vec::new());
    }
    Ok(vec![Event::PeerChanged { realm: id, name: new.name.clone(), info }])
}

/// A message from this server itself (`realm@HOME`) about another realm.
pub(super) fn system_message(state: &State, to: UserId, realm: (RealmId, &Realm), text: &str) -> Option<Event> {
    let receiver = state.user(to).filter(|user| !user.unregistered)?;
    let sender = format!("realm@{}", state.home()?);
    let parts = MessageFields {
        from: sender.as_str().into(),
        to: receiver.name.as_str().into(),
        msg_from: sender.as_str().into(),
        msg_to: receiver.shown_name().into(),
        msg: text.into(),
        kind: Kind::Direct,
        group: None,
        realm: Some(realm.1.name.as_str().into()),
    };
    let body = MessageBody::compose(&parts);
    Some(Event::MessageSent(Message { from: Author::Server, to: Destination::User(to), realm: Some(realm.0), body }))
}
