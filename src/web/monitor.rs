//! Whether the server lives, and whether it is ready: for service managers, load balancers and `kabar health`.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, sleep};

use crate::chat::CommandError;
use crate::limits::{COMMIT_WITHIN, LOCK_PROBE, LOCK_WITHIN};
use crate::net::ServerContext;

/// The state that the monitoring listener reports. It exists before the store is open, and until the end.
pub(crate) struct Monitor {
    /// The data directory.
    pub(super) data: PathBuf,
    /// When this process started, in seconds since 1970.
    pub(super) started: f64,
    phase: Mutex<Phase>,
}

#[derive(Clone)]
enum Phase {
    Starting,
    /// This node of a cluster does not have all of the log yet.
    CatchingUp,
    Serving(Arc<ServerContext>),
    Stopping(Arc<ServerContext>),
}

/// Why the server is not what was asked for.
pub(crate) type Problem = Cow<'static, str>;

impl Monitor {
    pub(crate) fn new(data: PathBuf) -> Self {
        let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        Self { data, started, phase: Mutex::new(Phase::Starting) }
    }

    /// This node of a cluster serves when it has all of the log.
    pub(crate) fn set_catching_up(&self) {
        self.set(Phase::CatchingUp);
    }

    /// The server accepts connections from now on.
    pub(crate) fn set_serving(&self, context: &Arc<ServerContext>) {
        self.set(Phase::Serving(context.clone()));
    }

    /// The server accepts no more connections.
    pub(crate) fn set_stopping(&self, context: &Arc<ServerContext>) {
        self.set(Phase::Stopping(context.clone()));
    }

    fn set(&self, phase: Phase) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = phase;
    }

    fn phase(&self) -> Phase {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The server, if it has been started.
    pub(super) fn context(&self) -> Option<Arc<ServerContext>> {
        match self.phase() {
            Phase::Starting | Phase::CatchingUp => None,
            Phase::Serving(context) | Phase::Stopping(context) => Some(context),
        }
    }

    /// Whether clients can do everything.
    ///
    /// # Errors
    /// Why they cannot.
    pub(crate) async fn readiness(&self) -> Result<(), Problem> {
        match self.phase() {
            Phase::Starting => Err("starting: the store is being opened".into()),
            Phase::CatchingUp => Err("catching up with the cluster's log".into()),
            Phase::Stopping(_) => Err("stopping".into()),
            Phase::Serving(context) if context.hub.is_cut_off() => Err("the cluster cannot be reached".into()),
            Phase::Serving(context) => match context.hub.refusing() {
                Some(error) => Err(refusal(error).into()),
                None => liveness(context, COMMIT_WITHIN).await,
            },
        }
    }

    /// Whether the server gets on with its work: a restart would help if not. `patience` is the longest that a commit may take.
    ///
    /// # Errors
    /// The parts that are stuck.
    pub(crate) async fn liveness(&self, patience: Duration) -> Result<(), Problem> {
        match self.context() {
            Some(context) => liveness(context, patience).await,
            None => Ok(()),
        }
    }
}

fn refusal(error: CommandError) -> &'static str {
    match error {
        CommandError::StorageFailed => "the disk refuses writes: changes are refused, and it is tried again",
        CommandError::UnknownOutcome => "a write failed half-way: changes are refused until a restart",
        CommandError::DiskReserve => "the disk is nearly full: only deletions, log-ins and reading are possible",
        _ => "changes are refused",
    }
}

/// Whether the lock of the state can be had, as every request needs it, and the committer gets on. Occupies no thread.
async fn liveness(context: Arc<ServerContext>, patience: Duration) -> Result<(), Problem> {
    let stuck = context.hub.commit_metrics().since_last_step();
    // A server that has stopped has no committer any more.
    if stuck > patience && !context.stopping.is_cancelled() {
        return Err(format!("a commit has taken {} s so far", stuck.as_secs()).into());
    }
    let deadline = Instant::now() + LOCK_WITHIN;
    while !context.hub.is_unlocked() {
        if Instant::now() >= deadline {
            return Err("the lock of the state is held all the time".into());
        }
        sleep(LOCK_PROBE).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_starts_lives_and_is_not_ready() {
        let monitor = Monitor::new("data".into());
        assert_eq!(monitor.liveness(COMMIT_WITHIN).await, Ok(()));
        assert_eq!(monitor.readiness().await, Err("starting: the store is being opened".into()));
    }
}
