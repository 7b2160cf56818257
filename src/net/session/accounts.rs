//! Accounts: logging in, registering, changing the password, giving up (PROTOCOL §2, §4, §7).

use std::time::Instant;

use secrecy::{ExposeSecret, SecretString};

use crate::chat::{Command, CommandError, NewSession, PasswordHash, Response};
use crate::id::Token;
use crate::name::Name;
use crate::net::session::{Answer, Identity, Session};
use crate::net::throttle::LoginTarget;
use crate::wire::{NewProfile, ReplyFormat};

impl Session {
    pub(super) async fn log_in(&mut self, name: Name, password: SecretString) -> Answer {
        let target = LoginTarget::Account(name.folded());
        let (known, ticket) = self.hub().read(|state| {
            let (id, user) = state.user_named(&name)?;
            Some((id, user.name.clone(), user.password.clone()))
        });
        let Some((user, shown, hash)) = known else {
            return Answer::new(Err(self.failed_at(target, CommandError::UserNotFound)), ticket);
        };
        if let Err(error) = self.check_password(target, password, &hash).await {
            return Answer::new(Err(error), ticket);
        }
        let (token, session) = self.new_session();
        let executed = self.hub().execute(&Command::OpenSession { user, verified: hash, session }, None);
        self.bind_to(&token, session.ephemeral);
        Answer::of(executed, |_| Response::LoggedIn { user: shown, token })
    }

    pub(super) async fn register(&mut self, name: Name, password: SecretString, person: Option<NewProfile>) -> Answer {
        if !self.policy().registration_open {
            return CommandError::Forbidden.into();
        }
        if self.is_too_short(&password) {
            return CommandError::PasswordTooShort.into();
        }
        let (taken, ticket) = self.hub().read(|state| state.name_owner(&name).is_some());
        if taken {
            return Answer::new(Err(CommandError::UserExists), ticket);
        }
        self.send_replies();
        let password = match self.services.passwords.hash(password).await {
            Ok(hash) => hash,
            Err(error) => return error.into(),
        };
        let (token, session) = self.new_session();
        let (full_name, country) = person.map(|person| (person.full_name, person.country)).unwrap_or_default();
        let register = Command::Register { name: name.clone(), full_name, country, password, session: Some(session) };
        let executed = self.hub().execute(&register, None);
        if executed.result.is_ok() {
            self.bind_to(&token, session.ephemeral);
        }
        Answer::of(executed, |_| Response::Registered { user: name, token })
    }

    pub(super) fn is_too_short(&self, password: &SecretString) -> bool {
        password.expose_secret().len() < self.policy().password_min_bytes
    }

    fn new_session(&self) -> (Token, NewSession) {
        let token = Token::random();
        let ephemeral = self.send_queue.format() == ReplyFormat::Text;
        (token, NewSession { token: token.hash(), ephemeral, origin: self.address.to_canonical() })
    }

    /// Binds the connection anew, to the session just opened.
    fn bind_to(&mut self, token: &Token, ephemeral: bool) {
        let (opened, _) = self.hub().read(|state| {
            let (session, opened) = state.session_of(&token.hash())?;
            Some(Identity { user: opened.user, session, token: opened.token })
        });
        if let Some(who) = opened {
            self.bind(who, ephemeral);
        }
    }

    pub(super) async fn change_password(&mut self, who: Identity, old: SecretString, new: SecretString) -> Answer {
        if let Some(executed) = self.done_before() {
            return Answer::of(executed, |_| Response::PasswordChanged);
        }
        if self.is_too_short(&new) {
            return CommandError::PasswordTooShort.into();
        }
        let verified = match self.check_own_password(who, old).await {
            Ok(verified) => verified,
            Err(answer) => return answer,
        };
        let password = match self.services.passwords.hash(new).await {
            Ok(hash) => hash,
            Err(error) => return error.into(),
        };
        let change = Command::ChangePassword { user: who.user, session: who.session, verified, password };
        let executed = self.execute(&change);
        Answer::of(executed, |_| Response::PasswordChanged)
    }

    pub(super) async fn unregister(&mut self, who: Identity, password: SecretString) -> Answer {
        let verified = match self.check_own_password(who, password).await {
            Ok(verified) => verified,
            Err(answer) => return answer,
        };
        let executed = self.execute(&Command::Unregister { user: who.user, verified });
        Answer::of(executed, |_| Response::Unregistered)
    }

    /// The hash of the user's password, which the given one was found right against.
    async fn check_own_password(&mut self, who: Identity, password: SecretString) -> Result<PasswordHash, Answer> {
        let (account, ticket) =
            self.hub().read(|state| state.user(who.user).map(|user| (user.name.folded(), user.password.clone())));
        let (name, hash) = account.ok_or(CommandError::NoSession)?;
        match self.check_password(LoginTarget::Account(name), password, &hash).await {
            Ok(()) => Ok(hash),
            Err(error) => Err(Answer::new(Err(error), ticket)),
        }
    }

    /// Checks a password against its hash, if not too many attempts at that target failed of late.
    pub(super) async fn check_password(
        &mut self,
        target: LoginTarget,
        password: SecretString,
        hash: &PasswordHash,
    ) -> Result<(), CommandError> {
        if !self.services.throttle.is_allowed(self.address, target, Instant::now()) {
            return Err(CommandError::Throttled);
        }
        self.send_replies();
        if self.services.passwords.verify(password, hash.clone()).await? {
            return Ok(());
        }
        Err(self.failed_at(target, CommandError::WrongPassword))
    }

    /// Counts a failure, and tells why unless too many came before it.
    fn failed_at(&self, target: LoginTarget, why: CommandError) -> CommandError {
        let now = Instant::now();
        if !self.services.throttle.is_allowed(self.address, target, now) {
            return CommandError::Throttled;
        }
        self.services.throttle.record_failure(self.address, target, now);
        why
    }
}
