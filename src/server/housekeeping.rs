//! Periodic jobs of a running server.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::runtime::Handle;
use tokio::task;

use crate::chat::{BanTarget, Command, Session, State};
use crate::config::Config;
use crate::id::{SessionId, UserId};
use crate::limits::{EPHEMERAL_IDLE, EXPIRED_PER_ROUND, HOUSEKEEPING, PRESENCE_PERIOD, RECOUNT, WEBSOCKET_PING};
use crate::net::ServerContext;
use crate::server::disk::{self, DiskWatch};
use crate::server::error::ServerError;
use crate::server::paced_clock::PacedClock;
use crate::server::{retention, service_manager};
use crate::time::Time;
use crate::web::Monitor;

/// Begins the work that recurs until the server stops, on a thread of its own: while any timer runs, the threads that serve
/// traffic would set one each time they wait for it.
pub(super) fn start(
    services: &Arc<ServerContext>,
    config: &Arc<ArcSwap<Config>>,
    disk: DiskWatch,
    monitor: &Arc<Monitor>,
    clock: PacedClock,
) -> Result<(), ServerError> {
    let threads = |source| ServerError::System { what: "threads", source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(threads)?;
    let retaining = retention::keep_running(services.clone(), config.clone(), clock);
    let (closing, pinging) = (close_expired(services.clone()), ping_web_sockets(services.clone()));
    let watching = disk::keep_watching(services.clone(), disk);
    let notifying = service_manager::keep_watchdog(services.clone(), monitor.clone(), Handle::current());
    let (counting, telling) = (count_unread(services.clone()), tell_presence(services.clone()));
    let recurring = async { tokio::join!(closing, pinging, retaining, watching, notifying, counting, telling) };
    let recurring = services.tasks.track_future(recurring);
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

/// Tells the watchers of presence the states of users who come and go often.
async fn tell_presence(services: Arc<ServerContext>) {
    let mut rounds = tokio::time::interval(PRESENCE_PERIOD);
    loop {
        tokio::select! {
            () = services.stopping.cancelled() => return,
            _ = rounds.tick() => services.hub.begin_presence_period(),
        }
    }
}

/// Counts what was unread before the start in inboxes that somebody sends to.
async fn count_unread(services: Arc<ServerContext>) {
    let mut rounds = tokio::time::interval(RECOUNT);
    loop {
        tokio::select! {
            () = services.stopping.cancelled() => return,
            _ = rounds.tick() => {}
        }
        let hub = services.hub.clone();
        // On a thread that may wait for the disk. If it panicked, the next round counts the others.
        let _counted = task::spawn_blocking(move || hub.count_unread()).await;
    }
}

/// Closes sessions that were not used for too long.
async fn close_expired(services: Arc<ServerContext>) {
    let mut rounds = tokio::time::interval(HOUSEKEEPING);
    loop {
        tokio::select! {
            () = services.stopping.cancelled() => return,
            _ = rounds.tick() => {
                close_expired_sessions(&services);
                remove_expired_bans(&services);
            }
        }
    }
}

/// One that a connection is attached to is in use, also if its client only listens: its use is recorded in good time.
fn close_expired_sessions(services: &ServerContext) {
    let (now, idle) = (Time::now(), services.policy.load().session_idle);
    // Not all at once because a clock is wrong.
    let paced = now.paced();
    // A node cannot know which sessions of others should have ended with their connections, but those tell it if they have not.
    let is_of_cluster = services.hub.is_of_cluster();
    let idle_of = |session: &Session| {
        if is_of_cluster && session.ephemeral { EPHEMERAL_IDLE.min(idle) } else { idle }
    };
    let unused = |state: &State| -> Vec<(SessionId, UserId, bool)> {
        let unused = state.sessions().filter(|(_, session)| now.since(session.used) >= idle_of(session) / 2);
        unused.map(|(id, session)| (id, session.user, paced.since(session.used) >= idle_of(session))).collect()
    };
    let leads = !services.hub.is_following();
    let outcome = |(session, user, is_expired): (SessionId, UserId, bool)| {
        let is_connected = services.hub.is_connected(user, session);
        let close = (is_expired && leads).then_some(Command::CloseSession { session });
        if is_connected { Some(Command::TouchSession { session }) } else { close }
    };
    let outcomes = services.hub.read(unused).0.into_iter().filter_map(outcome).take(EXPIRED_PER_ROUND);
    outcomes.for_each(|outcome| drop(services.hub.execute_as_server(&outcome)));
}

/// Removes bans and invites that are over. They have no effect any more.
fn remove_expired_bans(services: &ServerContext) {
    if services.hub.is_following() {
        return;
    }
    let paced = Time::now().paced();
    let over = |state: &State| -> Vec<Command> {
        let bans = state.bans().iter().filter(|(_, ban)| ban.is_over(paced));
        let bans = bans.map(|(target, _)| Command::LiftBan { target: *target });
        let invites = state.invites().filter(|(_, invite)| invite.until <= paced);
        bans.chain(invites.map(|(invite, _)| Command::RevokeInvite { invite })).take(EXPIRED_PER_ROUND).collect()
    };
    for command in services.hub.read(over).0 {
        services.hub.execute_as_server(&command);
        if let Command::LiftBan { target: BanTarget::Realm(realm) } = command {
            services.federation.manager.reconsider(realm);
        }
    }
}
