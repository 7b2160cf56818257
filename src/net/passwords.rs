//! Password hashing on threads of its own, in turn by address (PROTOCOL §2).

mod fair_queue;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::thread;

use secrecy::SecretString;
use tokio::sync::oneshot;

use crate::chat::{CommandError, PasswordHash};
use crate::id::Hash64;
#[cfg(target_os = "linux")]
use crate::limits::HASHING_NICENESS;
use crate::net::origin::origin;
use crate::net::passwords::fair_queue::FairQueue;
use crate::password;

type Job = Box<dyn FnOnce() + Send>;

/// A pool of hashing threads, which give way to all others of the process, and end when it is dropped. Each keeps the 19 MiB of a hash once it has allocated them, so
/// there must not be many.
pub struct PasswordHasher {
    jobs: Arc<FairQueue<Job>>,
}

impl PasswordHasher {
    /// Starts `at_once` threads.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub(crate) fn new(at_once: usize) -> io::Result<Self> {
        let jobs = Arc::new(FairQueue::default());
        for _ in 0..at_once {
            let jobs = jobs.clone();
            thread::Builder::new().name("passwords".into()).spawn(move || work(&jobs))?;
        }
        Ok(Self { jobs })
    }

    /// Hashes a new password for somebody at an address.
    ///
    /// # Errors
    /// [`CommandError::Busy`] if too many wait already, or the system gave no randomness.
    pub(crate) async fn hash(&self, address: IpAddr, password: SecretString) -> Result<PasswordHash, CommandError> {
        self.run(address, move || password::hash(&password)).await?.map_err(|_| CommandError::Busy)
    }

    /// A digest of the secrets of a tagged request of somebody at an address.
    ///
    /// # Errors
    /// [`CommandError::Busy`] if too many wait already.
    pub(crate) async fn digest(
        &self,
        address: IpAddr,
        secrets: SecretString,
        salt: Hash64,
    ) -> Result<Hash64, CommandError> {
        self.run(address, move || password::digest(&secrets, salt)).await?.map_err(|_| CommandError::Busy)
    }

    /// Whether the password, given by somebody at an address, is the one that was hashed.
    ///
    /// # Errors
    /// [`CommandError::Busy`] if too many wait already.
    pub(crate) async fn verify(
        &self,
        address: IpAddr,
        password: SecretString,
        against: PasswordHash,
    ) -> Result<bool, CommandError> {
        self.run(address, move || password::verify(&password, &against)).await
    }

    /// How many passwords wait for a core.
    pub(crate) fn waiting(&self) -> usize {
        self.jobs.len()
    }

    async fn run<T: Send + 'static>(
        &self,
        address: IpAddr,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CommandError> {
        let (tell, told) = oneshot::channel();
        let job = Box::new(move || {
            // For a connection that is gone nothing is hashed.
            if !tell.is_closed() {
                let _nobody_listens = tell.send(job());
            }
        });
        self.jobs.push(origin(address), job);
        // A job that had to make room for others was dropped, and its sender with it.
        told.await.map_err(|_| CommandError::Busy)
    }
}

impl Drop for PasswordHasher {
    fn drop(&mut self) {
        self.jobs.close();
    }
}

fn work(jobs: &FairQueue<Job>) {
    // Of this thread only. Where it is not allowed, the server is as it was.
    #[cfg(target_os = "linux")]
    let _lowered = rustix::process::nice(HASHING_NICENESS);
    while let Some(job) = jobs.pop() {
        job();
    }
}
