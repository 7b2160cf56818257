//! A node that stands by: it follows the shared log, and leads as soon as nobody does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::debug;

use crate::cluster::error::ClusterError;
use crate::cluster::follower::{Followed, Follower};
use crate::cluster::leadership::Leadership;
use crate::cluster::shared_log::{Member, SharedLog, Unreachable};
use crate::id::PeerKey;
use crate::limits::REPORT_INTERVAL;
use crate::store::{LogPosition, ReplicaStore};
use crate::time::Time;

/// A node's name in its cluster, and where clients and other nodes reach it.
#[derive(Clone, Debug)]
pub struct NodeInfo {
    pub node: Box<str>,
    pub advertise: Box<str>,
    /// Where other nodes reach it, as `HOST:PORT`.
    pub channel: Box<str>,
    pub lease: Duration,
    /// By which other realms know this one.
    pub key: PeerKey,
}

impl NodeInfo {
    /// The node as the others see it.
    pub(super) fn member(&self, at: LogPosition, paced: Time) -> Member {
        Member {
            node: self.node.clone(),
            advertise: self.advertise.clone(),
            channel: self.channel.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            key: self.key,
            synced: at.seq,
            reported: Time::now(),
            paced,
        }
    }
}

/// The result of a step.
pub enum StandbyStep {
    /// It applied blocks; there may be more.
    Followed,
    /// It has all of the log, and another node leads.
    Waiting,
    /// It has all of the log, and leads.
    Leads(Arc<Leadership>),
}

/// A node that stands by.
pub struct Standby {
    log: Arc<dyn SharedLog>,
    follower: Follower,
    info: NodeInfo,
    /// When the others were last told how far this node is.
    reported: Option<Instant>,
    paced: Time,
}

impl Standby {
    /// # Errors
    /// If the store is not a copy of this log, the node has another key, or the log cannot be read.
    pub fn open(log: Arc<dyn SharedLog>, store: Arc<dyn ReplicaStore>, info: NodeInfo) -> Result<Self, ClusterError> {
        let follower = Follower::open(log.clone(), store)?;
        // Other realms would take a node with another key for another realm.
        if log.members()?.iter().any(|member| member.key != info.key) {
            return Err(ClusterError::OtherKey);
        }
        Ok(Self { log, follower, info, reported: None, paced: Time(0) })
    }

    /// The place up to which this node has the log.
    #[must_use]
    pub fn at(&self) -> LogPosition {
        self.follower.at()
    }

    /// The paced time of the leaders, by which the next one goes on.
    #[must_use]
    pub fn paced(&self) -> Time {
        self.paced
    }

    /// Applies what is new in the log; at its end, begins to lead if nobody does.
    ///
    /// # Errors
    /// [`ClusterError::Unreachable`] if the step may be tried again.
    pub fn step(&mut self, clock: impl Fn() -> Instant) -> Result<StandbyStep, ClusterError> {
        let followed = self.follower.step()?;
        // An engine that is full still lets a node follow.
        self.report(clock());
        if followed == Followed::Some {
            return Ok(StandbyStep::Followed);
        }
        if self.log.leader()?.is_some() {
            return Ok(StandbyStep::Waiting);
        }
        let begun = clock();
        let Some(term) = self.log.campaign(&self.info.node, self.info.lease)? else { return Ok(StandbyStep::Waiting) };
        // No older term can append any more: the end that is found now stays the end until this node appends.
        if let Err(error) = self.follower.catch_up().and_then(|()| Ok(self.learn_pace()?)) {
            let _ends_by_itself_otherwise = self.log.resign(term);
            return Err(error);
        }
        Ok(StandbyStep::Leads(Arc::new(Leadership::new(term, self.info.lease, begun))))
    }

    fn report(&mut self, now: Instant) {
        if self.reported.is_some_and(|reported| now < reported + REPORT_INTERVAL) {
            return;
        }
        self.reported = Some(now);
        let reported =
            self.learn_pace().and_then(|()| self.log.report(&self.info.member(self.follower.at(), self.paced)));
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
