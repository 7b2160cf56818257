//! A node of a cluster: it has all of the log, and the channels to the other nodes. Its thread follows and leads.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

use crate::channel::{CarriedLink, ChannelEndpoint, FollowerEnd};
use crate::cluster::{ClusterError, Follower, NodeInfo, NodeStore, Patience, SharedLog};
use crate::config::{self, Config};
use crate::hub::{Committer, Hub};
use crate::id::{PeerKey, Seq};
use crate::identity::Identity;
use crate::limits::{CARRIED_LINKS, CHANNEL_EVENTS, CHANNELS, FOLLOW_INTERVAL};
use crate::server::blocking::blocking;
use crate::server::carried_links::Carrier;
use crate::server::channel::bind_channel;
use crate::server::error::ServerError;
use crate::server::joins::Joins;
use crate::server::node_channels::{self, ChannelState, NodeServices};
use crate::server::node_thread::{NodeRole, NodeThread};
use crate::server::snapshot_fetch::SnapshotFetch;
use crate::server::snapshots::Snapshots;
use crate::server::{service_manager, shared_log, snapshot_log};
use crate::store::{Directory, Durability, ReceivedStore, SqliteStore, Store, StoreError};

/// A node, with its own store and the shared log.
pub(super) struct Node {
    config: Config,
    log: Arc<dyn SharedLog>,
    local: Arc<SqliteStore>,
    store: NodeStore,
    info: NodeInfo,
    endpoint: ChannelEndpoint,
    /// Bound before the node is reported as a member, so that its port is known.
    listener: TcpListener,
}

/// A node whose thread runs.
pub(super) struct RunningNode {
    pub(super) hub: Hub,
    pub(super) role: watch::Receiver<NodeRole>,
    /// The way to the leader, for links to other servers that come here.
    pub(super) carrier: Carrier,
    /// Those that other nodes carry here.
    pub(super) links: mpsc::Receiver<CarriedLink>,
    pub(super) joins: Arc<Joins>,
    /// Its channels, which end when this is dropped.
    pub(super) tasks: Vec<AbortOnDropHandle<()>>,
    pub(super) thread: JoinHandle<()>,
    /// Told when the node has all of the log for the first time.
    pub(super) caught_up: oneshot::Receiver<()>,
    /// Told why the thread ended, if not because the hub was closed.
    pub(super) failed: oneshot::Receiver<ServerError>,
}

impl Node {
    /// The node that a configuration describes; `None` if it describes a server on its own.
    pub(super) fn open(config: &Config) -> Result<Option<Self>, ServerError> {
        let Some(log) = shared_log::of(config)? else { return Ok(None) };
        let local = open_store(config)?;
        let identity = Identity::open(&config.server.data)?;
        let (listener, address) = bind_channel(&config.cluster)?;
        let info = info_of(&config.cluster, identity.key(), &address.to_string());
        let store = node_store(config, &log, &local, &info);
        let endpoint = ChannelEndpoint::new(&identity);
        Ok(Some(Self { config: config.clone(), log, local, store, info, endpoint, listener }))
    }

    /// Begins to follow the log, as soon as that answers, and runs the node's thread. To be cancelled only to end the process.
    pub(super) async fn run(mut self) -> Result<RunningNode, ServerError> {
        let follower = loop {
            match self.begin_to_follow().await {
                Err(ServerError::Cluster(ClusterError::Gone(at))) => self = self.take_snapshot(at).await?,
                begun => break begun?,
            }
        };
        info!(node = &*self.info.node, entry = follower.at().seq.0, "following the cluster's log");
        let (store, home) = (self.store.clone(), self.config.server.realm.clone());
        let (hub, committer) = blocking(move || Hub::open(Box::new(store), home)).await??;
        hub.follow();
        self.start(follower, hub, committer)
    }

    fn start(self, follower: Follower, hub: Hub, mut committer: Committer) -> Result<RunningNode, ServerError> {
        let (events_to, events) = sync_channel(CHANNEL_EVENTS);
        let (role_to, role) = watch::channel(NodeRole::Follows);
        let (newest_to, newest) = watch::channel(follower.at().seq);
        let (caught_up_to, caught_up) = oneshot::channel();
        let (failed_to, failed) = oneshot::channel();
        let channels = ChannelState::new();
        let end = FollowerEnd {
            hub: hub.clone(),
            node: self.info.node.clone(),
            newest,
            is_up: channels.is_up.clone(),
            events: events_to,
        };
        let endpoint = Arc::new(self.endpoint);
        let carrier = Carrier::new(endpoint.clone(), channels.leader.subscribe());
        let (links_to, links) = mpsc::channel(CARRIED_LINKS);
        let joins = Arc::new(Joins::new(&self.config, endpoint.key(), &self.info.channel)?);
        let services = NodeServices {
            endpoint: endpoint.clone(),
            leading: channels.leading.subscribe(),
            snapshots: Snapshots::new(&self.config),
            joins: joins.clone(),
            places: Semaphore::new(CHANNELS),
            links: links_to,
        };
        let accepting = tokio::spawn(node_channels::accept(self.listener, services));
        let connecting = tokio::spawn(node_channels::connect(end, endpoint, channels.leader.subscribe()));
        let tasks = [accepting, connecting].map(AbortOnDropHandle::new).into();
        committer.begin_turns();
        let thread = NodeThread {
            log: self.log,
            store: self.store,
            info: self.info,
            hub: hub.clone(),
            committer,
            events,
            channels,
            newest: newest_to,
            role: role_to,
            caught_up: Some(caught_up_to),
            runtime: Handle::current(),
        };
        let run = move || {
            if let Err(error) = thread.run(follower) {
                let _nobody_waits_at_a_stop = failed_to.send(error);
            }
        };
        let thread = std::thread::Builder::new().name("committer".into()).spawn(run);
        let thread = thread.map_err(|source| ServerError::System { what: "a thread", source })?;
        Ok(RunningNode { hub, role, carrier, links, joins, tasks, thread, caught_up, failed })
    }

    async fn begin_to_follow(&self) -> Result<Follower, ServerError> {
        let mut has_warned = false;
        loop {
            service_manager::alive();
            let (log, store, info) = (self.log.clone(), self.store.clone(), self.info.clone());
            match blocking(move || Follower::open(log, store, info)).await? {
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
}

impl Node {
    /// Replaces the store, whose place in the log was cut, by a snapshot of another node's.
    async fn take_snapshot(self, at: Seq) -> Result<Self, ServerError> {
        warn!(entry = at.0, "the log was cut behind this node: it takes a snapshot of another node's store");
        let fetch = SnapshotFetch {
            log: self.log.clone(),
            endpoint: &self.endpoint,
            info: &self.info,
            data: self.config.server.data.clone(),
            reserve: self.config.server.disk_reserve,
            at,
            has_store: true,
            progress: snapshot_log::logged(),
        };
        let received = fetch.fetch().await.map_err(|error| match error {
            ServerError::Store(StoreError::OtherHistory(_)) => ClusterError::Diverged(at).into(),
            other => other,
        })?;
        blocking(move || self.take_over(received)).await?
    }

    fn take_over(self, received: ReceivedStore) -> Result<Self, ServerError> {
        let Self { config, log, local, store, info, endpoint, listener } = self;
        let entry = received.position().seq.0;
        // All of the store must be in the file that is kept.
        local.close()?;
        drop((store, local));
        let directory = Directory::open(&config.server.data)?;
        let kept = received.replace(&directory)?;
        drop(directory);
        match kept {
            Some(kept) => {
                warn!(entry, kept = %kept.display(), "the store was replaced by a snapshot; the old one is kept")
            }
            None => info!(entry, "the store was begun by a snapshot"),
        }
        let local = open_store(&config)?;
        let store = node_store(&config, &log, &local, &info);
        Ok(Self { config, log, local, store, info, endpoint, listener })
    }
}

/// The shared log is on the disks of a quorum: a commit of the node's own store need not be synced.
fn open_store(config: &Config) -> Result<Arc<SqliteStore>, ServerError> {
    Ok(Arc::new(SqliteStore::open(&config.server.data, Durability::Fast)?))
}

fn node_store(config: &Config, log: &Arc<dyn SharedLog>, local: &Arc<SqliteStore>, info: &NodeInfo) -> NodeStore {
    NodeStore::new(log.clone(), local.clone(), &info.node, Patience::of(config.cluster.patience))
}

/// What others see of a node that they reach at `HOST:PORT`.
pub(super) fn info_of(cluster: &config::Cluster, key: PeerKey, channel: &str) -> NodeInfo {
    NodeInfo {
        node: cluster.node.as_ref().map_or_else(Box::default, |node| node.as_str().into()),
        advertise: cluster.advertise.as_str().into(),
        channel: channel.into(),
        lease: cluster.lease,
        key,
    }
}
