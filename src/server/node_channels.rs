//! The channels of a node: those that followers open while it leads, and the one that it opens to the leader.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::sleep;
use tracing::{debug, info, warn};

use crate::channel::{
    CarriedLink, ChannelEndpoint, ChannelError, FollowerEnd, LeaderEnd, Opened, open, serve_follower,
};
use crate::limits::{ACCEPT_RETRY, CHANNEL_RETRY, CHANNELS};

/// What the node's thread tells its channels.
pub(super) struct ChannelState {
    /// This node, while it leads.
    pub(super) leading: watch::Sender<Option<LeaderEnd>>,
    /// Where the leader is, while another node leads.
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

/// Serves the followers that open a channel while this node leads, and hands on the links that they carry.
pub(super) async fn accept(
    listener: TcpListener,
    endpoint: Arc<ChannelEndpoint>,
    leading: watch::Receiver<Option<LeaderEnd>>,
    links: mpsc::Sender<CarriedLink>,
) {
    let places = Arc::new(Semaphore::new(CHANNELS));
    loop {
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "a node's connection could not be accepted");
                sleep(ACCEPT_RETRY).await;
                continue;
            }
        };
        let leader = leading.borrow().clone();
        let (Some(leader), Ok(place)) = (leader, places.clone().try_acquire_owned()) else {
            debug!(%address, "a node's connection is closed: this node does not lead, or has too many");
            continue;
        };
        let (endpoint, links) = (endpoint.clone(), links.clone());
        tokio::spawn(async move {
            let _place = place;
            if let Err(problem) = serve(stream, &endpoint, leader, &links).await {
                info!(%address, %problem, "the channel of a follower is over");
            }
        });
    }
}

async fn serve(
    stream: TcpStream,
    endpoint: &ChannelEndpoint,
    leader: LeaderEnd,
    links: &mpsc::Sender<CarriedLink>,
) -> Result<(), ChannelError> {
    match open(endpoint.accept(stream).await?).await? {
        Some(Opened::Follower(follower)) => serve_follower(*follower, leader).await,
        Some(Opened::Link(link)) => {
            // It has a place of its own.
            if let Err(full) = links.try_send(link) {
                debug!(%full, "a carried link is closed");
            }
            Ok(())
        }
        None => Ok(()),
    }
}

/// Keeps a channel to whoever leads.
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
