//! From what is asked to the method that serves it: one arm a request.

use std::pin::Pin;

use crate::chat::{CommandError, Response};
use crate::limits::LINK_VERSION;
use crate::net::session::{Answer, Identity, Session};
use crate::wire::Ask;

/// How far serving a request has come without waiting.
pub(super) enum Served<'a> {
    Answered(Answer),
    /// The rest waits, for the disk or a core. Apart, so that a connection does not hold room for it all the time.
    Waiting(Pin<Box<dyn Future<Output = Answer> + Send + 'a>>),
}

impl<'a> Served<'a> {
    fn waiting(rest: impl Future<Output = Answer> + Send + 'a) -> Self {
        Self::Waiting(Box::pin(rest))
    }
}

impl Session {
    /// Serves what needs no session.
    pub(super) fn perform_for_anybody(&mut self, ask: Ask) -> Served<'_> {
        Served::Answered(match ask {
            Ask::LogIn { user, password } => return Served::waiting(self.log_in(user, password)),
            Ask::Register { user, password, profile } => {
                return Served::waiting(self.register(user, password, profile));
            }
            Ask::Exit => Answer::at_once(Ok(Response::Bye)),
            Ask::Help { command } => Answer::at_once(Ok(Response::Help(command))),
            Ask::Ping => Answer::at_once(Ok(Response::Pong)),
            Ask::Version => Answer::at_once(Ok(Response::Version)),
            Ask::Link { version } => link(version),
            _ => CommandError::NoSession.into(),
        })
    }

    pub(super) fn perform(&mut self, who: Identity, ask: Ask) -> Served<'_> {
        Served::Answered(match ask {
            Ask::Send { to, text } => self.send(who, to, text),
            Ask::Chat { to, text } => self.chat(who, to, text),
            Ask::SendGroup { to, text } => self.send_to_group(who, to, text),
            Ask::Broadcast { text } => self.broadcast(who, text),
            Ask::SendPrivateRealm { realm, user, text } => self.send_to_realm(who, realm, user, text),
            Ask::SendGroupRealm { realm, group, text } => self.send_to_realm_group(who, realm, group, text),
            Ask::Inbox => return Served::waiting(self.inbox(who)),
            Ask::Peek => return Served::waiting(self.peek(who)),
            Ask::Acknowledge { upto } => self.acknowledge(who, upto),
            Ask::Subscribe { after, topics } => self.subscribe(who, after, topics),
            Ask::Unsubscribe => self.unsubscribe(),
            Ask::RealmInbox { realm } => return Served::waiting(self.realm_inbox(who, realm)),
            Ask::History { conversation, before, limit } => {
                return Served::waiting(self.history(who, conversation, before, limit));
            }
            Ask::Active | Ask::Info { user: None } => self.active(),
            Ask::Info { user: Some(user) } => self.info(&user),
            Ask::Whoami => self.whoami(who),
            Ask::LogOut => self.log_out(who),
            Ask::CreateGroup { group, password } => return Served::waiting(self.create_group(who, group, password)),
            Ask::JoinGroup { group, password } => return Served::waiting(self.join_group(who, group, password)),
            Ask::Groups => self.groups(who),
            Ask::Members { group } => self.members(who, &group),
            Ask::LeaveGroup { group } => self.leave_group(who, group),
            Ask::Kick { group, user } => self.kick(who, group, user),
            Ask::DeleteGroup { group } => self.delete_group(who, group),
            Ask::ChangeGroupPassword { group, password } => {
                return Served::waiting(self.change_group_password(who, group, password));
            }
            Ask::Block { user } => self.block(who, user),
            Ask::Unblock { user } => self.unblock(who, user),
            Ask::Blocks => self.blocks(who),
            Ask::ChangePassword { old, new } => return Served::waiting(self.change_password(who, old, new)),
            Ask::Sessions => self.sessions(who),
            Ask::Revoke { session } => self.revoke(who, session),
            Ask::Unregister { password } => return Served::waiting(self.unregister(who, password)),
            Ask::AddRealm { realm, peer } => return Served::waiting(self.add_realm(who, realm, peer)),
            Ask::RemoveRealm { realm } => self.remove_realm(who, realm),
            Ask::Realms => self.realms(),
            ask @ (Ask::LogIn { .. }
            | Ask::Register { .. }
            | Ask::Exit
            | Ask::Help { .. }
            | Ask::Ping
            | Ask::Link { .. }
            | Ask::Version) => return self.perform_for_anybody(ask),
        })
    }
}

/// Servers of another version cannot be linked; who is welcome is found out once the other server has proven its key.
fn link(version: u16) -> Answer {
    let known = version == LINK_VERSION;
    Answer::at_once(if known { Ok(Response::Linking) } else { Err(CommandError::LinkVersion) })
}
