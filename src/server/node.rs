//! A node of a cluster: it has all of the log, and the channels to the other nodes. Its thread follows and leads.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::channel::{CarriedLink, ChannelEndpoint, FollowerEnd};
use crate::cluster::{ClusterError, Follower, NodeInfo, NodeStore, Patience, SharedLog};
use crate::config::{self, Config, HostPort};
use crate::hub::{Committer, Hub};
use crate::id::PeerKey;
use crate::identity::Identity;
use crate::limits::{CARRIED_LINKS, CHANNEL_EVENTS, FOLLOW_INTERVAL};
use crate::name::Name;
use crate::server::carried_links::Carrier;
use crate::server::channel::bind_channel;
use crate::server::error::ServerError;
use crate::server::node_channels::{self, ChannelState};
use crate::server::node_thread::{NodeRole, NodeThread};
use crate::server::{service_manager, shared_log};
use crate::store::{Durability, SqliteStore};

/// A node, with its own store and the shared log.
pub(super) struct Node {
    log: Arc<dyn SharedLog>,
    store: NodeStore,
    info: NodeInfo,
    home: Name,
    endpoint: ChannelEndpoint,
    /// Bound before the node is reported as a member, so that its port is known.
    listener: TcpListener,
}

/// A node whose thread runs.
pub(super) struct RunningNode {
    pub(super) hub: Hub,
    pub(super) role: watch::Receiver<NodeRole>,
    /// The way to whoever leads, for links to other servers that come here.
    pub(super) carrier: Carrier,
    /// Those that other nodes carry here.
    pub(super) links: mpsc::Receiver<CarriedLink>,
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
        // The shared log is on the disks of a quorum: a commit of the node's own store need not be synced.
        let local = Arc::new(SqliteStore::open(&config.server.data, Durability::Fast)?);
        let identity = Identity::open(&config.server.data)?;
        let (listener, address) = bind_channel(&config.cluster)?;
        let info = info_of(&config.cluster, identity.key(), &address);
        let store = NodeStore::new(log.clone(), local, &info.node, Patience::of(config.cluster.patience));
        let (home, endpoint) = (config.server.realm.clone(), ChannelEndpoint::new(&identity));
        Ok(Some(Self { log, store, info, home, endpoint, listener }))
    }

    /// Begins to follow the log, as soon as that answers, and runs the node's thread. To be cancelled only to end the process.
    pub(super) async fn run(self) -> Result<RunningNode, ServerError> {
        let follower = self.begin_to_follow().await?;
        info!(node = &*self.info.node, entry = follower.at().seq.0, "following the cluster's log");
        let (store, home) = (self.store.clone(), self.home.clone());
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
        tokio::spawn(node_channels::accept(self.listener, endpoint.clone(), channels.leading.subscribe(), links_to));
        tokio::spawn(node_channels::connect(end, endpoint, channels.leader.subscribe()));
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
        Ok(RunningNode { hub, role, carrier, links, thread, caught_up, failed })
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

fn info_of(cluster: &config::Cluster, key: PeerKey, channel: &HostPort) -> NodeInfo {
    NodeInfo {
        node: cluster.node.as_ref().map_or_else(Box::default, |node| node.as_str().into()),
        advertise: cluster.advertise.as_str().into(),
        channel: channel.to_string().into(),
        lease: cluster.lease,
        key,
    }
}

/// Calls the shared log, which blocks, off the threads that serve.
pub(super) async fn blocking<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> Result<T, ServerError> {
    task::spawn_blocking(call).await.map_err(|error| ServerError::System { what: "a thread", source: error.into() })
}
