//! This server, as handshakes and links need it.

use arc_swap::ArcSwap;
use tokio_util::sync::CancellationToken;

use crate::federation::policy::LinkPolicy;
use crate::hub::Hub;
use crate::id::PeerKey;

pub(super) struct LocalServer {
    pub(super) hub: Hub,
    pub(super) key: PeerKey,
    pub(super) policy: ArcSwap<LinkPolicy>,
    /// Cancelled when the server stops.
    pub(super) stopping: CancellationToken,
}
