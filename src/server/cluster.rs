//! A node of a cluster: it stands by until it leads, and keeps that up while it serves.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task;
use tokio::time::sleep;
use tracing::{info, warn};
use uuid::Uuid;

use crate::cluster::{
    ClusterError, Keeper, Leader, LeaderStore, Leadership, LeadershipEnd, Member, NodeInfo, Patience, Progress,
    SharedLog, Standby, StandbyStep,
};
use crate::config::{self, Config, HostPort};
use crate::id::{PeerKey, Seq};
use crate::identity::Identity;
use crate::limits::{FOLLOW_INTERVAL, LEASE_RENEWALS};
use crate::server::channel::bind_channel;
use crate::server::error::ServerError;
use crate::server::{service_manager, shared_log};
use crate::store::{BlockHash, Durability, LogPosition, ReplicaStore, SqliteStore, Store, StoreError};
use crate::time::Time;

/// A node, with its own store and the shared log.
pub(super) struct Node {
    log: Arc<dyn SharedLog>,
    store: Arc<SqliteStore>,
    info: NodeInfo,
    patience: Duration,
    /// Bound before the node is reported as a member, so that its port is known.
    _channel: TcpListener,
}

/// A node that leads: its store, and what keeps its term up.
pub(super) struct Leading {
    pub(super) store: Box<dyn Store>,
    /// By which the leader before went.
    pub(super) paced: Time,
    pub(super) leadership: Arc<Leadership>,
    keeper: Arc<Mutex<Keeper>>,
}

impl Node {
    /// The node that a configuration describes; `None` if it describes a server on its own.
    pub(super) fn open(config: &Config) -> Result<Option<Self>, ServerError> {
        let Some(log) = shared_log::of(config)? else { return Ok(None) };
        // The shared log is on the disks of a quorum: a commit of the node's own store need not be synced.
        let store = Arc::new(SqliteStore::open(&config.server.data, Durability::Fast)?);
        let key = Identity::open(&config.server.data)?.key();
        let (channel, address) = bind_channel(&config.cluster)?;
        let info = info_of(&config.cluster, key, &address);
        Ok(Some(Self { log, store, info, patience: config.cluster.patience, _channel: channel }))
    }

    /// Follows the shared log until this node leads. To be cancelled only to end the process.
    pub(super) async fn stand_by(&self) -> Result<Leading, ServerError> {
        let mut standby = self.begin_standby().await?;
        info!(node = &*self.info.node, entry = standby.at().seq.0, "standing by: following the cluster's log");
        let mut is_reachable = true;
        loop {
            service_manager::alive();
            let (stepped, step) = blocking(move || {
                let step = standby.step(Instant::now);
                (standby, step)
            })
            .await?;
            standby = stepped;
            match step {
                Ok(StandbyStep::Leads(leadership)) => return Ok(self.lead(&standby, leadership)),
                Ok(StandbyStep::Followed) => {}
                Ok(StandbyStep::Waiting) => {
                    if !std::mem::replace(&mut is_reachable, true) {
                        info!("the cluster's log is reached again");
                    }
                    sleep(FOLLOW_INTERVAL).await;
                }
                Err(ClusterError::Unreachable(error)) => {
                    if std::mem::replace(&mut is_reachable, false) {
                        warn!(%error, "standing by: this is tried again");
                    }
                    sleep(FOLLOW_INTERVAL).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn begin_standby(&self) -> Result<Standby, ServerError> {
        let mut has_warned = false;
        loop {
            let (log, store, info) = (self.log.clone(), self.store.clone(), self.info.clone());
            match blocking(move || Standby::open(log, store, info)).await? {
                Err(ClusterError::Unreachable(error)) => {
                    if !std::mem::replace(&mut has_warned, true) {
                        warn!(%error, "this node cannot begin to follow the cluster's log; it is tried again");
                    }
                    sleep(FOLLOW_INTERVAL).await;
                }
                opened => return Ok(opened?),
            }
        }
    }

    fn lead(&self, standby: &Standby, leadership: Arc<Leadership>) -> Leading {
        let at = standby.at();
        info!(node = &*self.info.node, term = leadership.term().0, entry = at.seq.0, "leading the cluster");
        let progress = Arc::new(Progress::new(at));
        let how = (&*self.info.node, Patience::of(self.patience));
        let local: Arc<dyn ReplicaStore> = self.store.clone();
        let store = LeaderStore::new(self.log.clone(), local, leadership.clone(), how, progress.clone());
        let keeper = Keeper::new(self.log.clone(), leadership.clone(), self.info.clone(), progress);
        Leading { store: Box::new(store), paced: standby.paced(), leadership, keeper: Arc::new(Mutex::new(keeper)) }
    }

    /// Ends a term of this node at once, so that another one leads without waiting for the lease to run out.
    pub(super) async fn resign(&self, leadership: &Leadership) -> Result<(), ServerError> {
        leadership.finish(LeadershipEnd::Resigned);
        let (log, term) = (self.log.clone(), leadership.term());
        if let Err(error) = blocking(move || log.resign(term)).await? {
            warn!(%error, "this node could not end its term: another one leads when the lease has run out");
        }
        Ok(())
    }
}

impl Leading {
    /// Keeps the term up until it is over.
    pub(super) fn keep_up(&self, lease: Duration) -> impl Future<Output = ()> + use<> {
        let (leadership, keeper) = (self.leadership.clone(), self.keeper.clone());
        async move {
            while leadership.end().is_none() {
                let keeper = keeper.clone();
                let step = move || keeper.lock().unwrap_or_else(PoisonError::into_inner).step(Instant::now);
                if task::spawn_blocking(step).await.is_err() {
                    return;
                }
                tokio::select! {
                    _ = leadership.over() => {}
                    () = sleep(lease / LEASE_RENEWALS) => {}
                }
            }
        }
    }
}

fn info_of(cluster: &config::Cluster, key: PeerKey, channel: &HostPort) -> NodeInfo {
    NodeInfo {
        node: cluster.node.as_ref().map_or_else(Box::default, |node| node.as_str().into()),
        advertise: cluster.advertise.as_str().into(),
        channel: channel.to_string().into(),
        lease: cluster.lease,
        key,
    }
}

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

/// The shared log of a configuration, for a command; the runtime has to be kept while it is used.
fn connect(config: &Config) -> Result<(Runtime, Arc<dyn SharedLog>), ServerError> {
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

/// Calls the shared log, which blocks, off the threads that serve.
pub(super) async fn blocking<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> Result<T, ServerError> {
    task::spawn_blocking(call).await.map_err(|error| ServerError::System { what: "a thread", source: error.into() })
}
