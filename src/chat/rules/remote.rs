//! Messages between realms: into the outbox, in from another server, and refusals (PROTOCOL §6).

#[cfg(test)]
mod tests;

use crate::chat::error::{BounceReason, CommandError};
use crate::chat::event::Event;
use crate::chat::model::body::{BodyFields, EscapedText, Kind, MessageBody};
use crate::chat::model::message::{Author, Destination, Message, RemoteName};
use crate::chat::model::peer::Peer;
use crate::chat::model::realm::Realm;
use crate::chat::model::remote_message::{Bounce, RemoteMessage};
use crate::chat::rules::context::Context;
use crate::chat::rules::system_message::system_message;
use crate::chat::state::State;
use crate::id::{Epoch, RealmId, Seq};
use crate::limits::{MAX_LOG_NUMBER, REFUSED_UNCONFIRMED};
use crate::name::Name;

/// Puts a message, direct or to a group, into the outbox of another realm. Only that server knows whether the recipient
/// exists.
pub(super) fn send(
    (state, context): (&State, &Context<'_>),
    (id, realm, peer): (RealmId, &Realm, &Peer),
    kind: Kind,
    to: &Name,
    text: &EscapedText,
) -> Result<Vec<Event>, CommandError> {
    let (sender_id, sender) = context.active_user(state)?;
    if state.is_realm_banned(id, context.paced) {
        return Err(CommandError::RealmRefused);
    }
    let address = format!("{to}@{}", realm.name);
    let body = MessageBody::compose(&BodyFields {
        msg_from: sender.shown_name(),
        msg_to: to.as_str(),
        msg: text,
        from: sender.name.as_str(),
        to: &address,
        kind,
        realm: Some(realm.name.as_str()),
    });
    if !peer.queue.has_room_for(sender_id, body.size()) {
        return Err(CommandError::RealmQueueFull);
    }
    let remote = RemoteName { realm: id, name: to.clone() };
    let to = match kind {
        Kind::Group => Destination::RemoteGroup(remote),
        _ => Destination::RemoteUser(remote),
    };
    Ok(vec![Event::MessageSent(Message { from: Author::Local(sender_id), to, realm: Some(id), body })])
}

/// Accepts messages of another server, in the order of its numbers. Those received before are skipped; those that cannot
/// be delivered are recorded, so that the other server learns of it however often the link breaks.
pub(in crate::chat) fn receive(
    state: &State,
    context: &Context<'_>,
    (id, epoch): (RealmId, Epoch),
    messages: &[(Seq, Result<RemoteMessage, BounceReason>)],
) -> Result<Vec<Event>, CommandError> {
    let realm = state.realm(id).ok_or(CommandError::RealmNotFound)?;
    let peer = realm.peer().ok_or(CommandError::RealmNotFound)?;
    if peer.refused.len() >= REFUSED_UNCONFIRMED {
        return Err(CommandError::Busy);
    }
    // The store could not keep it, and would try for ever.
    if messages.iter().any(|(number, _)| number.0 > MAX_LOG_NUMBER) {
        return Err(CommandError::RealmRefused);
    }
    let mut upto = peer.received_upto(epoch);
    let before = upto;
    let mut events = Vec::with_capacity(messages.len() + 1);
    let mut refused = Vec::new();
    for (number, message) in messages {
        if *number <= upto {
            continue;
        }
        upto = *number;
        let message =
            message.as_ref().map_err(|why| *why).and_then(|message| deliver((state, context), (id, realm), message));
        match message {
            Ok(message) => events.push(Event::MessageSent(message)),
            Err(why) => refused.push((*number, why)),
        }
    }
    if upto > before {
        let forgotten = peer.makes_room_for(epoch);
        events.push(Event::PeerReceived { realm: id, epoch, upto, refused, forgotten });
    }
    Ok(events)
}

/// The local recipient of a message from another realm.
struct Recipient<'a> {
    to: Destination,
    name: &'a str,
    shown_name: &'a str,
    kind: Kind,
}

fn deliver(
    (state, context): (&State, &Context<'_>),
    (id, realm): (RealmId, &Realm),
    message: &RemoteMessage,
) -> Result<Message, BounceReason> {
    let author = Author::Remote(RemoteName { realm: id, name: message.from.clone() });
    if state.is_author_banned(&author, context.paced) {
        return Err(BounceReason::Blocked);
    }
    let Recipient { to, name, shown_name, kind } = recipient((state, context), &author, message)?;
    let from = format!("{}@{}", message.from, realm.name);
    let full_name = if message.full_name.is_empty() { message.from.as_str() } else { &message.full_name };
    let body = MessageBody::compose(&BodyFields {
        msg_from: full_name,
        msg_to: shown_name,
        msg: &EscapedText::new(&message.text),
        from: &from,
        to: name,
        kind,
        realm: Some(realm.name.as_str()),
    });
    Ok(Message { from: author, to, realm: Some(id), body })
}

fn recipient<'a>(
    (state, context): (&'a State, &Context<'_>),
    author: &Author,
    message: &RemoteMessage,
) -> Result<Recipient<'a>, BounceReason> {
    if message.to_group {
        let (id, group) = state.group_named(&message.to).ok_or(BounceReason::GroupNotFound)?;
        // There are no members from other realms yet: a group with a password is closed to them (PROTOCOL §6).
        if group.password.is_some() {
            return Err(BounceReason::NotMember);
        }
        let name = group.name.as_str();
        return Ok(Recipient { to: Destination::Group(id), name, shown_name: name, kind: Kind::Group });
    }
    let (id, user) = state.user_named(&message.to).ok_or(BounceReason::UserNotFound)?;
    if let Some(author) = author.user_ref() {
        if user.has_blocked(&author) {
            return Err(BounceReason::Blocked);
        }
        if !context.has_room_in((id, user), &author, message.text.len()) {
            return Err(BounceReason::InboxFull);
        }
    }
    let (name, shown_name) = (user.name.as_str(), user.shown_name());
    Ok(Recipient { to: Destination::User(id), name, shown_name, kind: Kind::Direct })
}

/// The other server has stored everything up to a number, and refused some of it. A sender who is not waiting for the
/// reply gets a message from this server.
pub(in crate::chat) fn acknowledge(
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
        let text = bounce.notification.as_ref();
        events.extend(text.and_then(|text| system_message(state, sender, (id, realm.name.as_str()), text)));
    }
    events.push(Event::OutboxAcknowledged { realm: id, upto, refused });
    Ok(events)
}

/// The other server has stored which of its messages were refused, up to a number.
pub(in crate::chat) fn confirm(
    state: &State,
    id: RealmId,
    epoch: Epoch,
    upto: Seq,
) -> Result<Vec<Event>, CommandError> {
    let peer = state.peer(id).ok_or(CommandError::RealmNotFound)?;
    let upto = upto.min(peer.received_upto(epoch));
    let forgets = peer.refused.iter().any(|(of, number, _)| *of == epoch && *number <= upto);
    let confirmed = Event::PeerConfirmed { realm: id, epoch, upto };
    Ok(if forgets { vec![confirmed] } else { Vec::new() })
}
