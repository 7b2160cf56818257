use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::federation::link::end::LinkEnd;

/// Controls a running link from outside of its task. Clones control the same link.
#[derive(Clone)]
pub(in crate::federation) struct LinkHandle {
    /// This server dialled.
    pub(in crate::federation) is_dialler: bool,
    ended: CancellationToken,
    end: Arc<OnceLock<LinkEnd>>,
    ping_requested: Arc<Notify>,
    frame_received: Arc<Notify>,
}

impl LinkHandle {
    pub(in crate::federation) fn new(is_dialler: bool) -> Self {
        Self {
            is_dialler,
            ended: CancellationToken::new(),
            end: Arc::default(),
            ping_requested: Arc::default(),
            frame_received: Arc::default(),
        }
    }

    pub(in crate::federation) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.end, &other.end)
    }

    pub(in crate::federation) fn end(&self, end: LinkEnd) {
        let _first_end_counts = self.end.set(end);
        self.ended.cancel();
    }

    /// Pings the other server, and returns whether it sent anything within this time and the link is still up.
    pub(in crate::federation) async fn is_alive_within(&self, time: Duration) -> bool {
        let received = self.frame_received.notified();
        self.ping_requested.notify_one();
        timeout(time, received).await.is_ok() && !self.ended.is_cancelled()
    }

    /// Waits until [`LinkHandle::end`] is called.
    pub(super) async fn ended(&self) -> Option<LinkEnd> {
        self.ended.cancelled().await;
        self.end.get().copied()
    }

    pub(super) async fn ping_requested(&self) {
        self.ping_requested.notified().await;
    }

    pub(super) fn record_received(&self) {
        self.frame_received.notify_waiters();
    }
}
