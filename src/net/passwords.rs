//! Password hashing off the threads that serve traffic, a bounded number at a time (PROTOCOL §2).

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

/// The bounded hasher. Its threads are its own: each keeps the 19 MiB of a hash once it has had them, so that they must
/// not be many. They end when it is dropped.
pub struct PasswordHasher {
    jobs: SyncSender<Job>,
}

impl PasswordHasher {
    /// A hasher that keeps at most `at_once` cores busy.
    ///
    /// # Errors
    /// Where the system gives no threads.
    pub fn new(at_once: usize) -> io::Result<Self> {
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
    /// [`CommandError::Busy`] where too many wait already, or the system gave no randomness.
    pub async fn hash(&self, password: SecretString) -> Result<PasswordHash, CommandError> {
        self.run(move || password::hash(&password)).await?.map_err(|_| CommandError::Busy)
    }

    /// Whether the password is the one that was hashed.
    ///
    /// # Errors
    /// [`CommandError::Busy`] where too many wait already.
    pub async fn verify(&self, password: SecretString, against: PasswordHash) -> Result<bool, CommandError> {
        self.run(move || password::verify(&password, &against)).await
    }

    async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, CommandError> {
        let (tell, told) = oneshot::channel();
        let job = Box::new(move || {
            // Whoever asked may be gone by now.
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
