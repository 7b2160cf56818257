//! Sends copies of this node's store to other nodes.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tracing::info;

use crate::channel::{ChannelError, CopyInProgress, FrameWriter, refuse_snapshot, send_snapshot};
use crate::config::Config;
use crate::limits::SNAPSHOTS;
use crate::store;

/// Sends snapshots of the store in a data directory, a few at a time.
pub(super) struct Snapshots {
    data: PathBuf,
    /// What must stay free on the disk.
    reserve: u64,
    places: Arc<Semaphore>,
}

impl Snapshots {
    pub(super) fn new(config: &Config) -> Self {
        let (data, reserve) = (config.server.data.clone(), config.server.disk_reserve);
        Self { data, reserve, places: Arc::new(Semaphore::new(SNAPSHOTS)) }
    }

    /// Sends a snapshot, or says why not.
    ///
    /// # Errors
    /// Why the other node has none.
    pub(super) async fn send(&self, to: FrameWriter) -> Result<(), ChannelError> {
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            return refuse_snapshot(to, "it is sending one to another node; it is tried again").await;
        };
        let place = Arc::new(place);
        info!("copying the store for another node");
        let bytes = send_snapshot(to, self.begin_copy(place.clone())).await?;
        info!(bytes, "another node has got a copy of the store");
        Ok(())
    }

    /// Copies on a thread of its own, for which a process that ends does not wait.
    fn begin_copy(&self, place: Arc<OwnedSemaphorePermit>) -> CopyInProgress {
        let (percent_to, percent) = watch::channel(0);
        let (done_to, done) = oneshot::channel();
        let (data, reserve) = (self.data.clone(), self.reserve);
        let copy = move || {
            let copied = store::copy_to_send(&data, reserve, &mut |progress| {
                percent_to.send_replace(progress.percent.unwrap_or(0));
            });
            let _the_other_node_is_gone_otherwise: Result<(), Result<File, Box<str>>> =
                done_to.send(copied.map_err(|error| error.to_string().into()));
            drop(place);
        };
        // If there is no thread, the other node is told that the copy was given up.
        let _spawned = std::thread::Builder::new().name("snapshot".into()).spawn(copy);
        CopyInProgress { percent, done }
    }
}
