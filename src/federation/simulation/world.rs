//! What happens in a run, and what must be true of it.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::sleep;

use crate::chat::PeerAddress;
use crate::federation::simulation::network::{Network, PORT};
use crate::federation::simulation::plan::{Deed, deed};
use crate::federation::simulation::server::{Server, home};
use crate::federation::testing::{DiskStore, GROUP, USERS, name, send};
use crate::hub::{CommitStatus, DeliveryHandle, DeliveryStatus, Ticket};
use crate::id::UserId;
use crate::name::Address;
use crate::store::Store;

pub(super) const SERVERS: usize = 3;

/// Deeds of a run.
const DEEDS: usize = 120;

/// Once nothing breaks any more, everything has arrived after this long.
const PATIENCE: Duration = Duration::from_secs(180);

/// So many seconds in a row nothing may wait for anything before it is believed.
const REST: usize = 10;

pub(super) struct World {
    random: fastrand::Rng,
    network: Network,
    servers: Vec<Server>,
    said: Vec<Said>,
    /// Some server went back to a backup.
    any_restored: bool,
}

/// A message that a user sent.
struct Said {
    text: String,
    from: usize,
    sender: UserId,
    to: usize,
    /// A user there, or the group; none where there is no such user.
    receiver: Option<&'static str>,
    ticket: Ticket,
    delivery: std::sync::Arc<DeliveryHandle>,
    answer: Answer,
}

/// What the sender was told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    NotYet,
    /// OK: whatever happens then, the message arrives, or its refusal does.
    Taken,
    /// The other server does not take it.
    Refused,
    /// Nothing: the server was gone before.
    Never,
}

impl World {
    pub(super) async fn new(seed: u64) -> Self {
        let network = Network::new(seed, SERVERS);
        let servers = (0..SERVERS).map(Server::new).collect();
        let random = fastrand::Rng::with_seed(seed);
        let mut world = Self { random, network, servers, said: Vec::new(), any_restored: false };
        for number in 0..SERVERS {
            world.start(number);
            world.servers[number].settle_in();
        }
        for (from, to) in [(0, 1), (0, 2), (2, 1)] {
            world.link(from, to).await;
        }
        world.pass(1_000).await;
        world.servers.iter_mut().for_each(|server| server.backup = server.disk.copy());
        world
    }

    fn start(&mut self, number: usize) {
        let seed = self.random.u64(..);
        self.servers[number].start(&self.network, seed);
    }

    async fn link(&self, from: usize, to: usize) {
        let port = PORT + u16::try_from(to).unwrap();
        let address = PeerAddress { host: "127.0.0.1".into(), port };
        let office = self.servers[from].running.as_ref().unwrap().office.clone();
        office.add(UserId(0), home(to), address, None).await.unwrap();
    }

    async fn pass(&mut self, milliseconds: u64) {
        sleep(Duration::from_millis(milliseconds)).await;
        self.listen();
    }

    /// Lets things happen, then lets them heal, and looks.
    pub(super) async fn live(mut self) {
        for _ in 0..DEEDS {
            let deed = deed(&mut self.random);
            self.perform(deed).await;
        }
        self.network.heal();
        for number in 0..SERVERS {
            if self.servers[number].running.is_none() {
                self.start(number);
            }
        }
        let mut waited = Duration::ZERO;
        let mut at_rest = 0;
        // What a restored server is sent again is in nobody's queue: it comes in the seconds after the link is up.
        while at_rest < REST {
            assert!(waited < PATIENCE, "something still waits: {}", self.queues());
            self.pass(1_000).await;
            waited += Duration::from_secs(1);
            at_rest = if self.is_at_rest() { at_rest + 1 } else { 0 };
        }
        self.check();
    }

    async fn perform(&mut self, deed: Deed) {
        match deed {
            Deed::Send { from, to, to_group, nobody } => self.send(from, to, to_group, nobody),
            Deed::Wait(milliseconds) => self.pass(milliseconds).await,
            Deed::Cut(server) => self.network.cut(server),
            Deed::Silence(which) => self.network.silence(which),
            Deed::Part(one, other) => self.network.part(one, other),
            Deed::Heal => self.network.heal(),
            Deed::Crash(server) => self.crash(server),
            Deed::Start(server) if self.servers[server].running.is_none() => self.start(server),
            Deed::Start(_) => {}
            Deed::BackUp(server) => self.servers[server].backup = self.servers[server].disk.copy(),
            Deed::Restore(server) => {
                self.crash(server);
                self.any_restored = true;
                let backup = self.servers[server].backup.clone();
                self.servers[server].disk.replace(backup);
            }
        }
    }

    fn send(&mut self, from: usize, to: usize, to_group: bool, nobody: bool) {
        let Some(running) = &self.servers[from].running else { return };
        let user = self.random.usize(..USERS.len());
        let receiver = match (to_group, nobody) {
            (_, true) => None,
            (true, false) => Some(GROUP),
            (false, false) => Some(USERS[self.random.usize(..USERS.len())]),
        };
        let text = format!("{}", self.said.len());
        let address = Address { name: name(receiver.unwrap_or("nobody")), realm: Some(home(to)) };
        let sender = UserId(u32::try_from(user).unwrap());
        let executed = send(&running.hub, sender, address, to_group, &text);
        executed.result.unwrap();
        let (ticket, delivery) = (executed.ticket, executed.delivery.unwrap());
        self.said.push(Said { text, from, sender, to, receiver, ticket, delivery, answer: Answer::NotYet });
    }

    fn crash(&mut self, server: usize) {
        self.listen();
        for said in self.said.iter_mut().filter(|said| said.from == server && said.answer == Answer::NotYet) {
            said.answer = Answer::Never;
        }
        self.servers[server].crash(&self.network);
    }

    /// Hears what the senders are told by now.
    fn listen(&mut self) {
        for said in self.said.iter_mut().filter(|said| said.answer == Answer::NotYet) {
            let Some(running) = &self.servers[said.from].running else { continue };
            if running.hub.commit_status(said.ticket) != CommitStatus::Durable {
                continue;
            }
            said.answer = match said.delivery.get() {
                DeliveryStatus::Open => Answer::NotYet,
                DeliveryStatus::Delivered | DeliveryStatus::Queued => Answer::Taken,
                DeliveryStatus::Refused(_) => Answer::Refused,
            };
            if said.delivery.get() == DeliveryStatus::Delivered && said.receiver.is_some() && !self.any_restored {
                assert!(self.servers[said.to].disk.holds(&said.text), "{} was told to be delivered", said.text);
            }
        }
    }

    /// Nothing waits for anything: all queues are empty, and their being so is on the disks.
    fn is_at_rest(&self) -> bool {
        let is_told = self.said.iter().all(|said| said.answer != Answer::NotYet);
        let is_empty = |server: &Server| {
            let state = server.disk.state(&server.home);
            let live = &server.running.as_ref().unwrap().hub;
            let is_stored = live.read(|live| *live == state).0;
            let office = &server.running.as_ref().unwrap().office;
            let is_up = state.peers().all(|(realm, ..)| office.report(realm).is_up);
            is_stored && is_up && state.peers().all(|(_, _, link)| link.queue.is_empty() && link.refused.is_empty())
        };
        is_told && self.servers.iter().all(is_empty)
    }

    fn queues(&self) -> String {
        let queue = |server: &Server| {
            let state = server.disk.state(&server.home);
            let office = &server.running.as_ref().unwrap().office;
            let links = state.peers().map(|(id, realm, link)| {
                let report = office.report(id);
                format!("{} {} refused {} {report:?}", realm.name, link.queue.len(), link.refused.len())
            });
            format!("{}: {:?}", server.home, links.collect::<Vec<_>>())
        };
        self.servers.iter().map(queue).collect::<Vec<_>>().join("\n")
    }

    /// Every message that was taken and that its sender's disk still knows is with its receiver, once, in order; and
    /// nothing is there that was not said.
    fn check(&self) {
        for server in &self.servers {
            for receiver in USERS.iter().copied().chain([GROUP]) {
                let heard = self.heard_by(server, receiver);
                self.check_heard(server, receiver, &heard);
            }
            self.check_returned(server);
        }
    }

    fn check_heard(&self, server: &Server, receiver: &str, heard: &[usize]) {
        let mut newest: HashMap<(usize, UserId), usize> = HashMap::new();
        for number in heard {
            let said = &self.said[*number];
            assert!(said.to == server.number && said.receiver == Some(receiver), "{number} is not for {receiver}");
            let before = newest.insert((said.from, said.sender), *number);
            assert!(before < Some(*number), "{number} stands after {before:?} at {receiver} of {}", server.home);
        }
        for (number, said) in self.said.iter().enumerate() {
            let is_expected = said.to == server.number && said.receiver == Some(receiver);
            let is_known = self.servers[said.from].disk.holds(&said.text);
            if is_expected && is_known && said.answer == Answer::Taken {
                assert!(heard.contains(&number), "{number} is not with {receiver} of {}", server.home);
            }
        }
    }

    /// The numbers of the messages in a user's inbox, or in the group's timeline, in its order.
    fn heard_by(&self, server: &Server, receiver: &str) -> Vec<usize> {
        let state = server.disk.state(&server.home);
        let reader = if receiver == GROUP { "paff" } else { receiver };
        let (user, _) = state.user_named(&name(reader)).unwrap();
        let view = state.inbox(user).unwrap();
        let store = DiskStore { disk: server.disk.clone(), home: server.home.clone() };
        let page = store.page(&view, usize::MAX).unwrap();
        let numbers = page.messages.iter().filter_map(|message| {
            let (to, from, text) = message
                .body
                .read(|parts| (parts.to.into_owned(), parts.from.into_owned(), parts.msg.into_owned()))
                .unwrap();
            (to == receiver && !from.starts_with("realm@")).then(|| text.parse().unwrap())
        });
        numbers.collect()
    }

    /// Who sent something to nobody and was told OK is told by the server, once for each. Who was told nothing may be, and
    /// so may who was told at once, where the server crashed before that was on its disk.
    fn check_returned(&self, server: &Server) {
        if self.any_restored {
            return;
        }
        for user in 0..USERS.len() {
            let to_nobody =
                |said: &&Said| said.from == server.number && said.sender.0 as usize == user && said.receiver.is_none();
            let sent: Vec<_> = self.said.iter().filter(to_nobody).collect();
            let taken = sent.iter().filter(|said| said.answer == Answer::Taken).count();
            let told = self.notices(server, user);
            assert!((taken..=sent.len()).contains(&told), "{told} notices for {taken} of {}", sent.len());
        }
    }

    fn notices(&self, server: &Server, user: usize) -> usize {
        let state = server.disk.state(&server.home);
        let view = state.inbox(UserId(u32::try_from(user).unwrap())).unwrap();
        let store = DiskStore { disk: server.disk.clone(), home: server.home.clone() };
        let messages = store.page(&view, usize::MAX).unwrap().messages;
        let is_notice = |parts: crate::chat::MessageFields<'_>| parts.from.starts_with("realm@");
        messages.iter().filter(|message| message.body.read(is_notice).unwrap()).count()
    }
}
