//! Reports to a service manager such as systemd (sd_notify(3)), if there is one.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::runtime::Handle;
use tracing::{error, warn};

use crate::limits::COMMIT_WITHIN;
use crate::net::ServerContext;
use crate::web::Monitor;

/// The server serves, for the first time or after a reload.
pub(super) fn ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The configuration is being read again. [`ready`] ends that.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(_) => notify(&[NotifyState::Reloading]),
    }
}

/// A node that catches up with the log gets on: tells the service manager's watchdog, if there is one.
pub(super) fn alive() {
    if sd_notify::watchdog_enabled().is_some() {
        notify(&[NotifyState::Watchdog]);
    }
}

pub(super) fn stopping() {
    notify(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn!(%error, "the service manager cannot be told how the server is doing");
    }
}

/// Tells the service manager again and again that the server gets on, until it stops. A server that does not is to be ended
/// and started again: so each time a thread that serves traffic looks at the lock of the state and at the committer.
pub(super) async fn keep_watchdog(services: Arc<ServerContext>, monitor: Arc<Monitor>, serving: Handle) {
    let Some(patience) = sd_notify::watchdog_enabled() else { return };
    let longest = patience.min(COMMIT_WITHIN);
    let mut rounds = tokio::time::interval(interval(patience));
    loop {
        tokio::select! {
            () = services.stopping.cancelled() => return,
            _ = rounds.tick() => {}
        }
        let monitor = monitor.clone();
        match serving.spawn(async move { monitor.liveness(longest).await }).await {
            Ok(Ok(())) => notify(&[NotifyState::Watchdog]),
            Ok(Err(problem)) => error!(%problem, "the server is stuck: its service manager may end it"),
            // The runtime ends.
            Err(_) => return,
        }
    }
}

/// Often enough that one late round does no harm.
fn interval(patience: Duration) -> Duration {
    patience / 3
}
