//! From a wish to what happens: one arm a command, each a short function of its room.

use crate::chat::accounts::{self, Registration};
use crate::chat::command::Command;
use crate::chat::event::Event;
use crate::chat::refusal::Refusal;
use crate::chat::state::State;
use crate::chat::{groups, inbox, messages, realms};
use crate::time::Time;

/// Decides a command: the events that it makes (none where nothing is to change), or why not. Pure.
///
/// # Errors
/// The [`Refusal`], which is the error reply's `code`.
pub fn decide(state: &State, now: Time, command: &Command) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Register { name, full_name, country, password, session } => {
            let registration = Registration { name, full_name, country, password, session: *session };
            accounts::decide_register(state, registration)
        }
        Command::OpenSession { user, verified, session } => accounts::decide_open(state, *user, verified, *session),
        Command::TouchSession { session } => accounts::decide_touch(state, now, *session),
        Command::CloseSession { session } => accounts::decide_close(state, *session),
        Command::SendDirect { from, to, text, online } => messages::decide_direct(state, *from, to, text, *online),
        Command::SendGroup { from, to, text } => messages::decide_group(state, *from, to, text),
        Command::Broadcast { from, text } => messages::decide_broadcast(state, *from, text),
        Command::ReadInbox { user, from, upto } => inbox::decide_read(state, *user, *from, *upto),
        Command::Acknowledge { user, upto } => inbox::decide_acknowledge(state, *user, *upto),
        Command::ReadLive { user, after, upto } => inbox::decide_live(state, *user, *after, *upto),
        Command::ReadRealmInbox { user, realm, from, upto } => {
            inbox::decide_read_realm(state, *user, *realm, *from, *upto)
        }
        Command::CreateGroup { owner, name, password } => groups::decide_create(state, *owner, name, password.as_ref()),
        Command::JoinGroup { user, group, verified } => groups::decide_join(state, *user, group, verified.as_ref()),
        Command::AddRealm { name } => realms::decide_add(state, name),
    }
}
