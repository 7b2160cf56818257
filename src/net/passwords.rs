//! Password hashing off the threads that serve traffic, a bounded number at a time (PROTOCOL §2).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use secrecy::SecretString;
use tokio::sync::Semaphore;

use crate::chat::{PasswordHash, Refusal};
use crate::limits::HASHES_WAITING;
use crate::password;

/// The bounded hasher.
pub struct Passwords {
    cores: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Passwords {
    /// A hasher that keeps at most `at_once` cores (and 19 MiB each) busy.
    #[must_use]
    pub fn new(at_once: usize) -> Self {
        Self { cores: Arc::new(Semaphore::new(at_once)), waiting: AtomicUsize::new(0) }
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`Refusal::Busy`] where too many wait already, or the system gave no randomness.
    pub async fn hash(&self, password: SecretString) -> Result<PasswordHash, Refusal> {
        self.run(move || password::hash(&password)).await?.map_err(|_| Refusal::Busy)
    }

    /// Whether the password is the one that was hashed.
    ///
    /// # Errors
    /// [`Refusal::Busy`] where too many wait already.
    pub async fn verify(&self, password: SecretString, against: PasswordHash) -> Result<bool, Refusal> {
        self.run(move || password::verify(&password, &against)).await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
        let _place = Place::take(&self.waiting).ok_or(Refusal::Busy)?;
        let core = self.cores.clone().acquire_owned().await.map_err(|_| Refusal::Busy)?;
        let hashing = tokio::task::spawn_blocking(move || {
            let _held_until_done_even_if_nobody_waits = core;
            work()
        });
        hashing.await.map_err(|_| Refusal::Busy)
    }
}

/// A place in the queue, given back when dropped.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Option<Self> {
        if waiting.fetch_add(1, Ordering::Relaxed) >= HASHES_WAITING {
            waiting.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Self(waiting))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
