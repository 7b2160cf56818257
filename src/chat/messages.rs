//! Saying things: to one user, to a group, to everyone (PROTOCOL §4).

use crate::chat::accounts::User;
use crate::chat::error::CommandError;
use crate::chat::event::Event;
use crate::chat::message::{Author, Destination, Kind, Message, MessageBody, MessageFields, UserRef};
use crate::chat::realms::Route;
use crate::chat::remote;
use crate::chat::state::State;
use crate::id::{RealmId, UserId};
use crate::name::Address;

pub(super) fn decide_direct(
    state: &State,
    from: UserId,
    to: &Address,
    text: &str,
    online: Option<bool>,
) -> Result<Vec<Event>, CommandError> {
    let sender = state.active_user(from)?;
    let realm = match state.route(to.realm.as_ref())? {
        Route::Local(realm) => realm,
        Route::Remote(id, realm, peer) => {
            return remote::decide_send((from, sender), &to.name, false, text, (id, realm, peer));
        }
    };
    let (receiver_id, receiver) = state.user_named(&to.name).ok_or(CommandError::UserNotFound)?;
    if receiver.has_blocked(&UserRef::Local(from)) {
        return Err(CommandError::Blocked);
    }
    if online == Some(false) {
        return Err(CommandError::UserOffline);
    }
    let parts = MessageFields {
        to: receiver.name.as_str().into(),
        msg_to: receiver.shown_name().into(),
        ..said_by(sender, text, Kind::Direct, realm)
    };
    Ok(sent(from, Destination::User(receiver_id), realm, &parts))
}

pub(super) fn decide_group(state: &State, from: UserId, to: &Address, text: &str) -> Result<Vec<Event>, CommandError> {
    let sender = state.active_user(from)?;
    let realm = match state.route(to.realm.as_ref())? {
        Route::Local(realm) => realm,
        Route::Remote(id, realm, peer) => {
            return remote::decide_send((from, sender), &to.name, true, text, (id, realm, peer));
        }
    };
    let (group_id, group) = state.group_named(&to.name).ok_or(CommandError::GroupNotFound)?;
    if !sender.is_member(group_id) {
        return Err(CommandError::NotMember);
    }
    let name = group.name.as_str();
    let parts = MessageFields {
        to: name.into(),
        msg_to: name.into(),
        group: Some(name.into()),
        ..said_by(sender, text, Kind::Group, realm)
    };
    Ok(sent(from, Destination::Group(group_id), realm, &parts))
}

pub(super) fn decide_broadcast(state: &State, from: UserId, text: &str) -> Result<Vec<Event>, CommandError> {
    let sender = state.active_user(from)?;
    let parts = MessageFields { to: "*".into(), msg_to: "*".into(), ..said_by(sender, text, Kind::Broadcast, None) };
    Ok(sent(from, Destination::Everyone, None, &parts))
}

fn said_by<'a>(sender: &'a User, text: &'a str, kind: Kind, realm: Option<(RealmId, &'a str)>) -> MessageFields<'a> {
    MessageFields {
        from: sender.name.as_str().into(),
        to: "".into(),
        msg_from: sender.shown_name().into(),
        msg_to: "".into(),
        msg: text.into(),
        kind,
        group: None,
        realm: realm.map(|(_, name)| name.into()),
    }
}

fn sent(from: UserId, to: Destination, realm: Option<(RealmId, &str)>, parts: &MessageFields<'_>) -> Vec<Event> {
    let realm = realm.map(|(id, _)| id);
    vec![Event::MessageSent(Message { from: Author::Local(from), to, realm, body: MessageBody::compose(parts) })]
}
