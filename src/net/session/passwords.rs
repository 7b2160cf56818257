//! Checking and hashing passwords: bounded, throttled, and never on a thread that serves traffic (PROTOCOL §2).

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Instant;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Notify;

use crate::chat::{CommandError, PasswordHash, Response};
use crate::hub::Executed;
use crate::net::session::state::{Acting, Session};
use crate::net::throttle::{Attempt, Held, LoginTarget};

impl Session {
    /// Checks a password against its hash, unless too many recent attempts at the target failed. `is_known`: the user is
    /// logged in from this address already.
    pub(super) async fn check_password(
        &mut self,
        target: LoginTarget,
        is_known: bool,
        password: SecretString,
        hash: &PasswordHash,
    ) -> Result<(), CommandError> {
        let attempt = self.begin_attempt(target, is_known).await?;
        let _authenticating = self.server.admission.begin_authenticating(self.place);
        let verified = self.server.passwords.verify(self.address, password, hash.clone());
        match self.unless_gone(verified).await.and_then(|verified| verified) {
            Ok(true) => {
                attempt.succeeded();
                Ok(())
            }
            Ok(false) => {
                attempt.failed(Instant::now());
                Err(CommandError::WrongPassword)
            }
            Err(error) => Err(error),
        }
    }

    /// Begins an attempt at a password, once it may and as late as it should.
    pub(super) async fn begin_attempt(&self, target: LoginTarget, is_known: bool) -> Result<Attempt<'_>, CommandError> {
        let throttle = &self.server.throttle;
        self.send_replies();
        let mut waited_for = None::<Arc<Notify>>;
        loop {
            match throttle.begin(target, self.address, is_known, Instant::now()) {
                Ok(attempt) => {
                    if !attempt.delay.is_zero() {
                        self.unless_gone(tokio::time::sleep(attempt.delay)).await?;
                    }
                    return Ok(attempt);
                }
                Err(Held::Throttled(seconds)) => {
                    // The next one who waits is throttled, too.
                    waited_for.iter().for_each(|waiters| waiters.notify_one());
                    return Err(CommandError::Throttled(seconds));
                }
                Err(Held::UnderWay(waiters)) => self.unless_gone(waited_for.insert(waiters).notified()).await?,
            }
        }
    }

    pub(super) fn check_length(&self, password: &SecretString) -> Result<(), CommandError> {
        let is_too_short = password.expose_secret().len() < self.policy().password_min_bytes;
        if is_too_short { Err(CommandError::PasswordTooShort) } else { Ok(()) }
    }

    pub(super) async fn hash_new(&mut self, password: SecretString) -> Result<PasswordHash, CommandError> {
        self.check_length(&password)?;
        self.send_replies();
        let _authenticating = self.server.admission.begin_authenticating(self.place);
        self.unless_gone(self.server.passwords.hash(self.address, password)).await?
    }

    /// Waits for something that may take long, and before which nothing was done, unless the connection is gone meanwhile: the
    /// error is for nobody then.
    pub(super) async fn unless_gone<T>(&self, wait: impl Future<Output = T>) -> Result<T, CommandError> {
        let gone = poll_fn(|context| self.send_queue.poll_until(|status| status.is_gone, context));
        tokio::select! {
            biased;
            done = wait => Ok(done),
            () = gone => Err(CommandError::Busy),
        }
    }

    /// The result of the request if it was done before under its tag. Nothing else is asked of it then, a password least
    /// of all: the request itself may have changed it.
    pub(super) fn done_before(&self, acting: &Acting, response: Response) -> Option<Executed> {
        let key = acting.key.as_ref()?;
        let (done, ticket) = self.hub().read(|state| {
            let done = state.completed_request(key, acting.now.paced());
            done.map(|done| done.is_some())
        });
        match done {
            Ok(false) => None,
            Ok(true) => Some(Executed::unchanged(Ok(response), ticket)),
            Err(error) => Some(Executed::unchanged(Err(error), ticket)),
        }
    }
}
