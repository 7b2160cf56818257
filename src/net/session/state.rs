//! The session's state: the user that a connection is attached to.

use std::net::IpAddr;
use std::sync::Arc;

use crate::chat::{Command, CommandError, Context, IdempotencyKey, State};
use crate::hub::{Hub, Origin, SendQueue, Ticket};
use crate::id::{SessionId, Token, TokenHash, UserId};
use crate::limits::SESSION_TOUCH;
use crate::net::context::{Policy, ServerContext};
use crate::time::Time;
use crate::wire::DisconnectReason;

/// One connection's session.
pub(in crate::net) struct Session {
    pub(super) server: Arc<ServerContext>,
    pub(super) send_queue: Arc<SendQueue>,
    pub(super) address: IpAddr,
    pub(super) attachment: Option<Attachment>,
}

/// The session that a connection is attached to.
#[derive(Clone, Copy)]
pub(super) struct Attachment {
    pub(super) actor: Actor,
    /// The session ends with the connection.
    ephemeral: bool,
}

/// The user that a request acts for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Actor {
    pub(super) user: UserId,
    pub(super) session: SessionId,
    /// The session's. A failed commit takes a session number back, and it may be given to another user: the token
    /// distinguishes the two.
    pub(super) token: TokenHash,
}

/// A request that is being served: its actor, its time, and under which idempotency key.
#[derive(Clone, Copy)]
pub(super) struct Acting {
    pub(super) actor: Actor,
    pub(super) now: Time,
    pub(super) key: Option<IdempotencyKey>,
}

impl Session {
    pub(in crate::net) fn new(server: Arc<ServerContext>, send_queue: Arc<SendQueue>, address: IpAddr) -> Self {
        Self { server, send_queue, address, attachment: None }
    }

    pub(super) fn hub(&self) -> &Hub {
        &self.server.hub
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.server.policy
    }

    /// What stands beside a command or query of the request.
    pub(super) fn context(&self, acting: Acting) -> Context<'_> {
        let Actor { user, session, .. } = acting.actor;
        let policy = &self.server.policy.chat;
        Context { user: Some(user), session: Some(session), now: acting.now, recipient_online: None, policy }
    }

    /// The origin of the request's commands.
    pub(super) fn origin<'a>(&'a self, acting: &'a Acting) -> Origin<'a> {
        Origin { send_queue: Some(&self.send_queue), key: acting.key.as_ref() }
    }

    /// The user that a request acts for: its token's session, or the one that the connection is attached to. A token
    /// attaches a connection that is not attached.
    pub(super) fn identify(&mut self, token: Option<&Token>, now: Time) -> Result<Actor, CommandError> {
        let ((found, is_attached), _) = self.hub().read(|state| {
            let attached = self.session_of_connection(state, now);
            let found = match token {
                Some(token) => self.session_of_token(state, token, now),
                None => attached,
            };
            (found, attached.is_some())
        });
        let (actor, is_unused) = found.ok_or(CommandError::NoSession)?;
        if is_unused {
            self.hub().execute(&Context::server(now), &Command::TouchSession { session: actor.session });
        }
        if !is_attached {
            self.attach(actor, false);
        }
        Ok(actor)
    }

    fn session_of_token(&self, state: &State, token: &Token, now: Time) -> Option<(Actor, bool)> {
        let (session, _) = state.session_of(&token.hash())?;
        self.usable(state, session, now)
    }

    fn session_of_connection(&self, state: &State, now: Time) -> Option<(Actor, bool)> {
        let attached = self.attachment?.actor;
        self.usable(state, attached.session, now).filter(|(actor, _)| *actor == attached)
    }

    /// The session if it is still open, and whether its use is to be recorded.
    fn usable(&self, state: &State, id: SessionId, now: Time) -> Option<(Actor, bool)> {
        let session = state.session(id)?;
        let unused = now.since(session.used);
        let is_valid = unused < self.policy().session_idle;
        let actor = Actor { user: session.user, session: id, token: session.token };
        is_valid.then_some((actor, unused >= SESSION_TOUCH))
    }

    /// Attaches the connection; an earlier attachment ends. A user who logs in again does not go offline meanwhile.
    pub(super) fn attach(&mut self, actor: Actor, ephemeral: bool) {
        let old = self.attachment.replace(Attachment { actor, ephemeral });
        if let Some(old) = old
            && old.actor.user != actor.user
        {
            self.hub().detach(old.actor.user, &self.send_queue);
        }
        self.hub().attach(actor.user, actor.session, &self.send_queue);
        self.close_ephemeral(old);
    }

    fn close_ephemeral(&self, attachment: Option<Attachment>) {
        if let Some(attachment) = attachment.filter(|attachment| attachment.ephemeral) {
            let close = Command::CloseSession { session: attachment.actor.session };
            self.hub().execute(&Context::server(Time::now()), &close);
        }
    }

    /// Whether the request acts for the user that the connection is attached to.
    pub(super) fn is_own(&self, actor: Actor) -> bool {
        self.attachment.is_some_and(|attachment| attachment.actor.user == actor.user)
    }

    pub(in crate::net) fn send_replies(&self) {
        self.hub().send_replies(&self.send_queue);
    }

    /// Waits while too much, over all connections, waits for the disk.
    pub(in crate::net) async fn wait_for_the_hub(&self) {
        while !self.hub().has_capacity() {
            self.send_replies();
            self.hub().wait_for_capacity().await;
        }
    }

    /// Resumes pushes after a lag, once the reader has caught up.
    pub(in crate::net) fn resume_pushes_if_drained(&self) {
        if let Some(attachment) = self.attachment
            && self.send_queue.status().is_drained_after_lag
        {
            self.hub().recover(attachment.actor.user, &self.send_queue);
        }
    }

    /// Tells the client why the server closes the connection.
    pub(in crate::net) fn send_disconnect_reason(&self, reason: DisconnectReason) {
        let format = self.send_queue.format();
        self.send_queue.reply(Ticket::NONE, None, |out| format.disconnect(out, reason));
        self.send_replies();
    }

    /// Sends bytes below the protocol, after the replies so far.
    pub(in crate::net) fn send_control(&self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.send_queue.reply(Ticket::NONE, None, |out| out.extend_from_slice(bytes));
            self.send_replies();
        }
    }

    /// Tells a person at a text listener that a line was begun and not ended.
    pub(in crate::net) fn send_unfinished_line(&self) {
        let format = self.send_queue.format();
        self.send_queue.reply(Ticket::NONE, None, |out| format.unfinished_line(out));
        self.send_replies();
    }

    /// The connection is over: its user may be offline now.
    pub(in crate::net) fn end(&mut self) {
        let Some(attachment) = self.attachment.take() else { return };
        self.hub().detach(attachment.actor.user, &self.send_queue);
        self.close_ephemeral(Some(attachment));
    }
}
