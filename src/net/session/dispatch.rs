//! From a line to its reply.

use std::ops::ControlFlow;

use secrecy::SecretString;
use tracing::debug;

use crate::chat::{
    CommandError, IdempotencyKey, LinkStatus, Process, Query, Response, ResumePoint, SessionStanding, Stats, answer,
};
use crate::hub::{DeferredReply, Ticket};
use crate::id::{Hash64, RealmId, SessionId, UserId};
use crate::limits::LINK_VERSION;
use crate::net::session::reply::{Dispatched, Flow, PendingReply};
use crate::net::session::state::{Acting, Actor, Session};
use crate::time::Time;
use crate::wire::{
    Action, Dialect, Line, ParseError, Parsed, ReplyContext, ReplyFormat, Request, SessionRequest, audited_words, code,
    line_code, parse,
};

impl Session {
    /// Answers one line. The reply leaves with [`Session::send_replies`].
    pub(in crate::net) async fn answer(&mut self, line: Line) -> Flow {
        let (context, reply) = match self.begin(line) {
            ControlFlow::Break(flow) => return flow,
            ControlFlow::Continue((context, Dispatched::Ready(reply))) => (context, reply),
            ControlFlow::Continue((context, Dispatched::Waiting(rest))) => (context, rest.await),
        };
        if let Ok(Response::Subscribed { after, is_reset, topics, .. }) = reply.result {
            self.reply(context, reply);
            return Box::pin(self.begin_subscription(ResumePoint { after, is_reset }, topics)).await;
        }
        self.reply(context, reply)
    }

    fn begin(&mut self, line: Line) -> ControlFlow<Flow, (ReplyContext, Dispatched<'_>)> {
        let text = match line {
            Line::Text(text) => text,
            Line::Invalid(error) => {
                return ControlFlow::Break(self.reject(&ParseError::from(error)));
            }
        };
        match parse(&text) {
            Parsed::Blank => ControlFlow::Break(Flow::Continue),
            Parsed::Http => {
                debug!("HTTP on a chat port");
                ControlFlow::Break(Flow::Drop)
            }
            Parsed::Rejected(error) => ControlFlow::Break(self.reject(&error)),
            Parsed::Request(request) => {
                let audit = audited_words(&request, &text);
                ControlFlow::Continue((request.context(), self.dispatch(request, audit)))
            }
        }
    }

    fn reject(&self, error: &ParseError) -> Flow {
        self.server.requests.record_failed(error.spec, line_code(error.kind));
        let format = self.send_queue.format();
        self.send_queue.reply(Ticket::NONE, None, |out| format.reject(out, error));
        if error.kind.ends_connection() { Flow::Close } else { Flow::Continue }
    }

    /// A node that follows shows what the connection's own changes did: those that it has forwarded come first. One that its
    /// cluster does not reach answers nothing, since it may be behind for long.
    fn dispatch(&mut self, request: Request, audit: Option<Box<str>>) -> Dispatched<'_> {
        if self.hub().is_cut_off()
            && !matches!(request.action, Action::Session(SessionRequest::Exit | SessionRequest::Ping))
        {
            return Dispatched::Ready(CommandError::Unavailable.into());
        }
        let must_wait = self.hub().is_following() && !matches!(request.action, Action::Change(_));
        if !must_wait || self.send_queue.status().backlog.requests == 0 {
            return self.dispatch_now(request, audit);
        }
        Dispatched::waiting(async move {
            self.wait_for_own_changes().await;
            match self.dispatch_now(request, audit) {
                Dispatched::Ready(reply) => reply,
                Dispatched::Waiting(rest) => rest.await,
            }
        })
    }

    fn dispatch_now(&mut self, request: Request, audit: Option<Box<str>>) -> Dispatched<'_> {
        let now = Time::now();
        let (mut action, mut hash) = (request.action, request.hash);
        let mut actor = self.identify(request.token.as_ref(), now);
        if actor.is_err()
            && let Some(text) = request.without_token
            && self.attachment.is_some()
        {
            // An unknown token in front of a text is a word of the text.
            (action, hash) = (text.action, text.hash);
            actor = self.identify(None, now);
        }
        match actor {
            Ok(actor) => {
                let key = idempotency_key(actor, request.tag.as_ref().map(|tag| tag.hash()).zip(hash));
                let (acting, dialect) = (Acting { actor, now, key }, request.spec.dialect);
                match audit {
                    None => self.dispatch_tagged(acting, dialect, action, request.secret),
                    Some(words) => self.dispatch_audited(acting, words, |session| {
                        session.dispatch_tagged(acting, dialect, action, request.secret)
                    }),
                }
            }
            Err(_) if !request.spec.needs_session => match self.take_unauthenticated() {
                Ok(()) => self.dispatch_unauthenticated(action),
                Err(error) => Dispatched::Ready(error.into()),
            },
            Err(error) => Dispatched::Ready(PendingReply::new(Err(error), self.hub().read(|_| ()).1)),
        }
    }

    /// Counts a tagged request, and has its key cover the secrets of it.
    fn dispatch_tagged(
        &mut self,
        acting: Acting,
        dialect: Dialect,
        action: Action,
        secret: Option<SecretString>,
    ) -> Dispatched<'_> {
        let Some(key) = acting.key.filter(|_| action.is_done_once()) else {
            return self.dispatch_for(acting, dialect, action);
        };
        if let Err(error) = self.take_tag(key.user) {
            return Dispatched::Ready(error.into());
        }
        let Some(secret) = secret else { return self.dispatch_for(acting, dialect, action) };
        Dispatched::waiting(async move {
            self.send_replies();
            let salt = Hash64::of(&[&key.user.to_string(), &key.tag.0.to_string()]);
            let digest = self.server.passwords.digest(self.address, secret, salt);
            let digest = match self.unless_gone(digest).await.and_then(|digest| digest) {
                Ok(digest) => digest.0.to_string(),
                Err(error) => return error.into(),
            };
            let request = Hash64::of(&[&key.request.0.to_string(), &digest]);
            let acting = Acting { key: Some(IdempotencyKey { request, ..key }), ..acting };
            match self.dispatch_for(acting, dialect, action) {
                Dispatched::Ready(reply) => reply,
                Dispatched::Waiting(rest) => rest.await,
            }
        })
    }

    fn dispatch_for(&mut self, acting: Acting, dialect: Dialect, action: Action) -> Dispatched<'_> {
        if matches!(action, Action::Session(SessionRequest::Exit)) {
            return Dispatched::Ready(self.quit(acting));
        }
        self.record_use(&acting);
        let request = match action {
            Action::Change(command) => return Dispatched::Ready(self.change(acting, dialect, &command)),
            Action::Read(query) => return Dispatched::Ready(self.query(acting, &query)),
            Action::Session(request) => request,
        };
        match request {
            SessionRequest::Inbox => Dispatched::waiting(self.inbox(acting)),
            SessionRequest::Peek => Dispatched::waiting(self.peek(acting)),
            SessionRequest::RealmInbox { realm } => Dispatched::waiting(self.realm_inbox(acting, realm)),
            SessionRequest::History { conversation, before, limit } => {
                Dispatched::waiting(self.history(acting, conversation, before, limit))
            }
            SessionRequest::Conversations { limit } => Dispatched::waiting(self.conversations(acting, limit)),
            SessionRequest::MarkRead { conversation, upto } => {
                Dispatched::waiting(self.mark_read(acting, conversation, upto))
            }
            SessionRequest::Subscribe { after, topics } => Dispatched::waiting(self.subscribe(acting, after, topics)),
            SessionRequest::Unsubscribe => Dispatched::Ready(self.unsubscribe()),
            SessionRequest::CreateGroup { group, password } => {
                Dispatched::waiting(self.create_group(acting, group, password))
            }
            SessionRequest::JoinGroup { group, password } => {
                Dispatched::waiting(self.join_group(acting, group, password))
            }
            SessionRequest::ChangeGroupPassword { group, password } => {
                Dispatched::waiting(self.change_group_password(acting, group, password))
            }
            SessionRequest::ChangePassword { old, new } => Dispatched::waiting(self.change_password(acting, old, new)),
            SessionRequest::SetPassword { user, password } => {
                Dispatched::waiting(self.set_password(acting, user, password))
            }
            SessionRequest::AddUser { user, password, profile } => {
                Dispatched::waiting(self.add_user(acting, user, password, profile))
            }
            SessionRequest::Invite { uses, days } => Dispatched::waiting(self.invite(acting, uses, days)),
            SessionRequest::Unregister { password } => Dispatched::waiting(self.unregister(acting, password)),
            SessionRequest::LinkRealm { realm, host, port } => {
                Dispatched::waiting(self.link_realm(acting, realm, host, port))
            }
            request => self.dispatch_unauthenticated(Action::Session(request)),
        }
    }

    /// Requests that need no session; others have their error.
    fn dispatch_unauthenticated(&mut self, action: Action) -> Dispatched<'_> {
        let Action::Session(request) = action else { return Dispatched::Ready(CommandError::NoSession.into()) };
        let result = match request {
            SessionRequest::LogIn { user, password } => return Dispatched::waiting(self.log_in(user, password)),
            SessionRequest::Register { user, password, profile, invite } => {
                return Dispatched::waiting(self.register(user, password, profile, invite));
            }
            SessionRequest::Exit => Ok(Response::Bye),
            SessionRequest::Help(word) => Ok(Response::Help(word)),
            SessionRequest::Ping => Ok(Response::Done),
            SessionRequest::Version => Ok(Response::Version),
            // A link is spoken on the bare socket.
            SessionRequest::Link { .. } if self.send_queue.format() == ReplyFormat::WebSocket => {
                Err(CommandError::Forbidden)
            }
            SessionRequest::Link { version } if version != LINK_VERSION => Err(CommandError::LinkVersion),
            SessionRequest::Link { .. } if self.hub().is_following() => return Dispatched::waiting(self.carry_link()),
            // Which server may link is decided once the other server has proven its key.
            SessionRequest::Link { .. } => self.begin_link().map(|()| Response::Linking),
            _ => Err(CommandError::NoSession),
        };
        Dispatched::Ready(PendingReply::at_once(result))
    }

    /// Answers a query from the state.
    fn query(&self, acting: Acting, query: &Query) -> PendingReply {
        let context = self.context(acting);
        let (result, ticket) = self.hub().read(|state| answer(state, &context, query, self));
        PendingReply::new(result, ticket)
    }

    fn reply(&self, context: ReplyContext, reply: PendingReply) -> Flow {
        let PendingReply { result, ticket, awaited } = reply;
        match &result {
            Ok(_) => self.server.requests.record_done(&context),
            Err(error) => self.server.requests.record_failed(Some(context.spec), code(*error)),
        }
        let result = match (result, awaited) {
            (Ok(response), Some(awaited)) => {
                self.send_queue.reply_later(ticket, DeferredReply { context, awaited, response });
                return Flow::Continue;
            }
            (result, _) => result,
        };
        let format = self.send_queue.format();
        let rendered = result.as_ref().map_err(|error| *error);
        self.send_queue.reply(ticket, context.tag.clone(), |out| format.reply(out, &context, rendered));
        match result {
            Ok(Response::Bye) => Flow::Close,
            Ok(Response::Linking) => Flow::Link,
            _ => Flow::Continue,
        }
    }
}

fn idempotency_key(actor: Actor, tag_and_request: Option<(Hash64, Hash64)>) -> Option<IdempotencyKey> {
    let (tag, request) = tag_and_request?;
    Some(IdempotencyKey { user: actor.user, tag, request })
}

impl Process for Session {
    fn is_online(&self, user: UserId) -> bool {
        self.hub().is_online(user)
    }

    fn last_seen(&self, user: UserId) -> Option<Time> {
        self.hub().last_seen(user)
    }

    fn last_use(&self, user: UserId, session: SessionId, now: Time) -> Option<Time> {
        let known = self.hub().session_use(user, session)?;
        Some(if known.standing == SessionStanding::Connected { now } else { known.at })
    }

    fn online(&self, limit: usize) -> Vec<UserId> {
        self.hub().online(limit)
    }

    fn counts(&self) -> Stats {
        self.server.counts()
    }

    fn link_status(&self, realm: RealmId) -> LinkStatus {
        self.server.federation.manager.status(realm)
    }
}
