//! What an operator asks of a cluster: its beginning, its state, its nodes.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::cluster::{ClusterError, Leader, Member, SharedLog};
use crate::config::Config;
use crate::id::Seq;
use crate::identity::Identity;
use crate::limits::{FOLLOW_INTERVAL, REPORT_INTERVAL, SILENT_REPORTS, STEP_DOWN};
use crate::server::error::ServerError;
use crate::server::shared_log;
use crate::store::{BlockHash, Durability, LogPosition, ReplicaStore, SqliteStore, Store, StoreError};
use crate::time::Time;

/// Makes the store in a node's data directory the beginning of the shared log, and returns its newest entry.
///
/// # Errors
/// If there is no cluster in the configuration, the log was begun before, or the store is in use.
pub fn begin(config: &Config) -> Result<Seq, ServerError> {
    let (_runtime, log) = connect(config)?;
    let store = SqliteStore::open(&config.server.data, Durability::Sync)?;
    let known = store.position()?;
    if log.head().map_err(ClusterError::from)?.is_some_and(|head| Some(head) != known) {
        return Err(ClusterError::Begun.into());
    }
    // Different for each cluster, so that no node follows the log of another one. An earlier try may not have come to its end.
    let at =
        known.map_or_else(|| Ok(LogPosition { seq: store.load()?.head, hash: random_hash() }), Ok::<_, StoreError>)?;
    store.begin_replica(&at)?;
    Identity::open(&config.server.data)?;
    match log.begin(at).map_err(ClusterError::from)? {
        true => Ok(at.seq),
        false => Err(ClusterError::Begun.into()),
    }
}

fn random_hash() -> BlockHash {
    Sha256::digest(Uuid::new_v4()).into()
}

/// Makes the store in a node's data directory that of a server on its own. False if it was.
///
/// # Errors
/// If the store is in use, or cannot be written.
pub fn leave(config: &Config) -> Result<bool, ServerError> {
    Ok(SqliteStore::open(&config.server.data, config.server.durability)?.end_replica()?)
}

/// A cluster as its log has it.
pub struct ClusterStatus {
    /// The newest entry.
    pub head: Seq,
    pub leader: Option<Leader>,
    pub members: Vec<Member>,
    /// What the engine has in use.
    pub bytes: u64,
    /// What the engine says is wrong with it.
    pub alarms: Vec<&'static str>,
}

/// Asks the shared log how the cluster is.
///
/// # Errors
/// If there is no cluster in the configuration, or its log does not answer.
pub fn status(config: &Config) -> Result<ClusterStatus, ServerError> {
    let (_runtime, log) = connect(config)?;
    let ask = || {
        let head = log.head()?.ok_or(ClusterError::NotBegun)?.seq;
        Ok(ClusterStatus {
            head,
            leader: log.leader()?,
            members: log.members()?,
            bytes: log.size()?,
            alarms: log.alarms()?,
        })
    };
    ask().map_err(|error: ClusterError| error.into())
}

/// Takes a node out of the cluster's list, so that the log is cut without regard to it. Returns whether it was there.
///
/// # Errors
/// As [`status`].
pub fn remove(config: &Config, node: &str) -> Result<bool, ServerError> {
    let (_runtime, log) = connect(config)?;
    Ok(log.remove(node).map_err(ClusterError::from)?)
}

/// Has another node lead, without waiting for a lease to run out. Returns the node that led, and the one that leads then.
///
/// # Errors
/// As [`status`]; if there is no other node that lives, or none leads in time.
pub fn step_down(config: &Config) -> Result<(Box<str>, Box<str>), ServerError> {
    let (_runtime, log) = connect(config)?;
    let leader = log.leader().map_err(ClusterError::from)?.ok_or(ServerError::NobodyLeads)?;
    let members = log.members().map_err(ClusterError::from)?;
    if !members.iter().any(|member| member.node != leader.node && !member.channel.is_empty() && !is_silent(member)) {
        return Err(ServerError::NobodyElse(leader.node));
    }
    log.ask_to_resign(leader.term).map_err(ClusterError::from)?;
    let until = Instant::now() + STEP_DOWN;
    while Instant::now() < until {
        thread::sleep(FOLLOW_INTERVAL);
        if let Some(next) = log.leader().map_err(ClusterError::from)?.filter(|next| next.term != leader.term) {
            return if next.node == leader.node {
                Err(ServerError::NotResigned(leader.node))
            } else {
                Ok((leader.node, next.node))
            };
        }
    }
    Err(ServerError::NotResigned(leader.node))
}

/// Whether a member has not reported for so long that its node is likely to be away.
#[must_use]
pub fn is_silent(member: &Member) -> bool {
    Time::now().0.saturating_sub(member.reported.0) / 1000 > SILENT_REPORTS * REPORT_INTERVAL.as_secs()
}

/// The shared log of a configuration, for a command; the runtime has to be kept while it is used.
pub(super) fn connect(config: &Config) -> Result<(Runtime, Arc<dyn SharedLog>), ServerError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|source| ServerError::System { what: "threads", source })?;
    let log = {
        let _context = runtime.enter();
        shared_log::of(config)?
    };
    Ok((runtime, log.ok_or(ServerError::NoCluster)?))
}
