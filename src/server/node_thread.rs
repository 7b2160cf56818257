//! The thread of a node: it follows the log until the node leads, and commits until it leads no more.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::task;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

use crate::channel::{ChannelEvent, LeaderEnd};
use crate::cluster::{
    ClusterError, Followed, Follower, FollowerStep, Keeper, Leadership, LeadershipEnd, NodeInfo, NodeStore, Replica,
    SharedLog,
};
use crate::hub::{Committer, Hub};
use crate::id::Seq;
use crate::limits::{
    FOLLOW_INTERVAL, FOLLOW_INTERVAL_WITH_CHANNEL, FOLLOW_INTERVAL_WITHOUT_ENGINE, FOLLOWER_CURRENT, LEASE_RENEWALS,
    PUSH_TURN,
};
use crate::server::error::ServerError;
use crate::server::node_channels::ChannelState;
use crate::server::service_manager;
use crate::time::Time;

/// The role of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeRole {
    Follows,
    Leads,
}

/// What the thread works on.
pub(super) struct NodeThread {
    pub(super) log: Arc<dyn SharedLog>,
    pub(super) store: NodeStore,
    pub(super) info: NodeInfo,
    pub(super) hub: Hub,
    pub(super) committer: Committer,
    pub(super) events: Receiver<ChannelEvent>,
    pub(super) channels: ChannelState,
    /// The newest entry of the log that this node has.
    pub(super) newest: watch::Sender<Seq>,
    pub(super) role: watch::Sender<NodeRole>,
    /// Waits until this node has all of the log for the first time.
    pub(super) caught_up: Option<oneshot::Sender<()>>,
    pub(super) runtime: Handle,
}

/// Takes over the log into the hub.
struct HubReplica<'a> {
    committer: &'a mut Committer,
    newest: &'a watch::Sender<Seq>,
}

impl Replica for HubReplica<'_> {
    fn take_over(&mut self, followed: Followed) -> Result<(), ClusterError> {
        self.committer.take_over(followed.records, &followed.commands)?;
        self.newest.send_replace(followed.end.seq);
        Ok(())
    }
}

impl NodeThread {
    /// Follows and leads until the hub is closed.
    ///
    /// # Errors
    /// If this node cannot go on.
    pub(super) fn run(mut self, mut follower: Follower) -> Result<(), ServerError> {
        while let Some(leadership) = self.follow(&mut follower)? {
            self.lead(&follower, &leadership)?;
            if self.hub.is_closing() {
                break;
            }
            let Some(opened) = self.follow_again()? else { break };
            follower = opened;
            if leadership.is_asked_to_resign() {
                follower.yield_until(Instant::now() + self.info.lease);
            }
        }
        self.committer.close();
        Ok(())
    }

    /// Follows the log until this node leads; `None` if the hub was closed.
    fn follow(&mut self, follower: &mut Follower) -> Result<Option<Arc<Leadership>>, ServerError> {
        self.newest.send_replace(follower.at().seq);
        let mut is_reachable = true;
        while !self.hub.is_closing() {
            if self.caught_up.is_some() {
                service_manager::alive();
            }
            let begun = Instant::now();
            let mut replica = HubReplica { committer: &mut self.committer, newest: &self.newest };
            let step = follower.step(Instant::now, &mut replica);
            if !matches!(step, Err(ClusterError::Unreachable(_))) {
                self.hub.note_contact(begun + FOLLOWER_CURRENT);
                if !std::mem::replace(&mut is_reachable, true) {
                    info!("the cluster's log is reached again");
                }
            }
            match step {
                Ok(FollowerStep::Followed) => {}
                Ok(FollowerStep::Waiting(leader)) => {
                    self.tell_caught_up();
                    // An engine that does not answer says nothing against the leader, nor against the channel to it.
                    if let Ok(address) = follower.channel_of(&leader.node) {
                        self.channels
                            .leader
                            .send_if_modified(|known| std::mem::replace(known, address.clone()) != address);
                    }
                    self.wait(follower, FOLLOW_INTERVAL_WITH_CHANNEL)?;
                }
                Ok(FollowerStep::Leaderless) => self.wait(follower, FOLLOW_INTERVAL)?,
                Ok(FollowerStep::Leads(leadership)) => {
                    self.tell_caught_up();
                    return Ok(Some(leadership));
                }
                Err(ClusterError::Unreachable(error)) => {
                    if std::mem::replace(&mut is_reachable, false) {
                        warn!(%error, "following: this is tried again");
                    }
                    // The leader's blocks must not wait for an engine that does not answer this node.
                    self.wait(follower, FOLLOW_INTERVAL_WITHOUT_ENGINE)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    fn tell_caught_up(&mut self) {
        if let Some(caught_up) = self.caught_up.take() {
            let _the_process_ends_otherwise = caught_up.send(());
        }
    }

    /// Takes what the leader sends, until the log is to be looked at again: after an interval if there is a channel.
    fn wait(&mut self, follower: &mut Follower, with_channel: Duration) -> Result<(), ServerError> {
        let has_channel = self.channels.is_up.load(Ordering::Acquire);
        let until = Instant::now() + if has_channel { with_channel } else { FOLLOW_INTERVAL };
        loop {
            let is_busy = self.committer.rest(PUSH_TURN);
            let now = Instant::now();
            let patience = if is_busy { Duration::ZERO } else { until.saturating_duration_since(now) };
            match self.events.recv_timeout(patience) {
                Ok(ChannelEvent::Block(block)) => {
                    let mut replica = HubReplica { committer: &mut self.committer, newest: &self.newest };
                    let is_taken = follower.take_sent(&block, &mut replica).map_err(ServerError::from)?;
                    if !is_taken && block.end.seq > follower.at().seq {
                        return Ok(());
                    }
                }
                Ok(ChannelEvent::Answer) => {}
                Ok(ChannelEvent::Ended) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(patience),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if now >= until || self.hub.is_closing() {
                return Ok(());
            }
        }
    }

    /// Leads until the term is over, or the hub is closed and everything is stored.
    fn lead(&mut self, follower: &Follower, leadership: &Arc<Leadership>) -> Result<(), ServerError> {
        let (term, entry) = (leadership.term(), follower.at().seq.0);
        info!(node = &*self.info.node, term = term.0, entry, "leading the cluster");
        Time::set_pace(Time::now().paced().max(follower.paced()));
        self.store.lead(leadership.clone());
        self.hub.note_contact(leadership.holds_until());
        let keeping = AbortOnDropHandle::new(self.runtime.spawn(self.keep_up(leadership)));
        let end = LeaderEnd { hub: self.hub.clone(), store: self.store.clone(), leadership: leadership.clone() };
        self.channels.leader.send_replace(None);
        // Not before: what a follower forwards until then would be neither decided nor forwarded again in this term.
        let begun = || {
            self.channels.leading.send_replace(Some(end));
            self.role.send_replace(NodeRole::Leads);
        };
        self.committer.lead(begun, || leadership.end().is_some() || leadership.is_asked_to_resign());
        self.role.send_replace(NodeRole::Follows);
        self.channels.leading.send_replace(None);
        self.resign(leadership);
        drop(keeping);
        match leadership.end() {
            Some(LeadershipEnd::StoreFailed) => Err(ServerError::Replica),
            Some(LeadershipEnd::Resigned) => Ok(()),
            reason => {
                warn!(?reason, "this node leads no more: it follows");
                Ok(())
            }
        }
    }

    /// Keeps the term up until it is over.
    fn keep_up(&self, leadership: &Arc<Leadership>) -> impl Future<Output = ()> + use<> {
        let keeper = Keeper::new(self.log.clone(), leadership.clone(), self.info.clone(), self.store.clone());
        let (keeper, hub) = (Arc::new(Mutex::new(keeper)), self.hub.clone());
        let (leadership, lease) = (leadership.clone(), self.info.lease);
        async move {
            while leadership.end().is_none() {
                let keeper = keeper.clone();
                let step = move || keeper.lock().unwrap_or_else(PoisonError::into_inner).step(Instant::now);
                if task::spawn_blocking(step).await.is_err() {
                    return;
                }
                hub.note_contact(leadership.holds_until());
                tokio::select! {
                    _ = leadership.over() => {}
                    () = sleep(lease / LEASE_RENEWALS) => {}
                }
            }
        }
    }

    /// Ends the term at once, so that another node leads without waiting for the lease to run out.
    fn resign(&self, leadership: &Leadership) {
        leadership.finish(LeadershipEnd::Resigned);
        if let Err(error) = self.log.resign(leadership.term()) {
            warn!(%error, "this node could not end its term: another one leads when the lease has run out");
        }
    }

    /// Follows from where the node's own store is; `None` if the hub is closed meanwhile.
    fn follow_again(&mut self) -> Result<Option<Follower>, ServerError> {
        while !self.hub.is_closing() {
            match Follower::open(self.log.clone(), self.store.clone(), self.info.clone()) {
                Err(ClusterError::Unreachable(_)) => {
                    self.committer.rest(PUSH_TURN);
                    std::thread::sleep(FOLLOW_INTERVAL);
                }
                opened => return Ok(Some(opened?)),
            }
        }
        Ok(None)
    }
}
