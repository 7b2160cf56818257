//! Messages between realms: into the outbox, in from another server, and what came of those that left (PROTOCOL §6).

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
use crate::name::Name;

/// A message as it comes from another server. Who sent it is a user there, whatever it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteMessage {
    /// The sender's name there.
    pub from: Name,
    /// The sender's full name; may be empty.
    pub full_name: Box<str>,
    /// The user here, or the group.
    pub to: Name,
    /// It is for a group.
    pub to_group: bool,
    /// What was said.
    pub text: Box<str>,
}

/// A message that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounce {
    /// Its number.
    pub number: Seq,
    /// Why.
    pub why: BounceReason,
    /// What its sender is to be told in the inbox; nothing where the answer to the request says it.
    pub notification: Option<Box<str>>,
}

/// Into the outbox of another realm: whether anybody of that name is there is for that server to say.
pub(super) fn decide_send(
    sender: (UserId, &User),
    to: &Name,
    to_group: bool,
    text: &str,
    (id, realm, peer): (RealmId, &Realm, &Peer),
) -> Result<Vec<Event>, CommandError> {
    let address = format!("{to}@{}", realm.name);
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

/// Takes in what another server sends, in the order of its numbers: what was taken in before is left out, and what
/// cannot be delivered is noted, so that the other server learns it however often the link breaks.
pub(super) fn decide_receive(
    state: &State,
    id: RealmId,
    incarnation: Incarnation,
    letters: &[(Seq, Result<RemoteMessage, BounceReason>)],
) -> Result<Vec<Event>, CommandError> {
    let realm = state.realm(id).ok_or(CommandError::RealmNotFound)?;
    let peer = realm.peer().ok_or(CommandError::RealmNotFound)?;
    if peer.refused.len() >= REFUSED_UNCONFIRMED {
        return Err(CommandError::Busy);
    }
    // The store could not keep it, and would try for ever.
    if letters.iter().any(|(number, _)| number.0 > MAX_LOG_NUMBER) {
        return Err(CommandError::RealmRefused);
    }
    let mut upto = peer.received_upto(incarnation);
    let before = upto;
    let mut events = Vec::with_capacity(letters.len() + 1);
    let mut refused = Vec::new();
    for (number, letter) in letters {
        if *number <= upto {
            continue;
        }
        upto = *number;
        let message = letter.as_ref().map_err(|why| *why).and_then(|letter| deliver(state, (id, realm), letter));
        match message {
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

/// The message that a letter becomes here.
fn deliver(state: &State, (id, realm): (RealmId, &Realm), letter: &RemoteMessage) -> Result<Message, BounceReason> {
    let author = Author::Remote(RemoteName { realm: id, name: letter.from.clone() });
    let from = format!("{}@{}", letter.from, realm.name);
    let full_name = if letter.full_name.is_empty() { letter.from.as_str() } else { &letter.full_name };
    let parts = |to: &Name, msg_to: &str, kind| {
        MessageBody::compose(&MessageFields {
            from: from.as_str().into(),
            to: to.as_str().into(),
            msg_from: full_name.into(),
            msg_to: msg_to.into(),
            msg: (&*letter.text).into(),
            kind,
            group: (kind == Kind::Group).then(|| to.as_str().into()),
            realm: Some(realm.name.as_str().into()),
        })
    };
    let (to, body) = if letter.to_group {
        let (group_id, group) = state.group_named(&letter.to).ok_or(BounceReason::GroupNotFound)?;
        // Nobody of another realm is a member yet: a closed group is closed to them (PROTOCOL §6).
        if group.password.is_some() {
            return Err(BounceReason::NotMember);
        }
        (Destination::Group(group_id), parts(&group.name, group.name.as_str(), Kind::Group))
    } else {
        let (user_id, user) = state.user_named(&letter.to).ok_or(BounceReason::UserNotFound)?;
        if author.person().is_some_and(|person| user.has_blocked(&person)) {
            return Err(BounceReason::Blocked);
        }
        (Destination::User(user_id), parts(&user.name, user.shown_name(), Kind::Direct))
    };
    Ok(Message { from: author, to, realm: Some(id), body })
}

/// The other server has everything up to a number on its disk, and refused some of it: whoever is not being answered
/// right now is told so by the server, in the inbox.
pub(super) fn decide_acknowledge(
    state: &State,
    id: RealmId,
    upto: Seq,
    returned: &[Bounce],
) -> Result<Vec<Event>, CommandError> {
    let realm = state.realm(id).ok_or(CommandError::RealmNotFound)?;
    let peer = realm.peer().ok_or(CommandError::RealmNotFound)?;
    let upto = upto.min(peer.last);
    if upto <= peer.cursor {
        return Ok(Vec::new());
    }
    let is_new = |returned: &&Bounce| peer.cursor < returned.number && returned.number <= upto;
    let mut events = Vec::new();
    let mut refused = Vec::new();
    for returned in returned.iter().filter(is_new) {
        let Some(sender) = peer.queue.sender(returned.number) else { continue };
        refused.push((returned.number, sender, returned.why));
        let notification =
            returned.notification.as_ref().and_then(|text| system_message(state, sender, (id, realm), text));
        events.extend(notification);
    }
    events.push(Event::OutboxAcknowledged { realm: id, upto, refused });
    Ok(events)
}

/// The other server has noted what was refused of its messages up to a number.
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
