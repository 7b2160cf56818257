//! What a node forwards to the leader of the cluster, and how that answers.

use serde::{Deserialize, Serialize};

use crate::chat::{Command, CommandError, IdempotencyKey, ReadPage, Receipt};
use crate::id::{Seq, SessionId, UserId};

/// A command on its way to the leader, with what only the node knows to which it came.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ForwardedCommand {
    /// Counted by the node's process.
    pub number: u64,
    /// The acting user and session.
    pub user: Option<UserId>,
    pub session: Option<SessionId>,
    pub recipient_online: Option<bool>,
    pub key: Option<IdempotencyKey>,
    pub page: Option<ReadPage>,
    pub command: Command,
}

/// The leader's answer to a command that changed nothing. The node may tell it once it has the log up to `at`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ForwardAnswer {
    pub number: u64,
    pub outcome: UnchangedOutcome,
    pub at: Seq,
}

/// Why a command changed nothing.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum UnchangedOutcome {
    Failed(CommandError),
    /// There was nothing to change.
    Unchanged(Receipt),
    /// It was done before under its tag.
    DoneBefore,
    /// It came again in the same term: either the log has it, or it changed nothing.
    Repeated,
}
