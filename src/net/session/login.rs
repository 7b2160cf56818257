//! Accounts: logging in, registering, changing the password, unregistering (PROTOCOL §2, §4, §7).

use std::time::Instant;

use secrecy::SecretString;

use crate::chat::{
    Command, CommandError, Context, NewSession, PasswordHash, Response, SessionUse, State, Unread, User,
};
use crate::id::{InviteCode, Token, TokenHash, UserId};
use crate::limits::SESSIONS_PER_USER;
use crate::name::Name;
use crate::net::origin::origin;
use crate::net::session::reply::PendingReply;
use crate::net::session::state::{Acting, Actor, Session, SessionOrigin};
use crate::net::throttle::LoginTarget;
use crate::settings::Registration;
use crate::store::Page;
use crate::time::Time;
use crate::wire::{self, NewProfile};

impl Session {
    pub(super) async fn log_in(&mut self, name: Name, password: SecretString) -> PendingReply {
        let target = LoginTarget::Account(name.folded());
        let (found, ticket) = self.hub().read(|state| {
            let (id, user) = state.user_named(&name)?;
            Some((id, user.name.clone(), user.password.clone(), self.is_known_here(state, user)))
        });
        let Some((user, shown, hash, is_known)) = found else {
            let attempt = self.begin_attempt(target, false).await;
            let error = attempt.map_or_else(
                |throttled| throttled,
                |attempt| {
                    attempt.failed(Instant::now());
                    CommandError::UserNotFound
                },
            );
            self.server.refused.login(&name.folded(), self.address, wire::code(error));
            return PendingReply::new(Err(error), ticket);
        };
        if let Err(error) = self.check_password(target, is_known, password, &hash).await {
            self.server.refused.login(&name.folded(), self.address, wire::code(error));
            return PendingReply::new(Err(error), ticket);
        }
        let (token, session) = self.new_session();
        let uses = self.session_uses(user);
        let open = Command::OpenSession { user, verified: hash.clone(), session, uses };
        let mut reply = self.open_session(open, shown.clone(), token).await;
        if let Err(error) = self.logged_in(&reply).await
            && error.is_of_the_store()
        {
            reply = self.open_unstored_session((user, &hash), session, shown, token);
        }
        match &mut reply.result {
            Ok(Response::LoggedIn { unread, .. }) => *unread = self.count_unread(user).await,
            Ok(_) => {}
            Err(error) => self.server.refused.login(&name.folded(), self.address, wire::code(*error)),
        }
        reply
    }

    /// For the person at a text listener. Messages that arrive while it is counted may be pushed as well.
    async fn count_unread(&self, user: UserId) -> Option<Unread> {
        if !self.send_queue.format().is_text() {
            return None;
        }
        let query = self.hub().read(|state| state.inbox(user)).0?;
        let Page { messages, more, .. } = self.page(user, query, self.policy().inbox_page).await.ok()?;
        (!messages.is_empty()).then_some(Unread { count: messages.len(), more })
    }

    /// How the user's sessions are being used, if there are too many for one more.
    fn session_uses(&self, id: UserId) -> Vec<SessionUse> {
        let (sessions, _) = self.hub().read(|state| {
            let sessions = state.user(id).map_or(&[][..], |user| &user.sessions);
            if sessions.len() < SESSIONS_PER_USER { Vec::new() } else { sessions.to_vec() }
        });
        sessions.into_iter().filter_map(|session| self.hub().session_use(id, session)).collect()
    }

    /// Whether the user has a session that was opened from this address.
    fn is_known_here(&self, state: &State, user: &User) -> bool {
        let here = origin(self.address);
        user.sessions.iter().any(|session| state.session(*session).is_some_and(|open| origin(open.origin) == here))
    }

    pub(super) async fn register(
        &mut self,
        name: Name,
        password: SecretString,
        profile: Option<NewProfile>,
        code: Option<InviteCode>,
    ) -> PendingReply {
        let code = code.map(|code| code.hash());
        let (allowed, ticket) = self.hub().read(|state| self.may_register(state, &name, code.as_ref()));
        if let Err(error) = allowed {
            if error != CommandError::UserExists {
                self.server.refused.registration(self.address, wire::code(error));
            }
            return PendingReply::new(Err(error), ticket);
        }
        if let Err(error) = self.server.budgets.take_registration(self.address) {
            return error.into();
        }
        let password = match self.hash_new(password).await {
            Ok(hash) => hash,
            Err(error) => return error.into(),
        };
        let invite = code.filter(|_| self.policy().registration == Registration::Invite);
        let (token, session) = self.new_session();
        let (full_name, country) = profile.map(|profile| (profile.full_name, profile.country)).unwrap_or_default();
        let register =
            Command::Register { name: name.clone(), full_name, country, password, session: Some(session), invite };
        self.open_session(register, name, token).await
    }

    /// Before a password costs a hash. The hub decides again whether the invite is still good.
    fn may_register(&self, state: &State, name: &Name, invite: Option<&TokenHash>) -> Result<(), CommandError> {
        if self.policy().registration == Registration::Closed {
            return Err(CommandError::Forbidden);
        }
        if state.name_owner(name).is_some() {
            return Err(CommandError::UserExists);
        }
        if self.policy().chat.is_administrator(name) {
            return Err(CommandError::NameOfAdministrator);
        }
        match invite {
            // A wrong one may be a part of a name, even if none is needed.
            Some(code) => state.invite_of(code, Time::now().paced()).map(drop).ok_or(CommandError::InviteNotFound),
            None if self.policy().registration == Registration::Invite => Err(CommandError::InviteNeeded),
            None => Ok(()),
        }
    }

    fn new_session(&self) -> (Token, NewSession) {
        let token = Token::random();
        let ephemeral = self.send_queue.format().is_text();
        (token, NewSession { token: token.hash(), ephemeral, origin: self.address.to_canonical() })
    }

    /// Whether a login is durable.
    async fn logged_in(&self, reply: &PendingReply) -> Result<(), CommandError> {
        reply.result.as_ref().map_err(|error| *error)?;
        self.send_replies();
        self.hub().stored(reply.ticket).await
    }

    /// Opens a session that ends with the server: reading goes on while the disk takes nothing.
    fn open_unstored_session(
        &mut self,
        (user, verified): (UserId, &PasswordHash),
        session: NewSession,
        shown: Name,
        token: Token,
    ) -> PendingReply {
        if let Err(error) = self.hub().open_unstored_session(user, verified, session) {
            return error.into();
        }
        self.attach_opened(token);
        let (epoch, _) = self.hub().read(State::epoch);
        PendingReply::at_once(Ok(Response::LoggedIn { user: shown, token, epoch, is_unstored: true, unread: None }))
    }

    /// Executes a command that opens the session of a token, and attaches the connection to it.
    async fn open_session(&mut self, command: Command, user: Name, token: Token) -> PendingReply {
        let mut executed = self.hub().execute(&Context::server(Time::now()), &command).settled().await;
        if executed.result.is_ok() {
            self.attach_opened(token);
        }
        let (epoch, _) = self.hub().read(State::epoch);
        let logged_in = Response::LoggedIn { user, token, epoch, is_unstored: false, unread: None };
        executed.result = executed.result.map(|_| logged_in);
        executed.into()
    }

    /// Attaches the connection to the session that was opened just now.
    fn attach_opened(&mut self, token: Token) {
        let (opened, _) = self.hub().read(|state| {
            let (session, opened) = state.session_of(&token.hash())?;
            Some((Actor { user: opened.user, session, token: opened.token }, opened.ephemeral))
        });
        if let Some((actor, ephemeral)) = opened {
            self.attach(actor, if ephemeral { SessionOrigin::Ephemeral } else { SessionOrigin::LoggedIn });
        }
    }

    pub(super) async fn change_password(
        &mut self,
        acting: Acting,
        old: SecretString,
        new: SecretString,
    ) -> PendingReply {
        if let Some(done) = self.done_before(&acting, Response::Done) {
            return done.into();
        }
        let (verified, password) = match self.verify_and_hash(acting, old, new).await {
            Ok(hashes) => hashes,
            Err(reply) => return reply,
        };
        let change = Command::ChangePassword { verified, password };
        self.hub().execute_for(&self.context(acting), &change, self.origin(&acting)).into()
    }

    /// Checks the old password before the new one costs a hash.
    async fn verify_and_hash(
        &mut self,
        acting: Acting,
        old: SecretString,
        new: SecretString,
    ) -> Result<(PasswordHash, PasswordHash), PendingReply> {
        self.check_length(&new)?;
        let verified = self.check_own_password(acting, old).await?;
        Ok((verified, self.hash_new(new).await?))
    }

    pub(super) async fn unregister(&mut self, acting: Acting, password: SecretString) -> PendingReply {
        let verified = match self.check_own_password(acting, password).await {
            Ok(verified) => verified,
            Err(reply) => return reply,
        };
        let unregister = Command::Unregister { verified };
        self.hub().execute_for(&self.context(acting), &unregister, self.origin(&acting)).into()
    }

    /// The hash that the user's password was verified against.
    async fn check_own_password(
        &mut self,
        acting: Acting,
        password: SecretString,
    ) -> Result<PasswordHash, PendingReply> {
        let (account, ticket) = self.hub().read(|state| {
            let user = state.user(acting.actor.user)?;
            Some((user.name.folded(), user.password.clone()))
        });
        let (name, hash) = account.ok_or(CommandError::NoSession)?;
        match self.check_password(LoginTarget::Own(name), true, password, &hash).await {
            Ok(()) => Ok(hash),
            Err(error) => Err(PendingReply::new(Err(error), ticket)),
        }
    }
}
