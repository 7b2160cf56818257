//! A cluster: several nodes with one realm, each a full copy of one log, which an engine keeps on a quorum of its disks.
//!
//! One node leads, by a lease. It decides and applies as a single server does; its [`NodeStore`] appends each batch to the
//! [`SharedLog`] before it commits it to the node's own store. The other nodes follow: they apply the log to their own state
//! and store, serve their clients from these, and have the leader decide what is to change; one of them leads when the lease
//! ends. Safety needs no clock: an append names the block that it follows and the term of its node, and the engine takes it
//! only if both are current.
//!
//! Never here: rules, sockets of clients, clocks that safety depends on. Every call blocks.

mod block;
mod error;
#[cfg(feature = "etcd")]
mod etcd;
mod follower;
mod keeper;
mod leadership;
mod log_reader;
mod node_store;
mod shared_log;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod testing;

pub use error::ClusterError;
#[cfg(feature = "etcd")]
pub use etcd::{ClientTls, ConnectError, EtcdLog};
pub use follower::{Follower, FollowerStep, NodeInfo, Replica};
pub use keeper::Keeper;
pub use leadership::{Leadership, LeadershipEnd};
pub use log_reader::{Followed, check_position};
pub use node_store::{NodeStore, Patience};
pub use shared_log::{Appended, EncodedBlock, Following, Leader, Member, SharedLog, Term, Unreachable};
