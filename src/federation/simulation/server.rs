//! A server of the simulation: a disk that outlives crashes, and what runs on it between two of them.

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::chat::Record;
use crate::federation::incarnation::begin_incarnation;
use crate::federation::office::{Accept, Office, Terms};
use crate::federation::simulation::network::{Network, PORT, key};
use crate::federation::testing::{Disk, DiskStore, commit, name, settle_in};
use crate::hub::Hub;
use crate::name::Name;

pub(super) struct Server {
    pub(super) number: usize,
    pub(super) home: Name,
    pub(super) disk: Disk,
    /// Every so often a copy is made of the disk.
    pub(super) backup: Vec<Record>,
    pub(super) running: Option<Running>,
}

pub(super) struct Running {
    pub(super) hub: Hub,
    pub(super) office: Office,
    committing: JoinHandle<()>,
    stopping: CancellationToken,
}

pub(super) fn home(server: usize) -> Name {
    name(&format!("r{server}"))
}

impl Server {
    pub(super) fn new(number: usize) -> Self {
        Self { number, home: home(number), disk: Disk::default(), backup: Vec::new(), running: None }
    }

    /// Starts on what the disk holds.
    pub(super) fn start(&mut self, network: &Network, seed: u64) {
        let store = DiskStore { disk: self.disk.clone(), home: self.home.clone() };
        let (hub, mut committer) = Hub::open(Box::new(store), self.home.clone()).unwrap();
        let port = PORT + u16::try_from(self.number).unwrap();
        let terms = Terms { accept: Accept::Loopback, port: Some(port), text_bytes: 1_000 };
        let stopping = CancellationToken::new();
        let carrier = network.carrier(self.number);
        let tasks = TaskTracker::new();
        let office = Office::new(hub.clone(), key(self.number), carrier, terms, tasks, stopping.clone());
        begin_incarnation(&hub).unwrap();
        committer.step();
        office.start();
        let committing = tokio::spawn(commit(committer, fastrand::Rng::with_seed(seed)));
        network.place(self.number, Some(office.clone()));
        self.running = Some(Running { hub, office, committing, stopping });
    }

    /// Everything that is not on the disk is gone.
    pub(super) fn crash(&mut self, network: &Network) {
        let Some(running) = self.running.take() else { return };
        running.committing.abort();
        network.place(self.number, None);
        network.cut(self.number);
        // What the tasks that are left still do is seen by nobody.
        running.stopping.cancel();
        running.office.stop();
    }

    pub(super) fn settle_in(&self) {
        if let Some(running) = &self.running {
            settle_in(&running.hub);
        }
    }
}
