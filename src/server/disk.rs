//! The free space of the disk: below the reserve only what takes no more room is done.

use std::path::PathBuf;
use std::sync::Arc;

use tracing::{info, warn};

use crate::hub::Hub;
use crate::limits::DISK_WATCH;
use crate::net::ServerContext;
use crate::store;

/// Watches the disk of the data directory.
pub(super) struct DiskWatch {
    data: PathBuf,
    /// In bytes.
    reserve: u64,
}

impl DiskWatch {
    pub(super) fn new(data: PathBuf, reserve: u64) -> Self {
        Self { data, reserve }
    }

    /// Tells the hub whether there is less free space than the reserve. A disk that cannot be asked has enough: it will
    /// tell when it is written.
    pub(super) fn check(&self, hub: &Hub) {
        let free = store::free_bytes(&self.data).unwrap_or(u64::MAX);
        let is_low = free < self.reserve;
        if !hub.set_disk_low(is_low) {
            return;
        }
        let megabytes = |bytes: u64| bytes / (1024 * 1024);
        if is_low {
            let (free, reserve) = (megabytes(free), megabytes(self.reserve));
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
                services.admission.bound_memory();
            }
        }
    }
}
