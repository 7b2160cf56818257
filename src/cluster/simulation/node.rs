//! A simulated node: a disk that outlasts its process, and the role that the process has.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cluster::error::ClusterError;
use crate::cluster::follower::{Follower, FollowerStep, NodeInfo, Replica};
use crate::cluster::keeper::Keeper;
use crate::cluster::leadership::{Leadership, LeadershipEnd};
use crate::cluster::log_reader::{Followed, check_position};
use crate::cluster::node_store::{NodeStore, Patience};
use crate::cluster::shared_log::{SharedLog, Term};
use crate::cluster::simulation::engine::{Client, Engine};
use crate::cluster::testing::node_info;
use crate::hub::{Committer, Hub};
use crate::name::Name;
use crate::store::{CommitError, MemoryDisk, MemoryStore};

/// Counted in tries, not in time: the seed must say everything.
const PATIENCE: Patience = Patience { time: Duration::MAX, pause: Duration::ZERO, tries: 5 };

pub(super) struct Node {
    pub(super) name: String,
    pub(super) disk: MemoryDisk,
    pub(super) engine: Client,
    pub(super) process: Option<Process>,
    /// The process stands still.
    pub(super) is_paused: bool,
    /// It has not had all of the log since it lost its store.
    pub(super) has_lost_store: bool,
    epoch: Instant,
}

/// A process of a node.
pub(super) struct Process {
    pub(super) hub: Hub,
    committer: Committer,
    pub(super) store: NodeStore,
    role: Role,
    /// The term of the leader to which it has a channel.
    pub(super) channel: Option<Term>,
}

enum Role {
    /// It is about to follow.
    Between,
    Follows(Box<Follower>),
    Leads(Box<Leading>),
}

struct Leading {
    leadership: Arc<Leadership>,
    keeper: Keeper,
}

/// Takes over the log into the hub.
struct HubReplica<'a>(&'a mut Committer);

impl Replica for HubReplica<'_> {
    fn take_over(&mut self, followed: Followed) -> Result<(), ClusterError> {
        Ok(self.0.take_over(followed.records, &followed.commands)?)
    }
}

impl Node {
    pub(super) fn new(name: &str, engine: &Engine, epoch: Instant) -> Self {
        let (name, disk, engine) = (name.to_owned(), MemoryDisk::default(), engine.client());
        Self { name, disk, engine, process: None, is_paused: false, has_lost_store: false, epoch }
    }

    /// The virtual time.
    pub(super) fn now(&self) -> Instant {
        self.epoch + self.engine.time()
    }

    /// Does what the process does by itself: follows, or keeps its leadership up.
    ///
    /// # Errors
    /// If the node refuses to go on.
    pub(super) fn step(&mut self) -> Result<(), ClusterError> {
        let Some(mut process) = self.process.take() else { return self.start() };
        let stepped = self.step_process(&mut process);
        self.process = Some(process);
        match stepped {
            Err(ClusterError::Unreachable(_)) => Ok(()),
            stepped => stepped,
        }
    }

    fn start(&mut self) -> Result<(), ClusterError> {
        let local = MemoryStore { disk: self.disk.clone(), home: home() };
        let store = NodeStore::new(self.log(), Arc::new(local), &self.name, PATIENCE);
        match Follower::open(self.log(), store.clone(), self.info()) {
            Ok(follower) => {
                let (hub, committer) = Hub::open(Box::new(store.clone()), home()).unwrap();
                hub.follow();
                let role = Role::Follows(Box::new(follower));
                self.process = Some(Process { hub, committer, store, role, channel: None });
                Ok(())
            }
            Err(ClusterError::Unreachable(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn step_process(&self, process: &mut Process) -> Result<(), ClusterError> {
        let (engine, epoch) = (self.engine.clone(), self.epoch);
        let clock = move || epoch + engine.time();
        match &mut process.role {
            Role::Between => {
                let follower = Follower::open(self.log(), process.store.clone(), self.info())?;
                process.role = Role::Follows(Box::new(follower));
            }
            Role::Follows(follower) => {
                let mut replica = HubReplica(&mut process.committer);
                let step = follower.step(clock, &mut replica)?;
                process.committer.rest(Duration::ZERO);
                if let FollowerStep::Leads(leadership) = step {
                    self.lead(process, leadership);
                }
            }
            Role::Leads(leading) => {
                leading.keeper.step(clock);
                let is_asked_to_resign = leading.leadership.is_asked_to_resign();
                process.commit(self.now());
                if is_asked_to_resign {
                    self.follow_in_order(process);
                }
            }
        }
        Ok(())
    }

    fn lead(&self, process: &mut Process, leadership: Arc<Leadership>) {
        process.store.lead(leadership.clone());
        let store = process.store.clone();
        let keeper = Keeper::new(self.log(), leadership.clone(), self.info(), store).cut_often();
        process.role = Role::Leads(Box::new(Leading { leadership, keeper }));
        let begun = process.committer.begin_to_lead();
        process.end_if(begun, self.now());
    }

    /// Leads no more, as an operator has asked: what is pending is stored, the term ends, and the process goes on.
    fn follow_in_order(&self, process: &mut Process) {
        let Role::Leads(leading) = &process.role else { return };
        leading.leadership.finish(LeadershipEnd::Resigned);
        let _ends_by_itself_otherwise = self.engine.resign(leading.leadership.term());
        process.committer.end_leading(Ok(()));
        process.role = Role::Between;
    }

    /// Stores what is pending, if the node leads.
    pub(super) fn commit(&mut self) {
        let now = self.now();
        if let Some(process) = &mut self.process {
            process.commit(now);
        }
    }

    /// Whether it leads, as far as it knows.
    pub(super) fn leads(&self) -> Option<Term> {
        self.process.as_ref()?.leads()
    }

    /// Whether it leads, and may answer for the cluster at this moment.
    pub(super) fn may_answer(&self) -> bool {
        let Some(Process { role: Role::Leads(leading), .. }) = &self.process else { return false };
        leading.leadership.is_current(self.now())
    }

    /// Ends in order: what is pending is stored, and the term ends.
    pub(super) fn resign(&mut self) {
        self.commit();
        let Some(Process { role: Role::Leads(leading), .. }) = &self.process else { return };
        leading.leadership.finish(LeadershipEnd::Resigned);
        let _ends_by_itself_otherwise = self.engine.resign(leading.leadership.term());
        self.process = None;
    }

    /// The process is killed; with the power, what was not synced is lost, too.
    pub(super) fn kill(&mut self, with_power: bool) {
        self.process = None;
        self.is_paused = false;
        if with_power {
            self.disk.cut_power();
        }
    }

    /// The disk is replaced by an empty one.
    pub(super) fn lose_store(&mut self) {
        self.kill(true);
        self.disk.lose();
        self.has_lost_store = true;
    }

    /// The store becomes as that of another node is, unless the log does not go on from there either.
    pub(super) fn take_snapshot(&mut self, of: &MemoryDisk) {
        self.process = None;
        let place = of.position().map(|place| check_position(self.log(), place));
        if let Some(Ok(())) = place {
            self.disk.take_snapshot(of);
        }
    }

    fn info(&self) -> NodeInfo {
        NodeInfo { node: self.name.as_str().into(), ..node_info() }
    }

    fn log(&self) -> Arc<dyn SharedLog> {
        Arc::new(self.engine.clone())
    }
}

impl Process {
    pub(super) fn leads(&self) -> Option<Term> {
        match &self.role {
            Role::Leads(leading) if leading.leadership.end().is_none() => Some(leading.leadership.term()),
            _ => None,
        }
    }

    fn commit(&mut self, now: Instant) {
        let Role::Leads(_) = &self.role else { return };
        let committed = self.committer.commit_next().map(drop);
        self.end_if(committed, now);
    }

    /// Follows again if the node leads no more.
    fn end_if(&mut self, result: Result<(), CommitError>, now: Instant) {
        let Role::Leads(leading) = &self.role else { return };
        if result.is_err() || !leading.leadership.holds(now) {
            self.committer.end_leading(result);
            self.role = Role::Between;
        }
    }
}

pub(super) fn home() -> Name {
    Name::parse("kota").unwrap()
}
