//! A simulated node: a disk that outlasts its process, and the role that the process has.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cluster::error::ClusterError;
use crate::cluster::keeper::Keeper;
use crate::cluster::leader::{LeaderStore, Patience, Progress};
use crate::cluster::leadership::{Leadership, LeadershipEnd};
use crate::cluster::shared_log::SharedLog;
use crate::cluster::simulation::engine::{Client, Engine};
use crate::cluster::standby::{NodeInfo, Standby, StandbyStep};
use crate::cluster::testing::node_info;
use crate::hub::{Committer, Hub};
use crate::name::Name;
use crate::store::{MemoryDisk, MemoryStore};

/// Counted in tries, not in time: the seed must say everything.
const PATIENCE: Patience = Patience { time: Duration::MAX, pause: Duration::ZERO, tries: 5 };

pub(super) struct Node {
    pub(super) name: String,
    pub(super) disk: MemoryDisk,
    pub(super) engine: Client,
    pub(super) role: Role,
    /// The process stands still.
    pub(super) is_paused: bool,
    epoch: Instant,
}

pub(super) enum Role {
    Down,
    Standby(Standby),
    Leading(Box<Leading>),
}

pub(super) struct Leading {
    pub(super) leadership: Arc<Leadership>,
    pub(super) hub: Hub,
    pub(super) committer: Committer,
    keeper: Keeper,
}

impl Node {
    pub(super) fn new(name: &str, engine: &Engine, epoch: Instant) -> Self {
        let (name, disk, engine) = (name.to_owned(), MemoryDisk::default(), engine.client());
        Self { name, disk, engine, role: Role::Down, is_paused: false, epoch }
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
        match &mut self.role {
            Role::Down => self.start(),
            Role::Standby(_) => self.stand_by(),
            Role::Leading(leading) => {
                let (engine, epoch) = (self.engine.clone(), self.epoch);
                leading.keeper.step(|| epoch + engine.time());
                self.leave_if_over();
                Ok(())
            }
        }
    }

    fn start(&mut self) -> Result<(), ClusterError> {
        let info = self.info();
        match Standby::open(Arc::new(self.engine.clone()), Arc::new(self.store()), info) {
            Ok(standby) => self.role = Role::Standby(standby),
            Err(ClusterError::Unreachable(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn stand_by(&mut self) -> Result<(), ClusterError> {
        let Role::Standby(standby) = &mut self.role else { return Ok(()) };
        let (engine, epoch) = (self.engine.clone(), self.epoch);
        match standby.step(|| epoch + engine.time()) {
            Ok(StandbyStep::Leads(leadership)) => {
                let progress = Arc::new(Progress::new(standby.at()));
                self.lead(leadership, progress);
                Ok(())
            }
            Ok(StandbyStep::Followed | StandbyStep::Waiting) | Err(ClusterError::Unreachable(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn lead(&mut self, leadership: Arc<Leadership>, progress: Arc<Progress>) {
        let log: Arc<dyn SharedLog> = Arc::new(self.engine.clone());
        let info = self.info();
        let (local, how) = (Arc::new(self.store()), (self.name.as_str(), PATIENCE));
        let store = LeaderStore::new(log.clone(), local, leadership.clone(), how, progress.clone());
        let (hub, mut committer) = Hub::open(Box::new(store), home()).unwrap();
        committer.begin_epoch();
        let keeper = Keeper::new(log, leadership.clone(), info, progress).cut_often();
        self.role = Role::Leading(Box::new(Leading { leadership, hub, committer, keeper }));
        self.leave_if_over();
    }

    /// Stands by again if the node leads no more.
    pub(super) fn leave_if_over(&mut self) {
        let Role::Leading(leading) = &self.role else { return };
        if !leading.leadership.holds(self.now()) {
            self.role = Role::Down;
        }
    }

    /// Ends in order: what is pending is stored, and the term ends.
    pub(super) fn resign(&mut self) {
        let Role::Leading(leading) = &mut self.role else { return };
        leading.committer.step();
        leading.leadership.finish(LeadershipEnd::Resigned);
        let _ends_by_itself_otherwise = self.engine.resign(leading.leadership.term());
        self.role = Role::Down;
    }

    /// The process is killed; with the power, what was not synced is lost, too.
    pub(super) fn kill(&mut self, with_power: bool) {
        self.role = Role::Down;
        self.is_paused = false;
        if with_power {
            self.disk.cut_power();
        }
    }

    fn info(&self) -> NodeInfo {
        NodeInfo { node: self.name.as_str().into(), ..node_info() }
    }

    fn store(&self) -> MemoryStore {
        MemoryStore { disk: self.disk.clone(), home: home() }
    }
}

pub(super) fn home() -> Name {
    Name::parse("kota").unwrap()
}
