//! A simulated server: a disk that survives crashes, and the hub and the link manager that run between crashes.

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::chat::Record;
use crate::federation::link_manager::LinkManager;
use crate::federation::policy::LinkPolicy;
use crate::federation::simulation::network::{Network, PORT, key};
use crate::federation::testing::{MemoryDisk, MemoryStore, commit, create_users, name};
use crate::hub::Hub;
use crate::name::Name;
use crate::settings::Accept;

pub(super) struct Server {
    pub(super) number: usize,
    pub(super) home: Name,
    pub(super) disk: MemoryDisk,
    pub(super) backup: Vec<Record>,
    pub(super) running: Option<Running>,
}

pub(super) struct Running {
    pub(super) hub: Hub,
    pub(super) manager: LinkManager,
    committing: JoinHandle<()>,
    stopping: CancellationToken,
}

pub(super) fn home(server: usize) -> Name {
    name(&format!("r{server}"))
}

impl Server {
    pub(super) fn new(number: usize) -> Self {
        Self { number, home: home(number), disk: MemoryDisk::default(), backup: Vec::new(), running: None }
    }

    pub(super) fn start(&mut self, network: &Network, seed: u64) {
        let store = MemoryStore { disk: self.disk.clone(), home: self.home.clone() };
        let (hub, mut committer) = Hub::open(Box::new(store), self.home.clone()).unwrap();
        let port = PORT + u16::try_from(self.number).unwrap();
        let policy = LinkPolicy { accept: Accept::Loopback, port: Some(port), text_bytes: 1_000 };
        let stopping = CancellationToken::new();
        let transport = network.transport(self.number);
        let tasks = TaskTracker::new();
        let manager = LinkManager::new(hub.clone(), key(self.number), transport, policy, tasks, stopping.clone());
        hub.begin_epoch().unwrap();
        committer.step();
        manager.start();
        let committing = tokio::spawn(commit(committer, fastrand::Rng::with_seed(seed)));
        network.set_manager(self.number, Some(manager.clone()));
        self.running = Some(Running { hub, manager, committing, stopping });
    }

    /// Drops everything except the disk.
    pub(super) fn crash(&mut self, network: &Network) {
        let Some(running) = self.running.take() else { return };
        running.committing.abort();
        network.set_manager(self.number, None);
        network.cut(self.number);
        // The remaining tasks have no effect: their hub never commits again.
        running.stopping.cancel();
        running.manager.stop();
    }

    pub(super) fn create_users(&self) {
        if let Some(running) = &self.running {
            create_users(&running.hub);
        }
    }
}
