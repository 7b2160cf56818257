//! Saying things: to one user, to a group, to everyone (PROTOCOL §4).

use crate::chat::accounts::User;
use crate::chat::crossing;
use crate::chat::event::Event;
use crate::chat::message::{Author, Body, Destination, Kind, Message, Parts, Person};
use crate::chat::realms::Place;
use crate::chat::refusal::Refusal;
use crate::chat::state::State;
use crate::id::{RealmId, UserId};
use crate::name::Address;

pub(super) fn decide_direct(
    state: &State,
    from: UserId,
    to: &Address,
    text: &str,
    online: Option<bool>,
) -> Result<Vec<Event>, Refusal> {
    let sender = state.acting(from)?;
    let realm = match state.place(to.realm.as_ref())? {
        Place::Here(realm) => realm,
        Place::There(id, realm, link) => {
            return crossing::decide_send((from, sender), &to.name, false, text, (id, realm, link));
        }
    };
    let (receiver_id, receiver) = state.user_named(&to.name).ok_or(Refusal::UserNotFound)?;
    if receiver.has_blocked(&Person::Local(from)) {
        return Err(Refusal::Blocked);
    }
    if online == Some(false) {
        return Err(Refusal::UserOffline);
    }
    let parts = Parts {
        to: receiver.name.as_str().into(),
        msg_to: receiver.shown_name().into(),
        ..said_by(sender, text, Kind::Direct, realm)
    };
    Ok(sent(from, Destination::User(receiver_id), realm, &parts))
}

pub(super) fn decide_group(state: &State, from: UserId, to: &Address, text: &str) -> Result<Vec<Event>, Refusal> {
    let sender = state.acting(from)?;
    let realm = match state.place(to.realm.as_ref())? {
        Place::Here(realm) => realm,
        Place::There(id, realm, link) => {
            return crossing::decide_send((from, sender), &to.name, true, text, (id, realm, link));
        }
    };
    let (group_id, group) = state.group_named(&to.name).ok_or(Refusal::GroupNotFound)?;
    if !sender.is_member(group_id) {
        return Err(Refusal::NotMember);
    }
    let name = group.name.as_str();
    let parts = Parts {
        to: name.into(),
        msg_to: name.into(),
        group: Some(name.into()),
        ..said_by(sender, text, Kind::Group, realm)
    };
    Ok(sent(from, Destination::Group(group_id), realm, &parts))
}

pub(super) fn decide_broadcast(state: &State, from: UserId, text: &str) -> Result<Vec<Event>, Refusal> {
    let sender = state.acting(from)?;
    let parts = Parts { to: "*".into(), msg_to: "*".into(), ..said_by(sender, text, Kind::Broadcast, None) };
    Ok(sent(from, Destination::Everyone, None, &parts))
}

fn said_by<'a>(sender: &'a User, text: &'a str, kind: Kind, realm: Option<(RealmId, &'a str)>) -> Parts<'a> {
    Parts {
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

fn sent(from: UserId, to: Destination, realm: Option<(RealmId, &str)>, parts: &Parts<'_>) -> Vec<Event> {
    let realm = realm.map(|(id, _)| id);
    vec![Event::MessageSent(Message { from: Author::Local(from), to, realm, body: Body::compose(parts) })]
}
