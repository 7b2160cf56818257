//! Sending: to one user, to a group, to everyone (PROTOCOL §4).

use crate::chat::error::CommandError;
use crate::chat::event::Event;
use crate::chat::model::body::{BodyFields, EscapedText, Kind, MessageBody};
use crate::chat::model::message::{Author, Destination, Message, UserRef};
use crate::chat::model::realm::Route;
use crate::chat::model::user::User;
use crate::chat::rules::context::Context;
use crate::chat::rules::remote;
use crate::chat::state::State;
use crate::id::{RealmId, UserId};
use crate::name::Address;

pub(in crate::chat) fn send_direct(
    state: &State,
    context: &Context<'_>,
    to: &Address,
    text: &EscapedText,
) -> Result<Vec<Event>, CommandError> {
    let (from, sender) = context.active_user(state)?;
    let realm = match state.route(to.realm.as_ref())? {
        Route::Local(realm) => realm,
        Route::Remote(id, realm, peer) => {
            return remote::send((state, context), (id, realm, peer), Kind::Direct, &to.name, text);
        }
    };
    let (recipient_id, recipient) = state.user_named(&to.name).ok_or(CommandError::UserNotFound)?;
    if recipient.has_blocked(&UserRef::Local(from)) {
        return Err(CommandError::Blocked);
    }
    if context.recipient_online == Some(false) {
        return Err(CommandError::UserOffline);
    }
    if !context.has_room_in((recipient_id, recipient), &UserRef::Local(from), text.size()) {
        return Err(CommandError::InboxFull);
    }
    let to = (recipient.name.as_str(), recipient.shown_name());
    let fields = local_fields(sender, to, text, Kind::Direct, realm);
    Ok(sent(from, Destination::User(recipient_id), realm, &fields))
}

pub(in crate::chat) fn send_group(
    state: &State,
    context: &Context<'_>,
    to: &Address,
    text: &EscapedText,
) -> Result<Vec<Event>, CommandError> {
    let (from, sender) = context.active_user(state)?;
    let realm = match state.route(to.realm.as_ref())? {
        Route::Local(realm) => realm,
        Route::Remote(id, realm, peer) => {
            return remote::send((state, context), (id, realm, peer), Kind::Group, &to.name, text);
        }
    };
    let (group_id, group) = state.group_named(&to.name).ok_or(CommandError::GroupNotFound)?;
    if !sender.is_member(group_id) {
        return Err(CommandError::NotMember);
    }
    let name = group.name.as_str();
    let fields = local_fields(sender, (name, name), text, Kind::Group, realm);
    Ok(sent(from, Destination::Group(group_id), realm, &fields))
}

pub(in crate::chat) fn broadcast(
    state: &State,
    context: &Context<'_>,
    text: &EscapedText,
) -> Result<Vec<Event>, CommandError> {
    let (from, sender) = context.active_user(state)?;
    context.policy.check(context.policy.broadcast_restricted, sender)?;
    let fields = local_fields(sender, ("*", "*"), text, Kind::Broadcast, None);
    Ok(sent(from, Destination::Everyone, None, &fields))
}

fn local_fields<'a>(
    sender: &'a User,
    (to, msg_to): (&'a str, &'a str),
    text: &'a EscapedText,
    kind: Kind,
    realm: Option<(RealmId, &'a str)>,
) -> BodyFields<'a> {
    let (from, msg_from) = (sender.name.as_str(), sender.shown_name());
    BodyFields { msg_from, msg_to, msg: text, from, to, kind, realm: realm.map(|(_, name)| name) }
}

fn sent(from: UserId, to: Destination, realm: Option<(RealmId, &str)>, fields: &BodyFields<'_>) -> Vec<Event> {
    let realm = realm.map(|(id, _)| id);
    vec![Event::MessageSent(Message { from: Author::Local(from), to, realm, body: MessageBody::compose(fields) })]
}
