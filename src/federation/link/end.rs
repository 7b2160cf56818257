use crate::federation::frame::CloseReason;

/// Why a link ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::federation) enum LinkEnd {
    #[error("the other server ended it: {0}")]
    ClosedByPeer(CloseReason),
    #[error("ended here ({0:?})")]
    ClosedHere(CloseReason),
    #[error("the connection broke")]
    ConnectionLost,
    /// Nothing was received for [`LINK_DEAD`](crate::limits::LINK_DEAD).
    #[error("nothing was received from the other server for too long")]
    Unresponsive,
    /// A newer link to the same server is in use.
    #[error("another link has taken its place")]
    Replaced,
}
