//! The channels of a node: those that others open, and the one that it opens to the leader.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::{debug, info, warn};

use crate::channel::{
    Accepted, CarriedLink, ChannelEndpoint, ChannelError, FollowerEnd, Greeting, LeaderEnd, NewFollower, read_greeting,
    serve_follower,
};
use crate::limits::{ACCEPT_RETRY, CHANNEL_HANDSHAKES, CHANNEL_HANDSHAKES_OF_ADDRESS, CHANNEL_RETRY};
use crate::log_limit::LogLimit;
use crate::net::origin;
use crate::server::joins::Joins;
use crate::server::places::{Place, Places};
use crate::server::snapshots::Snapshots;

/// What the node's thread tells its channels.
pub(super) struct ChannelState {
    /// This node, while it leads.
    pub(super) leading: watch::Sender<Option<LeaderEnd>>,
    /// The address of the leader, while another node leads.
    pub(super) leader: watch::Sender<Option<Box<str>>>,
    /// The leader sends its blocks.
    pub(super) is_up: Arc<AtomicBool>,
}

impl ChannelState {
    pub(super) fn new() -> Self {
        let (leading, leader) = (watch::channel(None).0, watch::channel(None).0);
        Self { leading, leader, is_up: Arc::default() }
    }
}

/// What a node answers connections with.
pub(super) struct NodeServices {
    pub(super) endpoint: Arc<ChannelEndpoint>,
    pub(super) leading: watch::Receiver<Option<LeaderEnd>>,
    pub(super) snapshots: Snapshots,
    pub(super) joins: Arc<Joins>,
    /// Of nodes that have shown the key.
    pub(super) places: Semaphore,
    /// Links that other nodes carry here.
    pub(super) links: mpsc::Sender<CarriedLink>,
}

/// Serves the nodes that connect: followers, while this node leads, those that carry links or need a snapshot, and guests.
/// All of them end when this is dropped.
pub(super) async fn accept(listener: TcpListener, services: NodeServices) {
    let (services, mut serving) = (Arc::new(services), JoinSet::new());
    let (handshakes, logged) =
        (Places::new(CHANNEL_HANDSHAKES, CHANNEL_HANDSHAKES_OF_ADDRESS), Arc::new(LogLimit::default()));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = serving.join_next() => continue,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "a node's connection could not be accepted");
                sleep(ACCEPT_RETRY).await;
                continue;
            }
        };
        let Some(handshake) = handshakes.enter(origin(address.ip())) else {
            debug!(%address, "a connection is closed: too many from there are in their handshake");
            continue;
        };
        let (services, logged) = (services.clone(), logged.clone());
        serving.spawn(async move {
            if let Err(problem) = services.serve(stream, address, handshake).await
                && let Some(left_out) = logged.allows(origin(address.ip()), Instant::now())
            {
                info!(%address, %problem, left_out, "a connection of another node, or to become one, is over");
            }
        });
    }
}

impl NodeServices {
    async fn serve(&self, stream: TcpStream, address: SocketAddr, handshake: Place) -> Result<(), ChannelError> {
        let accepted = self.endpoint.accept(stream).await?;
        // Before the key was shown nothing may take the places of nodes.
        drop(handshake);
        let channel = match accepted {
            Accepted::Node(channel) => channel,
            Accepted::Guest(channel) => return self.joins.answer(channel, address.ip()).await,
        };
        let Ok(_place) = self.places.try_acquire() else {
            debug!(%address, "a node's connection is closed: there are too many");
            return Ok(());
        };
        match read_greeting(channel).await? {
            Some(Greeting::Snapshot(to)) => self.snapshots.send(to).await,
            Some(Greeting::Follow(follower)) => self.follow(*follower, address).await,
            Some(Greeting::Link(link)) => {
                // It has a place of its own.
                if let Err(full) = self.links.try_send(link) {
                    debug!(%full, "a carried link is closed");
                }
                Ok(())
            }
            None => Ok(()),
        }
    }

    async fn follow(&self, follower: NewFollower, address: SocketAddr) -> Result<(), ChannelError> {
        let leader = self.leading.borrow().clone();
        let Some(leader) = leader else {
            debug!(%address, "a node's channel is closed: this node does not lead");
            return Ok(());
        };
        serve_follower(follower, leader).await
    }
}

/// Keeps a channel to the leader.
pub(super) async fn connect(
    mut end: FollowerEnd,
    endpoint: Arc<ChannelEndpoint>,
    mut leader: watch::Receiver<Option<Box<str>>>,
) {
    let mut told = None;
    loop {
        let Some(address) = leader.borrow_and_update().clone() else {
            if leader.changed().await.is_err() {
                return;
            }
            continue;
        };
        tokio::select! {
            followed = end.follow(&endpoint, &address) => {
                // Once for each leader: it is tried again until another one leads.
                if let Err(problem) = followed
                    && told.replace(address.clone()) != Some(address)
                {
                    info!(%problem, "there is no channel to the leader; it is tried again");
                }
            }
            changed = leader.changed() => if changed.is_err() { return },
        }
        sleep(CHANNEL_RETRY).await;
    }
}
