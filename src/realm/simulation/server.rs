//! A server of the simulation: a disk that outlives crashes, and what runs on it between two of them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::chat::{Command, PasswordHash, Record};
use crate::hub::{Committer, Executed, Hub, Outbox, Sink};
use crate::id::UserId;
use crate::name::{Address, Name};
use crate::realm::incarnation::begin_incarnation;
use crate::realm::office::{Accept, Office, Terms};
use crate::realm::simulation::disk::{Disk, DiskStore};
use crate::realm::simulation::network::{Network, PORT, key};
use crate::wire::Style;

/// The users of every server; each is a member of the group `tim`.
pub(super) const USERS: [&str; 2] = ["messi", "paff"];
/// The open group of every server.
pub(super) const GROUP: &str = "tim";

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

/// Nobody reads the answers: what became of a message is asked for.
struct Nobody;

impl Sink for Nobody {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }
}

pub(super) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
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
        let Some(running) = &self.running else { return };
        for user in USERS {
            let password = PasswordHash("$hash".into());
            let (full_name, country) = ("".into(), "".into());
            let register = Command::Register { name: name(user), full_name, country, password, session: None };
            running.hub.execute(&register, None).result.unwrap();
        }
        let create = Command::CreateGroup { owner: UserId(0), name: name(GROUP), password: None };
        running.hub.execute(&create, None).result.unwrap();
        running.hub.execute(&Command::JoinGroup { user: UserId(1), group: name(GROUP), verified: None }, None);
    }
}

impl Running {
    pub(super) fn send(&self, from: UserId, to: Address, to_group: bool, text: &str) -> Executed {
        let outbox = Arc::new(Outbox::new(Arc::new(Nobody), Style::Json));
        let text = text.into();
        let command = match to_group {
            true => Command::SendGroup { from, to, text },
            false => Command::SendDirect { from, to, text, online: None },
        };
        self.hub.execute(&command, Some(&outbox))
    }
}

/// Commits whenever a while has passed.
async fn commit(mut committer: Committer, mut random: fastrand::Rng) {
    loop {
        sleep(Duration::from_millis(random.u64(1..30))).await;
        committer.step();
    }
}
