//! The state of a node of a cluster, for monitoring.

use crate::hub::shared::Hub;

/// The state of a node of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeStatus {
    /// It decides for the cluster; otherwise it follows.
    pub(crate) leads: bool,
    /// How often it has begun to lead since its start.
    pub(crate) terms: u64,
    /// It has had no word from the cluster for too long, and answers nobody.
    pub(crate) is_cut_off: bool,
    /// To other nodes: those of the followers if it leads, that to the leader otherwise.
    pub(crate) channels: usize,
    /// Commands of its clients that wait for the leader.
    pub(crate) forwards: usize,
}

impl Hub {
    /// The state of this node; `None` if the server is on its own.
    pub(crate) fn node_status(&self) -> Option<NodeStatus> {
        let forwards = &self.0.forwards;
        self.is_of_cluster().then(|| NodeStatus {
            leads: !forwards.is_following(),
            terms: forwards.terms(),
            is_cut_off: self.is_cut_off(),
            channels: self.0.presence().elsewhere().channels(),
            forwards: forwards.waiting(),
        })
    }
}
