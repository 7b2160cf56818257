//! Where a command ends in a batch of records, and what its records do not say.

use serde::{Deserialize, Serialize};

use crate::chat::model::session::SessionEnd;
use crate::id::Seq;

/// A command that another node of the cluster has forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ForwardId {
    /// The node's process, a random number: a node that restarts counts anew.
    pub process: u64,
    /// The process's number of the command.
    pub number: u64,
}

/// The records of one command in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandMark {
    /// Its last record.
    pub last: Seq,
    /// If it was forwarded.
    pub forward: Option<ForwardId>,
    /// Why the sessions ended that it ended.
    pub session_end: SessionEnd,
}
