//! What is done now and then while the server runs.

use std::sync::Arc;

use crate::chat::{Command, State};
use crate::config::Retention;
use crate::id::SessionId;
use crate::limits::{EXPIRED_PER_ROUND, HOUSEKEEPING, WEBSOCKET_PING};
use crate::net::ServerContext;
use crate::server::disk::{self, DiskWatch};
use crate::server::error::ServerError;
use crate::server::retention;
use crate::time::Time;

/// Begins the work that recurs until the server stops, on a thread of its own: while any timer runs, the threads that serve
/// traffic would set one each time they wait for it.
pub(super) fn start(services: &Arc<ServerContext>, retention: &Retention, disk: DiskWatch) -> Result<(), ServerError> {
    let threads = |source| ServerError::System { what: "threads", source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(threads)?;
    let retaining = retention::keep_running(services.clone(), retention.clone());
    let (closing, pinging) = (close_expired(services.clone()), ping_web_sockets(services.clone()));
    let watching = disk::keep_watching(services.clone(), disk);
    let recurring = services.tasks.track_future(async { tokio::join!(closing, pinging, retaining, watching) });
    let keep = move || {
        runtime.block_on(recurring);
    };
    std::thread::Builder::new().name("housekeeping".into()).spawn(keep).map_err(threads)?;
    Ok(())
}

/// Keeps idle WebSockets open.
async fn ping_web_sockets(services: Arc<ServerContext>) {
    let mut rounds = tokio::time::interval(WEBSOCKET_PING);
    loop {
        tokio::select! {
            () = services.stopping.cancelled() => return,
            _ = rounds.tick() => services.admission.keep_alive(),
        }
    }
}

/// Closes sessions that were not used for too long.
async fn close_expired(services: Arc<ServerContext>) {
    let mut rounds = tokio::time::interval(HOUSEKEEPING);
    loop {
        tokio::select! {
            () = services.stopping.cancelled() => return,
            _ = rounds.tick() => close_expired_sessions(&services),
        }
    }
}

fn close_expired_sessions(services: &ServerContext) {
    let now = Time::now();
    let expired = |state: &State| -> Vec<SessionId> {
        let unused = state.sessions().filter(|(_, session)| now.since(session.used) >= services.policy.session_idle);
        unused.take(EXPIRED_PER_ROUND).map(|(id, _)| id).collect()
    };
    for session in services.hub.read(expired).0 {
        services.hub.execute_as_server(&Command::CloseSession { session });
    }
}
