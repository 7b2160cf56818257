//! From a wish to what happens: one arm a command, each a short function of its room.

use crate::chat::accounts::{self, Registration};
use crate::chat::command::Command;
use crate::chat::error::CommandError;
use crate::chat::event::Event;
use crate::chat::peer::NewPeer;
use crate::chat::state::State;
use crate::chat::{blocks, groups, inbox, messages, peer, peer_registration, realms, remote, sessions};
use crate::time::Time;

/// Decides a command: the events that it makes (none where nothing is to change), or why not. Pure.
///
/// # Errors
/// The [`CommandError`], which is the error reply's `code`.
pub fn decide(state: &State, now: Time, command: &Command) -> Result<Vec<Event>, CommandError> {
    match command {
        Command::Register { name, full_name, country, password, session } => {
            let registration = Registration { name, full_name, country, password, session: *session };
            accounts::decide_register(state, registration)
        }
        Command::OpenSession { user, verified, session } => sessions::decide_open(state, *user, verified, *session),
        Command::TouchSession { session } => sessions::decide_touch(state, now, *session),
        Command::CloseSession { session } => sessions::decide_close(state, *session),
        Command::RevokeSession { user, session } => sessions::decide_revoke(state, *user, *session),
        Command::ChangePassword { user, session, verified, password } => {
            accounts::decide_change_password(state, *user, *session, verified, password)
        }
        Command::Unregister { user, verified } => accounts::decide_unregister(state, *user, verified),
        Command::Block { user, whom } => blocks::decide_block(state, *user, whom),
        Command::Unblock { user, whom } => blocks::decide_unblock(state, *user, whom),
        Command::SendDirect { from, to, text, online } => messages::decide_direct(state, *from, to, text, *online),
        Command::SendGroup { from, to, text } => messages::decide_group(state, *from, to, text),
        Command::Broadcast { from, text } => messages::decide_broadcast(state, *from, text),
        Command::ReadInbox { user, from, upto } => inbox::decide_read(state, *user, *from, *upto),
        Command::Acknowledge { user, upto } => inbox::decide_acknowledge(state, *user, *upto),
        Command::ReadPushed { user, after, upto } => inbox::decide_read_pushed(state, *user, *after, *upto),
        Command::ReadRealmInbox { user, realm, from, upto } => {
            inbox::decide_read_realm(state, *user, *realm, *from, *upto)
        }
        Command::CreateGroup { owner, name, password } => groups::decide_create(state, *owner, name, password.as_ref()),
        Command::JoinGroup { user, group, verified } => groups::decide_join(state, *user, group, verified.as_ref()),
        Command::LeaveGroup { user, group } => groups::decide_leave(state, *user, group),
        Command::Kick { owner, group, user } => groups::decide_kick(state, *owner, group, user),
        Command::DeleteGroup { owner, group } => groups::decide_delete(state, *owner, group),
        Command::ChangeGroupPassword { owner, group, password } => {
            groups::decide_change_password(state, *owner, group, password.as_ref())
        }
        Command::AddRealm { by, name } => realms::decide_add(state, *by, name),
        Command::RemoveRealm { by, name, is_administrator, lost } => {
            realms::decide_remove(state, *by, name, *is_administrator, lost)
        }
        Command::AddPeer { by, name, key, address } => {
            let (key, address) = (Some(*key), Some(address));
            peer::decide_add_peer(state, &NewPeer { by: Some(*by), name, key, address })
        }
        Command::ConfigurePeer { name, key, address } => {
            let address = address.as_ref();
            peer::decide_configure(state, &NewPeer { by: None, name, key: *key, address })
        }
        Command::RegisterPeer(meeting) => peer_registration::decide_meet(state, meeting),
        Command::BeginIncarnation { incarnation } => Ok(vec![Event::IncarnationBegun { incarnation: *incarnation }]),
        Command::Receive { realm, incarnation, messages } => {
            remote::decide_receive(state, *realm, *incarnation, messages)
        }
        Command::AcknowledgeOutbox { realm, upto, bounces } => {
            remote::decide_acknowledge(state, *realm, *upto, bounces)
        }
        Command::ConfirmReceived { realm, incarnation, upto } => {
            remote::decide_confirm(state, *realm, *incarnation, *upto)
        }
    }
}
