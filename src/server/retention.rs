//! Retention in the background: a sweep at the start and every [`RETENTION_ROUND`], in small steps.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::task;
use tracing::{info, warn};

use crate::config::{Config, Retention};
use crate::limits::{RETENTION_PAUSE, RETENTION_ROUND};
use crate::net::ServerContext;
use crate::server::paced_clock::PacedClock;
use crate::store::{Rules, StoreError, Sweep, Swept};
use crate::time::Time;

/// Sweeps until the server stops, while the configuration limits what is kept.
pub(super) async fn keep_running(services: Arc<ServerContext>, config: Arc<ArcSwap<Config>>, mut clock: PacedClock) {
    let mut rounds = tokio::time::interval(RETENTION_ROUND);
    let mut sweep = Sweep::default();
    loop {
        tokio::select! {
            () = services.stopping.cancelled() => return,
            _ = rounds.tick() => {}
        }
        let retention = &config.load_full().retention;
        let time = clock.round(Time::now(), retention.confirm);
        if retention.max_age.is_none() && retention.max_messages.is_none() {
            continue;
        }
        sweep.begin(rules(retention, time));
        sweep = go_through(&services, sweep).await;
        if retention.delete_unread {
            // Messages that count as unread may be gone.
            services.hub.recount_unread();
        }
    }
}

fn rules(retention: &Retention, now: Time) -> Rules {
    let before = |age: std::time::Duration| Time(now.0.saturating_sub(age.as_millis().try_into().unwrap_or(u64::MAX)));
    Rules { before: retention.max_age.map(before), newest: retention.max_messages, unread: retention.delete_unread }
}

/// Brings a sweep to its end, or to that of the server; one that fails is tried again in the next round.
async fn go_through(services: &Arc<ServerContext>, mut sweep: Sweep) -> Sweep {
    while !services.stopping.is_cancelled() {
        let swept;
        (sweep, swept) = step(services.clone(), sweep).await;
        match swept {
            Ok(Swept::Partly) => {}
            Ok(Swept::Wholly(0)) => break,
            Ok(Swept::Wholly(messages)) => {
                info!(messages, "retention removed old messages");
                break;
            }
            Err(error) => {
                warn!(%error, "retention could not remove old messages; it is tried again later");
                break;
            }
        }
        tokio::time::sleep(RETENTION_PAUSE).await;
    }
    sweep
}

/// On a thread that may wait for the disk. A step that panicked leaves the store whole, and the next sweep looks again.
async fn step(services: Arc<ServerContext>, mut sweep: Sweep) -> (Sweep, Result<Swept, StoreError>) {
    let stepped = task::spawn_blocking(move || {
        let swept = services.hub.sweep(&mut sweep);
        (sweep, swept)
    });
    stepped.await.unwrap_or_else(|_| (Sweep::default(), Ok(Swept::Wholly(0))))
}
