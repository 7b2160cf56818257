//! Messages from this server itself.

use crate::chat::event::Event;
use crate::chat::model::body::{BodyFields, EscapedText, Kind, MessageBody};
use crate::chat::model::message::{Author, Destination, Message};
use crate::chat::state::State;
use crate::id::{RealmId, UserId};
use crate::name::Name;

/// A message from this server itself (`realm@HOME`) about another realm.
pub(super) fn system_message(state: &State, to: UserId, (realm, name): (RealmId, &str), text: &str) -> Option<Event> {
    let recipient = state.user(to).filter(|user| !user.unregistered)?;
    let sender = format!("{}@{}", Name::SERVER, state.home()?);
    let body = MessageBody::compose(&BodyFields {
        msg_from: &sender,
        msg_to: recipient.shown_name(),
        msg: &EscapedText::new(text),
        from: &sender,
        to: recipient.name.as_str(),
        kind: Kind::Direct,
        realm: Some(name),
    });
    Some(Event::MessageSent(Message { from: Author::Server, to: Destination::User(to), realm: Some(realm), body }))
}
