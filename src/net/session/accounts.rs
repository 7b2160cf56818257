//! Logging in and out, registering (PROTOCOL §2, §4).

use std::time::Instant;

use secrecy::{ExposeSecret, SecretString};

use crate::chat::{Command, NewSession, Outcome, Refusal};
use crate::id::Token;
use crate::name::Name;
use crate::net::session::{Answer, Identity, Session};
use crate::net::throttle::Door;
use crate::wire::{Person, Style};

impl Session {
    pub(super) async fn log_in(&mut self, name: Name, password: SecretString) -> Answer {
        let door = Door::Account(name.key());
        if !self.services.throttle.admits(self.address, door, Instant::now()) {
            return Refusal::Throttled.into();
        }
        let (known, ticket) = self.hub().read(|state| {
            let (id, user) = state.user_named(&name)?;
            Some((id, user.name.clone(), user.password.clone()))
        });
        let Some((user, shown, hash)) = known else {
            self.services.throttle.failed(self.address, door, Instant::now());
            return Answer { result: Err(Refusal::UserNotFound), ticket };
        };
        self.send_replies();
        match self.services.passwords.verify(password, hash.clone()).await {
            Ok(true) => {}
            Ok(false) => {
                self.services.throttle.failed(self.address, door, Instant::now());
                return Answer { result: Err(Refusal::WrongPassword), ticket };
            }
            Err(refusal) => return refusal.into(),
        }
        let (token, session) = self.new_session();
        let executed = self.hub().execute(&Command::OpenSession { user, verified: hash, session }, None);
        self.bind_to(&token, session.ephemeral);
        Answer::of(executed, |_| Outcome::LoggedIn { user: shown, token })
    }

    pub(super) async fn register(&mut self, name: Name, password: SecretString, person: Option<Person>) -> Answer {
        if !self.policy().registration_open {
            return Refusal::Forbidden.into();
        }
        if self.is_too_short(&password) {
            return Refusal::PasswordTooShort.into();
        }
        let (taken, ticket) = self.hub().read(|state| state.user_named(&name).is_some());
        if taken {
            return Answer { result: Err(Refusal::UserExists), ticket };
        }
        self.send_replies();
        let password = match self.services.passwords.hash(password).await {
            Ok(hash) => hash,
            Err(refusal) => return refusal.into(),
        };
        let (token, session) = self.new_session();
        let (full_name, country) = person.map(|person| (person.full_name, person.country)).unwrap_or_default();
        let register = Command::Register { name: name.clone(), full_name, country, password, session: Some(session) };
        let executed = self.hub().execute(&register, None);
        if executed.result.is_ok() {
            self.bind_to(&token, session.ephemeral);
        }
        Answer::of(executed, |_| Outcome::Registered { user: name, token })
    }

    pub(super) fn is_too_short(&self, password: &SecretString) -> bool {
        password.expose_secret().len() < self.policy().password_min_bytes
    }

    fn new_session(&self) -> (Token, NewSession) {
        let token = Token::random();
        (token, NewSession { token: token.hash(), ephemeral: self.outbox.style() == Style::Text })
    }

    /// Binds the connection anew, to the session just opened.
    fn bind_to(&mut self, token: &Token, ephemeral: bool) {
        let (opened, _) = self.hub().read(|state| {
            let (session, opened) = state.session_of(&token.hash())?;
            Some(Identity { user: opened.user, session })
        });
        if let Some(who) = opened {
            self.bind(who, ephemeral);
        }
    }

    pub(super) fn log_out(&self, who: Identity) -> Answer {
        let executed = self.hub().execute(&Command::CloseSession { session: who.session }, None);
        Answer::of(executed, |_| Outcome::LoggedOut)
    }
}
