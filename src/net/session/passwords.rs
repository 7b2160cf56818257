//! Checking and hashing passwords: bounded, throttled, and never on a thread that serves traffic (PROTOCOL §2).

use std::time::Instant;

use secrecy::{ExposeSecret, SecretString};

use crate::chat::{CommandError, PasswordHash, Response};
use crate::hub::Executed;
use crate::net::session::state::{Acting, Session};
use crate::net::throttle::LoginTarget;

impl Session {
    /// Checks a password against its hash, unless too many recent attempts at the target failed.
    pub(super) async fn check_password(
        &mut self,
        target: LoginTarget,
        password: SecretString,
        hash: &PasswordHash,
    ) -> Result<(), CommandError> {
        if !self.server.throttle.is_allowed(self.address, target, Instant::now()) {
            return Err(CommandError::Throttled(6));
        }
        self.send_replies();
        if self.server.passwords.verify(password, hash.clone()).await? {
            return Ok(());
        }
        Err(self.record_failure(target, CommandError::WrongPassword))
    }

    /// Counts a failure. Returns its error, unless too many failures came before it.
    pub(super) fn record_failure(&self, target: LoginTarget, error: CommandError) -> CommandError {
        let now = Instant::now();
        if !self.server.throttle.is_allowed(self.address, target, now) {
            return CommandError::Throttled(6);
        }
        self.server.throttle.record_failure(self.address, target, now);
        error
    }

    pub(super) fn check_length(&self, password: &SecretString) -> Result<(), CommandError> {
        let is_too_short = password.expose_secret().len() < self.policy().password_min_bytes;
        if is_too_short { Err(CommandError::PasswordTooShort) } else { Ok(()) }
    }

    pub(super) async fn hash_new(&mut self, password: SecretString) -> Result<PasswordHash, CommandError> {
        self.check_length(&password)?;
        self.send_replies();
        self.server.passwords.hash(password).await
    }

    /// The result of the request if it was done before under its tag. Nothing else is asked of it then, a password least
    /// of all: the request itself may have changed it.
    pub(super) fn done_before(&self, acting: &Acting, response: Response) -> Option<Executed> {
        let key = acting.key.as_ref()?;
        let (done, ticket) = self.hub().read(|state| {
            let done = state.completed_request(key, acting.now);
            done.map(|done| done.is_some())
        });
        match done {
            Ok(false) => None,
            Ok(true) => Some(Executed { result: Ok(response), ticket, delivery: None }),
            Err(error) => Some(Executed { result: Err(error), ticket, delivery: None }),
        }
    }
}
