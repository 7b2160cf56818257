//! The free space of the disk: below the reserve only what takes no more room is done.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tracing::{error, info, warn};

use crate::config::Config;
use crate::hub::Hub;
use crate::limits::DISK_WATCH;
use crate::net::ServerContext;
use crate::store;
use crate::time::Time;

/// Watches the disk of the data directory.
pub(super) struct DiskWatch {
    config: Arc<ArcSwap<Config>>,
}

impl DiskWatch {
    pub(super) fn new(config: Arc<ArcSwap<Config>>) -> Self {
        Self { config }
    }

    /// Tells the hub whether there is less free space than the reserve. A disk that cannot be asked has enough: it will
    /// tell when it is written.
    pub(super) fn check(&self, hub: &Hub) {
        if let Some(error) = hub.check_place() {
            error!(%error, "changes are refused");
        }
        let config = self.config.load();
        let reserve = config.server.disk_reserve;
        let free = store::free_bytes(&config.server.data).unwrap_or(u64::MAX);
        let is_low = free < reserve;
        if !hub.set_disk_low(is_low) {
            return;
        }
        let megabytes = |bytes: u64| bytes / (1024 * 1024);
        if is_low {
            let (free, reserve) = (megabytes(free), megabytes(reserve));
            warn!(free, reserve, "the disk is nearly full (in megabytes): only deletions and log-ins are taken");
        } else {
            info!(free = megabytes(free), "the disk has room again (in megabytes)");
        }
    }
}

/// Watches until the server stops.
pub(super) async fn keep_watching(services: Arc<ServerContext>, watch: DiskWatch) {
    let mut rounds = tokio::time::interval(DISK_WATCH);
    loop {
        tokio::select! {
            () = services.stopping.cancelled() => return,
            _ = rounds.tick() => {
                watch.check(&services.hub);
                Time::watch_clock();
                services.admission.bound_memory();
            }
        }
    }
}
