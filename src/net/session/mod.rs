//! What a connection's session does with a request: who asks, which command that is, when the answer may leave.

mod accounts;
mod blocks;
mod groups;
mod history;
mod inbox;
mod messages;
mod people;
mod perform;
mod realms;
mod sessions;
mod subscription;

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::sync::Arc;

use tracing::debug;

use crate::chat::{Command, CommandError, IdempotencyKey, Receipt, Response, State};
use crate::hub::{DeferredReply, DeliveryHandle, Executed, Hub, Replay, SendQueue, Ticket};
use crate::id::{Hash64, SessionId, Token, TokenHash, UserId};
use crate::limits::SESSION_TOUCH;
use crate::net::context::{Policy, ServerContext};
use crate::net::session::perform::Served;
use crate::time::Time;
use crate::wire::{DisconnectReason, Line, Parsed, Rejection, ReplyContext, Request, Tag, parse};

/// One connection's session.
pub(super) struct Session {
    services: Arc<ServerContext>,
    send_queue: Arc<SendQueue>,
    address: IpAddr,
    bound: Option<Bound>,
    /// What the request being served is to be done once for, where it has a tag.
    once: Option<IdempotencyKey>,
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
    result: Result<Response, CommandError>,
    ticket: Ticket,
    /// It is put into words once it is known what became of a message to another realm.
    late: Option<LateAnswer>,
}

/// What became of a message to another realm, and what that comes to.
struct LateAnswer {
    delivery: Arc<DeliveryHandle>,
    receipt: Receipt,
    response: fn(Receipt, bool) -> Response,
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
    fn at_once(result: Result<Response, CommandError>) -> Self {
        Self::new(result, Ticket::NONE)
    }

    fn new(result: Result<Response, CommandError>, ticket: Ticket) -> Self {
        Self { result, ticket, late: None }
    }

    fn of(executed: Executed, response: impl FnOnce(Receipt) -> Response) -> Self {
        Self::new(executed.result.map(response), executed.ticket)
    }

    /// An answer that waits for what becomes of a message at another realm, where it is for one.
    fn of_sending(
        executed: Executed,
        here: impl FnOnce(Receipt) -> Response,
        there: fn(Receipt, bool) -> Response,
    ) -> Self {
        let late = executed.delivery.clone().zip(executed.result.ok());
        let late = late.map(|(delivery, receipt)| LateAnswer { delivery, receipt, response: there });
        Self { late, ..Self::of(executed, here) }
    }
}

impl From<CommandError> for Answer {
    fn from(error: CommandError) -> Self {
        Self::at_once(Err(error))
    }
}

/// A tagged request is done once; others are done.
fn once(who: Identity, tag: Option<&Tag>, request: Option<Hash64>) -> Option<IdempotencyKey> {
    Some(IdempotencyKey { user: who.user, tag: tag?.digest(), request: request? })
}

impl Session {
    pub(super) fn new(services: Arc<ServerContext>, send_queue: Arc<SendQueue>, address: IpAddr) -> Self {
        Self { services, send_queue, address, bound: None, once: None }
    }

    fn hub(&self) -> &Hub {
        &self.services.hub
    }

    fn policy(&self) -> &Policy {
        &self.services.policy
    }

    /// Answers one line. The reply leaves with [`Session::send_replies`].
    pub(super) async fn answer(&mut self, line: Line) -> Flow {
        let (context, answer) = match self.serve(line) {
            ControlFlow::Break(flow) => return flow,
            ControlFlow::Continue((context, Served::Answered(answer))) => (context, answer),
            ControlFlow::Continue((context, Served::Waiting(rest))) => (context, rest.await),
        };
        if let Ok(Response::Subscribed { after, topics }) = answer.result {
            self.reply(context, answer);
            return Box::pin(self.begin_to_listen(after, topics)).await;
        }
        self.reply(context, answer)
    }

    /// Begins to serve the request of a line, where it is one.
    fn serve(&mut self, line: Line) -> ControlFlow<Flow, (ReplyContext, Served<'_>)> {
        let text = match line {
            Line::Text(text) => text,
            Line::Invalid(error) => {
                self.reject(&Rejection::from(error));
                return ControlFlow::Break(Flow::Continue);
            }
        };
        match parse(&text) {
            Parsed::Blank => ControlFlow::Break(Flow::Continue),
            Parsed::Http => {
                debug!("somebody speaks HTTP here");
                ControlFlow::Break(Flow::Drop)
            }
            Parsed::Rejected(rejection) => {
                self.reject(&rejection);
                ControlFlow::Break(Flow::Continue)
            }
            Parsed::Request(request) => ControlFlow::Continue((request.context(), self.serve_request(request))),
        }
    }

    fn reject(&self, rejection: &Rejection) {
        let format = self.send_queue.format();
        self.send_queue.reply(Ticket::NONE, None, |out| format.reject(out, rejection));
    }

    fn serve_request(&mut self, request: Request) -> Served<'_> {
        let Request { tag, token, spec, ask, digest } = request;
        match self.identify(token.as_ref()) {
            Ok(who) => {
                self.once = once(who, tag.as_ref(), digest);
                self.perform(who, ask)
            }
            Err(_) if !spec.needs_session => self.perform_for_anybody(ask),
            Err(error) => Served::Answered(Answer::new(Err(error), self.hub().read(|_| ()).1)),
        }
    }

    fn reply(&self, context: ReplyContext, answer: Answer) -> Flow {
        if let Some(LateAnswer { delivery, receipt, response }) = answer.late {
            self.send_queue.reply_later(answer.ticket, DeferredReply { context, delivery, response, receipt });
            return Flow::Continue;
        }
        let format = self.send_queue.format();
        let result = answer.result.as_ref().map_err(|error| *error);
        self.send_queue.reply(answer.ticket, context.tag.clone(), |out| format.reply(out, &context, result));
        match result {
            Ok(Response::Bye) => Flow::Close,
            Ok(Response::Linking) => Flow::Link,
            _ => Flow::Continue,
        }
    }

    /// Executes a command of the request being served.
    fn execute(&self, command: &Command) -> Executed {
        self.hub().execute_once(command, Some(&self.send_queue), self.once.as_ref(), None)
    }

    /// What came of the request being served, where it was done before under its tag: nothing else is asked of it then,
    /// a password least of all, which the request itself may have changed.
    fn done_before(&self) -> Option<Executed> {
        let once = self.once.as_ref()?;
        let (done, ticket) = self.hub().read(|state| {
            let done = state.done_before(once, Time::now());
            done.map(|done| done.map(|done| done.receipt))
        });
        done.transpose().map(|result| Executed { result, ticket, delivery: None })
    }

    /// Whom a request acts for: its token's session, else the one that the connection is bound to. A token binds a
    /// connection that is not bound.
    fn identify(&mut self, token: Option<&Token>) -> Result<Identity, CommandError> {
        let now = Time::now();
        let ((found, is_bound), _) = self.hub().read(|state| {
            let bound = self.session_of_connection(state, now);
            let found = match token {
                Some(token) => self.session_of_token(state, token, now),
                None => bound,
            };
            (found, bound.is_some())
        });
        let (who, unused) = found.ok_or(CommandError::NoSession)?;
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
            self.hub().detach(old.who.user, &self.send_queue);
        }
        self.hub().attach(who.user, who.session, &self.send_queue);
        self.close_ephemeral(old);
    }

    fn unbind(&mut self) {
        let Some(bound) = self.bound.take() else { return };
        self.hub().detach(bound.who.user, &self.send_queue);
        self.close_ephemeral(Some(bound));
    }

    fn close_ephemeral(&self, bound: Option<Bound>) {
        if let Some(bound) = bound.filter(|bound| bound.ephemeral) {
            self.hub().execute(&Command::CloseSession { session: bound.who.session }, None);
        }
    }

    /// Lets the replies leave that may.
    pub(super) fn send_replies(&self) {
        self.hub().send_replies(&self.send_queue);
    }

    /// Waits while too much, over all connections, waits for the disk.
    pub(super) async fn wait_for_the_hub(&self) {
        while !self.hub().has_capacity() {
            self.send_replies();
            self.hub().wait_for_capacity().await;
        }
    }

    /// Pushes again after a lag, once the reader has caught up.
    pub(super) fn resume_pushes_if_drained(&self) {
        if let Some(bound) = self.bound
            && self.send_queue.status().is_drained_after_lag
        {
            self.hub().recover(bound.who.user, &self.send_queue);
        }
    }

    /// Says why the server ends the connection.
    pub(super) fn send_disconnect_reason(&self, why: DisconnectReason) {
        let format = self.send_queue.format();
        self.send_queue.reply(Ticket::NONE, None, |out| format.farewell(out, why));
        self.send_replies();
    }

    /// The connection is over: its user may be offline now.
    pub(super) fn end(&mut self) {
        self.unbind();
    }
}
