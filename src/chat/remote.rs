//! Messages between realms: sending into an outbox, receiving from another server, and acknowledgements (PROTOCOL §6).

#[cfg(test)]
mod tests;

use crate::chat::accounts::User;
use crate::chat::error::{BounceReason, CommandError};
use crate::chat::event::Event;
use crate::chat::message::{Author, Destination, Kind, Message, MessageBody, MessageFields, RemoteName};
use crate::chat::peer::{Peer, system_message};
use crate::chat::realms::Realm;
use crate::chat::state::State;
use crate::id::{Incarnation, RealmId, Seq, UserId};
use crate::limits::{MAX_LOG_NUMBER, OUTBOX_BYTES, OUTBOX_MESSAGES, OUTBOX_MESSAGES_PER_USER, REFUSED_UNCONFIRMED};
use crate::name::{Address, Name};

/// A message received from another server. Its sender is always a user of that server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteMessage {
    /// The sender's name at the other server.
    pub from: Name,
    /// The sender's full name; may be empty.
    pub full_name: Box<str>,
    /// The user here, or the group.
    pub to: Name,
    /// It is for a group.
    pub to_group: bool,
    /// The text.
    pub text: Box<str>,
}

/// A message that the other server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounce {
    /// Its number.
    pub number: Seq,
    /// Why.
    pub why: BounceReason,
    /// The text for the inbox of the sender, or `None` if the reply to the request carried the refusal.
    pub notification: Option<Box<str>>,
}

/// Sends into the outbox of another realm. Whether the recipient exists is decided by that server.
pub(super) fn decide_send(
    sender: (UserId, &User),
    to: &Name,
    to_group: bool,
    text: &str,
    (id, realm, peer): (RealmId, &Realm, &Peer),
) -> Result<Vec<Event>, CommandError> {
    let address = Address { name: to.clone(), realm: Some(realm.name.clone()) }.to_string();
    let parts = MessageFields {
        from: sender.1.name.as_str().into(),
        to: address.as_str().into(),
        msg_from: sender.1.shown_name().into(),
        msg_to: to.as_str().into(),
        msg: text.into(),
        kind: if to_group { Kind::Group } else { Kind::Direct },
        group: to_group.then(|| to.as_str().into()),
        realm: Some(realm.name.as_str().into()),
    };
    let body = MessageBody::compose(&parts);
    let queue = &peer.queue;
    let is_full = queue.len() >= OUTBOX_MESSAGES || queue.bytes() + body.0.len() > OUTBOX_BYTES;
    if is_full || queue.len_of(sender.0) >= OUTBOX_MESSAGES_PER_USER {
        return Err(CommandError::RealmQueueFull);
    }
    let remote = RemoteName { realm: id, name: to.clone() };
    let to = if to_group { Destination::RemoteGroup(remote) } else { Destination::RemoteUser(remote) };
    Ok(vec![Event::MessageSent(Message { from: Author::Local(sender.0), to, realm: Some(id), body })])
}

/// Receives messages in the order of their numbers. Messages that were received before are skipped; refusals are stored,
/// so that the acknowledgement carries them however often the link breaks.
pub(super) fn decide_receive(
    state: &State,
    id: RealmId,
    incarnation: Incarnation,
    messages: &[(Seq, Result<RemoteMessage, BounceReason>)],
) -> Result<Vec<Event>, CommandError> {
    let realm = state.realm(id).ok_or(CommandError::RealmNotFound)?;
    let peer = realm.peer().ok_or(CommandError::RealmNotFound)?;
    if peer.refused.len() >= REFUSED_UNCONFIRMED {
        return Err(CommandError::Busy);
    }
    // The store cannot represent a greater number, and would retry the commit for ever.
    if messages.iter().any(|(number, _)| number.0 > MAX_LOG_NUMBER) {
        return Err(CommandError::RealmRefused);
    }
    let mut upto = peer.received_upto(incarnation);
    let before = upto;
    let mut events = Vec::with_capacity(messages.len() + 1);
    let mut refused = Vec::new();
    for (number, message) in messages {
        if *number <= upto {
            continue;
        }
        upto = *number;
        let delivered = message.as_ref().map_err(|why| *why).and_then(|message| deliver(state, (id, realm), message));
        match delivered {
            Ok(message) => events.push(Event::MessageSent(message)),
            Err(why) => refused.push((*number, why)),
        }
    }
    if upto > before {
        let forgotten = peer.makes_room_for(incarnation);
        events.push(Event::PeerReceived { realm: id, incarnation, upto, refused, forgotten });
    }
    Ok(events)
}

/// The local form of a received message.
fn deliver(state: &State, (id, realm): (RealmId, &Realm), remote: &RemoteMessage) -> Result<Message, BounceReason> {
    let author = Author::Remote(RemoteName { realm: id, name: remote.from.clone() });
    let from = Address { name: remote.from.clone(), realm: Some(realm.name.clone()) }.to_string();
    let full_name = if remote.full_name.is_empty() { remote.from.as_str() } else { &remote.full_name };
    let parts = |to: &Name, msg_to: &str, kind| {
        MessageBody::compose(&MessageFields {
            from: from.as_str().into(),
            to: to.as_str().into(),
            msg_from: full_name.into(),
            msg_to: msg_to.into(),
            msg: (&*remote.text).into(),
            kind,
            group: (kind == Kind::Group).then(|| to.as_str().into()),
            realm: Some(realm.name.as_str().into()),
        })
    };
    let (to, body) = if remote.to_group {
        let (group_id, group) = state.group_named(&remote.to).ok_or(BounceReason::GroupNotFound)?;
        // Groups have no members from other realms yet: a group with a password is closed to them (PROTOCOL §6).
        if group.password.is_some() {
            return Err(BounceReason::NotMember);
        }
        (Destination::Group(group_id), parts(&group.name, group.name.as_str(), Kind::Group))
    } else {
        let (user_id, user) = state.user_named(&remote.to).ok_or(BounceReason::UserNotFound)?;
        if author.person().is_some_and(|person| user.has_blocked(&person)) {
            return Err(BounceReason::Blocked);
        }
        (Destination::User(user_id), parts(&user.name, user.shown_name(), Kind::Direct))
    };
    Ok(Message { from: author, to, realm: Some(id), body })
}

/// The other server has stored or refused everything up to a number. Adds a message from `realm@HOME` for each bounce with
/// a notification.
pub(super) fn decide_acknowledge(
    state: &State,
    id: RealmId,
    upto: Seq,
    bounces: &[Bounce],
) -> Result<Vec<Event>, CommandError> {
    let realm = state.realm(id).ok_or(CommandError::RealmNotFound)?;
    let peer = realm.peer().ok_or(CommandError::RealmNotFound)?;
    let upto = upto.min(peer.last);
    if upto <= peer.cursor {
        return Ok(Vec::new());
    }
    let is_new = |bounce: &&Bounce| peer.cursor < bounce.number && bounce.number <= upto;
    let mut events = Vec::new();
    let mut refused = Vec::new();
    for bounce in bounces.iter().filter(is_new) {
        let Some(sender) = peer.queue.sender(bounce.number) else { continue };
        refused.push((bounce.number, sender, bounce.why));
        let notification =
            bounce.notification.as_ref().and_then(|text| system_message(state, sender, (id, realm), text));
        events.extend(notification);
    }
    events.push(Event::OutboxAcknowledged { realm: id, upto, refused });
    Ok(events)
}

/// The other server has stored the refusals up to a number, which are forgotten here.
pub(super) fn decide_confirm(
    state: &State,
    id: RealmId,
    incarnation: Incarnation,
    upto: Seq,
) -> Result<Vec<Event>, CommandError> {
    let peer = state.peer(id).ok_or(CommandError::RealmNotFound)?;
    let upto = upto.min(peer.received_upto(incarnation));
    let forgets = peer.refused.iter().any(|(of, number, _)| *of == incarnation && *number <= upto);
    let confirmed = Event::PeerConfirmed { realm: id, incarnation, upto };
    Ok(if forgets { vec![confirmed] } else { Vec::new() })
}
