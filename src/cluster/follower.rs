//! A node that follows: it takes over what is new in the shared log, and leads as soon as nobody does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::debug;

use crate::cluster::error::ClusterError;
use crate::cluster::leadership::Leadership;
use crate::cluster::log_reader::{Followed, LogReader};
use crate::cluster::node_store::NodeStore;
use crate::cluster::shared_log::{EncodedBlock, Leader, Member, SharedLog, Unreachable};
use crate::id::{PeerKey, Seq};
use crate::limits::REPORT_INTERVAL;
use crate::store::LogPosition;
use crate::time::Time;

/// A node's name in its cluster, and where it is reached.
#[derive(Clone, Debug)]
pub struct NodeInfo {
    pub node: Box<str>,
    /// Its address for clients.
    pub advertise: Box<str>,
    /// Its address for other nodes, as `HOST:PORT`.
    pub channel: Box<str>,
    pub lease: Duration,
    /// By which other realms know this one.
    pub key: PeerKey,
}

impl NodeInfo {
    /// The node as the others see it.
    #[must_use]
    pub fn member(&self, synced: Seq, paced: Time) -> Member {
        Member {
            node: self.node.clone(),
            advertise: self.advertise.clone(),
            channel: self.channel.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            key: self.key,
            synced,
            reported: Time::now(),
            paced,
        }
    }
}

/// The result of a step.
pub enum FollowerStep {
    /// It took over blocks; there may be more.
    Followed,
    /// It has all of the log, and another node leads.
    Waiting(Leader),
    /// It has all of the log, and nobody leads.
    Leaderless,
    /// It has all of the log, and leads.
    Leads(Arc<Leadership>),
}

/// Takes over what was read of the shared log: into the store, and into whatever is made of it.
pub trait Replica {
    /// # Errors
    /// If the node's own store does not take it.
    fn take_over(&mut self, followed: Followed) -> Result<(), ClusterError>;
}

/// A node that follows.
pub struct Follower {
    log: Arc<dyn SharedLog>,
    store: NodeStore,
    reader: LogReader,
    info: NodeInfo,
    /// When the others were last told how far this node is.
    reported: Option<Instant>,
    paced: Time,
    /// Until then it leaves the lead to others.
    yields_until: Option<Instant>,
}

impl Follower {
    /// # Errors
    /// If the store is not a copy of this log, the node has another key, or the log cannot be read.
    pub fn open(log: Arc<dyn SharedLog>, store: NodeStore, info: NodeInfo) -> Result<Self, ClusterError> {
        let reader = LogReader::open(log.clone(), &*store.local())?;
        store.follow(reader.at())?;
        // Other realms would take a node with another key for another realm.
        if log.members()?.iter().any(|member| member.key != info.key) {
            return Err(ClusterError::OtherKey);
        }
        Ok(Self { log, store, reader, info, reported: None, paced: Time(0), yields_until: None })
    }

    /// Leaves the lead to others until a time, as a node does that was asked to resign.
    pub fn yield_until(&mut self, until: Instant) {
        self.yields_until = Some(until);
    }

    /// The place up to which this node has the log.
    #[must_use]
    pub fn at(&self) -> LogPosition {
        self.reader.at()
    }

    /// The paced time of the leaders, by which the next one goes on.
    #[must_use]
    pub fn paced(&self) -> Time {
        self.paced
    }

    /// Takes over what is new in the log; at its end, begins to lead if nobody does.
    ///
    /// # Errors
    /// [`ClusterError::Unreachable`] if the step may be tried again.
    pub fn step(
        &mut self,
        clock: impl Fn() -> Instant,
        replica: &mut dyn Replica,
    ) -> Result<FollowerStep, ClusterError> {
        let is_behind = self.read(replica)?;
        // An engine that is full still lets a node follow.
        self.report(clock());
        if is_behind {
            return Ok(FollowerStep::Followed);
        }
        if let Some(leader) = self.log.leader()? {
            return Ok(FollowerStep::Waiting(leader));
        }
        let begun = clock();
        if self.yields_until.is_some_and(|until| begun < until) {
            return Ok(FollowerStep::Leaderless);
        }
        let Some(term) = self.log.campaign(&self.info.node, self.info.lease)? else {
            return Ok(FollowerStep::Leaderless);
        };
        // No older term can append any more: the end that is found now stays the end until this node appends.
        if let Err(error) = self.catch_up(replica).and_then(|()| Ok(self.learn_pace()?)) {
            let _ends_by_itself_otherwise = self.log.resign(term);
            return Err(error);
        }
        Ok(FollowerStep::Leads(Arc::new(Leadership::new(term, self.info.lease, begun))))
    }

    /// Where other nodes reach a member, as it has reported.
    ///
    /// # Errors
    /// If the engine does not answer.
    pub fn channel_of(&self, node: &str) -> Result<Option<Box<str>>, Unreachable> {
        Ok(self.log.members()?.into_iter().find(|member| &*member.node == node).map(|member| member.channel))
    }

    /// Takes over a block that the leader has sent. False if it is not the next one.
    ///
    /// # Errors
    /// If it is not of the log that this node has followed, or the store does not take it.
    pub fn take_sent(&mut self, block: &EncodedBlock, replica: &mut dyn Replica) -> Result<bool, ClusterError> {
        match self.reader.read_sent(block)? {
            Some(followed) => self.take_over(followed, replica).map(|()| true),
            None => Ok(false),
        }
    }

    /// Takes over the next blocks of the log. False at its end.
    fn read(&mut self, replica: &mut dyn Replica) -> Result<bool, ClusterError> {
        match self.reader.read()? {
            Some(followed) => self.take_over(followed, replica).map(|()| true),
            None => Ok(false),
        }
    }

    fn catch_up(&mut self, replica: &mut dyn Replica) -> Result<(), ClusterError> {
        while self.read(replica)? {}
        Ok(())
    }

    fn take_over(&mut self, followed: Followed, replica: &mut dyn Replica) -> Result<(), ClusterError> {
        let (end, term) = (followed.end, followed.term);
        self.store.expect(end);
        replica.take_over(followed)?;
        self.reader.advance(end, term);
        Ok(())
    }

    fn report(&mut self, now: Instant) {
        if self.reported.is_some_and(|reported| now < reported + REPORT_INTERVAL) {
            return;
        }
        self.reported = Some(now);
        let synced = self.store.sync_if_due();
        let reported = self.learn_pace().and_then(|()| self.log.report(&self.info.member(synced, self.paced)));
        if let Err(error) = reported {
            debug!(%error, "this node could not report how far it is; it is tried again");
        }
    }

    fn learn_pace(&mut self) -> Result<(), Unreachable> {
        let members = self.log.members()?;
        self.paced = members.iter().map(|member| member.paced).fold(self.paced, Time::max);
        Ok(())
    }
}
