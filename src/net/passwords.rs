//! Password hashing on threads of its own, a bounded number at a time (PROTOCOL §2).

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use secrecy::SecretString;
use tokio::sync::oneshot;

use crate::chat::{CommandError, PasswordHash};
use crate::limits::HASHES_WAITING;
use crate::password;

type Job = Box<dyn FnOnce() + Send>;

/// A pool of hashing threads, which end when it is dropped. Each keeps the 19 MiB of a hash once it has allocated them, so
/// there must not be many.
pub struct PasswordHasher {
    jobs: SyncSender<Job>,
}

impl PasswordHasher {
    /// Starts `at_once` threads.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub(crate) fn new(at_once: usize) -> io::Result<Self> {
        let (jobs, waiting) = sync_channel(HASHES_WAITING);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..at_once {
            let waiting = waiting.clone();
            thread::Builder::new().name("passwords".into()).spawn(move || work(&waiting))?;
        }
        Ok(Self { jobs })
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`CommandError::Busy`] if too many wait already, or the system gave no randomness.
    pub(crate) async fn hash(&self, password: SecretString) -> Result<PasswordHash, CommandError> {
        self.run(move || password::hash(&password)).await?.map_err(|_| CommandError::Busy)
    }

    /// Whether the password is the one that was hashed.
    ///
    /// # Errors
    /// [`CommandError::Busy`] if too many wait already.
    pub(crate) async fn verify(&self, password: SecretString, against: PasswordHash) -> Result<bool, CommandError> {
        self.run(move || password::verify(&password, &against)).await
    }

    async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, CommandError> {
        let (tell, told) = oneshot::channel();
        let job = Box::new(move || {
            // The connection that asked may be gone by now.
            let _nobody_listens = tell.send(job());
        });
        self.jobs.try_send(job).map_err(|_| CommandError::Busy)?;
        told.await.map_err(|_| CommandError::Busy)
    }
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        job();
    }
}
