//! Why a node cannot take part in its cluster.

use crate::cluster::shared_log::Unreachable;
use crate::id::Seq;
use crate::store::{CommitError, StoreError};

/// Why a node cannot take part in its cluster. All but [`ClusterError::Unreachable`] need an operator.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The shared log does not answer. It may later.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// No node has begun the shared log.
    #[error(
        "the cluster has no log yet: run kabar cluster init, with the configuration of the node whose data is to be kept"
    )]
    NotBegun,
    /// The shared log was begun before.
    #[error(
        "the cluster has a log already: let this node join it (kabar cluster invite on a node that runs, kabar cluster join here)"
    )]
    Begun,
    /// The store has records, and is no copy of the shared log.
    #[error(
        "the data directory holds data that is not of this cluster; choose an empty or a new one, and let the node join (kabar \
         cluster join)"
    )]
    NotACopy,
    /// The shared log was cut behind this node.
    #[error(
        "the cluster's log no longer has what follows entry {0}, where this node left off: start it again, and it takes a \
         snapshot of another node's store"
    )]
    Gone(Seq),
    /// The shared log is not the one that this node has followed: it forked, lost something, or was replaced.
    #[error(
        "the cluster's log is not the one that this node has followed up to entry {0}: the engine has lost or replaced \
         entries; nothing more is taken from it (docs/CLUSTER.md, \"When the engine is wrong\")"
    )]
    Diverged(Seq),
    /// A block of the shared log does not have the bytes that were appended.
    #[error("the cluster's log was altered at entry {0}; nothing more is taken from it (docs/CLUSTER.md)")]
    Altered(Seq),
    /// A block was written by a program that this one cannot read.
    #[error("this program ({}) cannot read entry {at} of the cluster's log, which node {node} wrote with version {version}: upgrade this node", env!("CARGO_PKG_VERSION"))]
    Unreadable {
        /// The last record of the block.
        at: Seq,
        /// The node that wrote it.
        node: Box<str>,
        /// Its version.
        version: Box<str>,
    },
    /// This node's key in links to other realms is not that of the cluster.
    #[error(
        "the file realm.key of this node's data directory is not that of the cluster's other nodes; let it join with an empty one \
         (kabar cluster join), or copy the file from one of them"
    )]
    OtherKey,
    /// This node's own store failed.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// This node's own store did not take what follows.
    #[error("{0}")]
    Commit(#[from] CommitError),
}
