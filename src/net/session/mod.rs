//! What a connection's session does with a request: who asks, which command that is, when the answer may leave.

mod accounts;
mod blocks;
mod groups;
mod history;
mod inbox;
mod messages;
mod people;
mod realms;
mod sessions;
mod subscription;

use std::net::IpAddr;
use std::sync::Arc;

use tracing::debug;

use crate::chat::{Command, Once, Outcome, Receipt, Refusal, State};
use crate::hub::{Executed, Hub, Late, Outbox, Replay, SharedFate, Ticket};
use crate::id::{Digest, SessionId, Token, TokenHash, UserId};
use crate::limits::{LINK_VERSION, SESSION_TOUCH};
use crate::net::{Policy, Services};
use crate::time::Time;
use crate::wire::{Ask, Farewell, Line, Parsed, Rejection, Request, Tag, parse};

/// One connection's session.
pub(super) struct Session {
    services: Arc<Services>,
    outbox: Arc<Outbox>,
    address: IpAddr,
    bound: Option<Bound>,
    /// What the request being served is to be done once for, where it has a tag.
    once: Option<Once>,
}

/// A connection's binding to a session of the chat.
#[derive(Clone, Copy)]
struct Bound {
    who: Identity,
    /// The session ends with the connection.
    ephemeral: bool,
}

/// Whom a request acts for.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity {
    user: UserId,
    session: SessionId,
    /// Of the session. A number that a failed commit took back is given out again, perhaps to another user: the token
    /// tells them apart.
    token: TokenHash,
}

/// What a request came to, and when that may be told.
struct Answer {
    result: Result<Outcome, Refusal>,
    ticket: Ticket,
    /// It is put into words once it is known what became of a message to another realm.
    late: Option<LateAnswer>,
}

/// What became of a message to another realm, and what that comes to.
struct LateAnswer {
    fate: Arc<SharedFate>,
    receipt: Receipt,
    outcome: fn(Receipt, bool) -> Outcome,
}

/// How the connection goes on after a line.
#[derive(Clone, Copy, Debug)]
pub(super) enum Flow {
    /// With the next line.
    Continue,
    /// With what was said before it listened.
    Replay(Replay),
    /// It becomes a link to another server once everything was answered.
    Link,
    /// It ends once everything was answered.
    Close,
    /// It ends at once.
    Drop,
}

impl Answer {
    /// An answer that shows nothing of the state.
    fn at_once(result: Result<Outcome, Refusal>) -> Self {
        Self::new(result, Ticket::NONE)
    }

    fn new(result: Result<Outcome, Refusal>, ticket: Ticket) -> Self {
        Self { result, ticket, late: None }
    }

    fn of(executed: Executed, outcome: impl FnOnce(Receipt) -> Outcome) -> Self {
        Self::new(executed.result.map(outcome), executed.ticket)
    }

    /// An answer that waits for what becomes of a message at another realm, where it is for one.
    fn of_sending(
        executed: Executed,
        here: impl FnOnce(Receipt) -> Outcome,
        there: fn(Receipt, bool) -> Outcome,
    ) -> Self {
        let late = executed.fate.clone().zip(executed.result.ok());
        let late = late.map(|(fate, receipt)| LateAnswer { fate, receipt, outcome: there });
        Self { late, ..Self::of(executed, here) }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::at_once(Err(refusal))
    }
}

/// A tagged request is done once; others are done.
fn once(who: Identity, tag: Option<&Tag>, request: Option<Digest>) -> Option<Once> {
    Some(Once { user: who.user, tag: tag?.digest(), request: request? })
}

/// Servers of another version cannot be linked; who is welcome is found out once the other server has proven its key.
fn link(version: u16) -> Answer {
    let known = version == LINK_VERSION;
    Answer::at_once(if known { Ok(Outcome::Linking) } else { Err(Refusal::LinkVersion) })
}

impl Session {
    pub(super) fn new(services: Arc<Services>, outbox: Arc<Outbox>, address: IpAddr) -> Self {
        Self { services, outbox, address, bound: None, once: None }
    }

    fn hub(&self) -> &Hub {
        &self.services.hub
    }

    fn policy(&self) -> &Policy {
        &self.services.policy
    }

    /// Answers one line. The reply leaves with [`Session::send_replies`].
    pub(super) async fn answer(&mut self, line: Line) -> Flow {
        let text = match line {
            Line::Text(text) => text,
            Line::Invalid(error) => {
                self.reject(&Rejection::from(error));
                return Flow::Continue;
            }
        };
        match parse(&text) {
            Parsed::Blank => Flow::Continue,
            Parsed::Http => {
                debug!("somebody speaks HTTP here");
                Flow::Drop
            }
            Parsed::Rejected(rejection) => {
                self.reject(&rejection);
                Flow::Continue
            }
            Parsed::Request(request) => self.answer_request(request).await,
        }
    }

    fn reject(&self, rejection: &Rejection) {
        let style = self.outbox.style();
        self.outbox.reply(Ticket::NONE, None, |out| style.reject(out, rejection));
    }

    async fn answer_request(&mut self, request: Request) -> Flow {
        let heading = request.heading();
        let Request { tag, token, verb, ask, digest } = request;
        let answer = match self.identify(token.as_ref()) {
            Ok(who) => {
                self.once = once(who, tag.as_ref(), digest);
                self.perform(who, ask).await
            }
            Err(_) if !verb.needs_session => self.perform_for_anybody(ask).await,
            Err(refusal) => Answer::new(Err(refusal), self.hub().read(|_| ()).1),
        };
        if let Some(LateAnswer { fate, receipt, outcome }) = answer.late {
            self.outbox.reply_later(answer.ticket, Late { heading, fate, outcome, receipt });
            return Flow::Continue;
        }
        let style = self.outbox.style();
        let result = answer.result.as_ref().map_err(|refusal| *refusal);
        let flow = match result {
            Ok(Outcome::Bye) => Flow::Close,
            Ok(Outcome::Linking) => Flow::Link,
            _ => Flow::Continue,
        };
        self.outbox.reply(answer.ticket, tag, |out| style.reply(out, &heading, result));
        if let Ok(Outcome::Subscribed { after, topics }) = answer.result {
            return Box::pin(self.begin_to_listen(after, topics)).await;
        }
        flow
    }

    /// Executes a command of the request being served.
    fn execute(&self, command: &Command) -> Executed {
        self.hub().execute_once(command, Some(&self.outbox), self.once.as_ref(), None)
    }

    /// What came of the request being served, where it was done before under its tag: nothing else is asked of it then,
    /// a password least of all, which the request itself may have changed.
    fn done_before(&self) -> Option<Executed> {
        let once = self.once.as_ref()?;
        let (done, ticket) = self.hub().read(|state| {
            let done = state.done_before(once, Time::now());
            done.map(|done| done.map(|done| done.receipt))
        });
        done.transpose().map(|result| Executed { result, ticket, fate: None })
    }

    /// Serves what needs no session.
    async fn perform_for_anybody(&mut self, ask: Ask) -> Answer {
        match ask {
            Ask::LogIn { user, password } => Box::pin(self.log_in(user, password)).await,
            Ask::Register { user, password, profile } => Box::pin(self.register(user, password, profile)).await,
            Ask::Exit => Answer::at_once(Ok(Outcome::Bye)),
            Ask::Help { command } => Answer::at_once(Ok(Outcome::Help(command))),
            Ask::Ping => Answer::at_once(Ok(Outcome::Pong)),
            Ask::Version => Answer::at_once(Ok(Outcome::Version)),
            Ask::Link { version } => link(version),
            _ => Refusal::NoSession.into(),
        }
    }

    async fn perform(&mut self, who: Identity, ask: Ask) -> Answer {
        match ask {
            Ask::Send { to, text } => self.send(who, to, text),
            Ask::Chat { to, text } => self.chat(who, to, text),
            Ask::SendGroup { to, text } => self.send_to_group(who, to, text),
            Ask::Broadcast { text } => self.broadcast(who, text),
            Ask::SendPrivateRealm { realm, user, text } => self.send_to_realm(who, realm, user, text),
            Ask::SendGroupRealm { realm, group, text } => self.send_to_realm_group(who, realm, group, text),
            Ask::Inbox => Box::pin(self.inbox(who)).await,
            Ask::Peek => Box::pin(self.peek(who)).await,
            Ask::Acknowledge { upto } => self.acknowledge(who, upto),
            Ask::Subscribe { after, topics } => self.subscribe(who, after, topics),
            Ask::Unsubscribe => self.unsubscribe(),
            Ask::RealmInbox { realm } => Box::pin(self.realm_inbox(who, realm)).await,
            Ask::History { conversation, before, limit } => {
                Box::pin(self.history(who, conversation, before, limit)).await
            }
            Ask::Active | Ask::Info { user: None } => self.active(),
            Ask::Info { user: Some(user) } => self.info(&user),
            Ask::Whoami => self.whoami(who),
            Ask::LogOut => self.log_out(who),
            Ask::CreateGroup { group, password } => Box::pin(self.create_group(who, group, password)).await,
            Ask::JoinGroup { group, password } => Box::pin(self.join_group(who, group, password)).await,
            Ask::Groups => self.groups(who),
            Ask::Members { group } => self.members(who, &group),
            Ask::LeaveGroup { group } => self.leave_group(who, group),
            Ask::Kick { group, user } => self.kick(who, group, user),
            Ask::DeleteGroup { group } => self.delete_group(who, group),
            Ask::ChangeGroupPassword { group, password } => {
                Box::pin(self.change_group_password(who, group, password)).await
            }
            Ask::Block { user } => self.block(who, user),
            Ask::Unblock { user } => self.unblock(who, user),
            Ask::Blocks => self.blocks(who),
            Ask::ChangePassword { old, new } => Box::pin(self.change_password(who, old, new)).await,
            Ask::Sessions => self.sessions(who),
            Ask::Revoke { session } => self.revoke(who, session),
            Ask::Unregister { password } => Box::pin(self.unregister(who, password)).await,
            Ask::AddRealm { realm, peer } => Box::pin(self.add_realm(who, realm, peer)).await,
            Ask::RemoveRealm { realm } => self.remove_realm(who, realm),
            Ask::Realms => self.realms(),
            ask @ (Ask::LogIn { .. }
            | Ask::Register { .. }
            | Ask::Exit
            | Ask::Help { .. }
            | Ask::Ping
            | Ask::Link { .. }
            | Ask::Version) => self.perform_for_anybody(ask).await,
        }
    }

    /// Whom a request acts for: its token's session, else the one that the connection is bound to. A token binds a
    /// connection that is not bound.
    fn identify(&mut self, token: Option<&Token>) -> Result<Identity, Refusal> {
        let now = Time::now();
        let ((found, is_bound), _) = self.hub().read(|state| {
            let bound = self.session_of_connection(state, now);
            let found = match token {
                Some(token) => self.session_of_token(state, token, now),
                None => bound,
            };
            (found, bound.is_some())
        });
        let (who, unused) = found.ok_or(Refusal::NoSession)?;
        if unused {
            self.hub().execute(&Command::TouchSession { session: who.session }, None);
        }
        if !is_bound {
            self.bind(who, false);
        }
        Ok(who)
    }

    fn session_of_token(&self, state: &State, token: &Token, now: Time) -> Option<(Identity, bool)> {
        let (session, _) = state.session_of(&token.hash())?;
        self.usable(state, session, now)
    }

    fn session_of_connection(&self, state: &State, now: Time) -> Option<(Identity, bool)> {
        let bound = self.bound?.who;
        self.usable(state, bound.session, now).filter(|(who, _)| *who == bound)
    }

    /// The session if it is still open, and whether its use should be noted.
    fn usable(&self, state: &State, id: SessionId, now: Time) -> Option<(Identity, bool)> {
        let session = state.session(id)?;
        let unused = now.since(session.used);
        let valid = unused < self.policy().session_idle;
        let who = Identity { user: session.user, session: id, token: session.token };
        valid.then_some((who, unused >= SESSION_TOUCH))
    }

    /// Binds the connection, anew perhaps: then its old binding ends. One who logs in again does not go offline.
    fn bind(&mut self, who: Identity, ephemeral: bool) {
        let old = self.bound.replace(Bound { who, ephemeral });
        if let Some(old) = old
            && old.who.user != who.user
        {
            self.hub().detach(old.who.user, &self.outbox);
        }
        self.hub().attach(who.user, who.session, &self.outbox);
        self.close_ephemeral(old);
    }

    fn unbind(&mut self) {
        let Some(bound) = self.bound.take() else { return };
        self.hub().detach(bound.who.user, &self.outbox);
        self.close_ephemeral(Some(bound));
    }

    fn close_ephemeral(&self, bound: Option<Bound>) {
        if let Some(bound) = bound.filter(|bound| bound.ephemeral) {
            self.hub().execute(&Command::CloseSession { session: bound.who.session }, None);
        }
    }

    /// Lets the replies leave that may.
    pub(super) fn send_replies(&self) {
        self.hub().send_replies(&self.outbox);
    }

    /// Waits while too much, over all connections, waits for the disk.
    pub(super) async fn wait_for_the_hub(&self) {
        while !self.hub().has_room() {
            self.send_replies();
            self.hub().room().await;
        }
    }

    /// Pushes again after a lag, once the reader has caught up.
    pub(super) fn look_after(&self) {
        if let Some(bound) = self.bound
            && self.outbox.wants_recovery()
        {
            self.hub().recover(bound.who.user, &self.outbox);
        }
    }

    /// Says why the server ends the connection.
    pub(super) fn say_farewell(&self, why: Farewell) {
        let style = self.outbox.style();
        self.outbox.reply(Ticket::NONE, None, |out| style.farewell(out, why));
        self.send_replies();
    }

    /// The connection is over: its user may be offline now.
    pub(super) fn end(&mut self) {
        self.unbind();
    }
}
