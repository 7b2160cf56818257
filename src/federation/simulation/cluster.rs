//! One run: the servers, what was sent, and the checks at the end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::chat::PeerAddress;
use crate::federation::handshake::LinkRequest;
use crate::federation::simulation::network::{Network, PORT};
use crate::federation::simulation::plan::{Action, SERVERS, random_action};
use crate::federation::simulation::server::{Server, home};
use crate::federation::testing::{GROUP, MemoryStore, USERS, name, send};
use crate::hub::{CommitStatus, DeliveryHandle, DeliveryStatus, Ticket};
use crate::id::UserId;
use crate::name::Address;
use crate::store::Store;

/// Actions per run.
const ACTIONS: usize = 120;

/// The time to deliver everything once there are no more faults.
const SETTLE_LIMIT: Duration = Duration::from_secs(180);

/// Consecutive seconds in which all queues must be empty.
const QUIET_SECONDS: usize = 10;

pub(super) struct Cluster {
    random: fastrand::Rng,
    network: Network,
    servers: Vec<Server>,
    sent: Vec<SentMessage>,
    any_restored: bool,
}

struct SentMessage {
    text: String,
    from: usize,
    sender: UserId,
    to: usize,
    /// A user or the group, or `None` if no such user exists.
    receiver: Option<&'static str>,
    ticket: Ticket,
    delivery: Arc<DeliveryHandle>,
    reply: Reply,
    /// The server of the sender crashed later.
    crashed_after: bool,
}

/// The sender's knowledge of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reply {
    Pending,
    /// OK: the message must arrive, or a refusal must come back.
    Ok,
    Refused,
    /// None: the server crashed before it replied.
    Lost,
}

impl Cluster {
    pub(super) async fn new(seed: u64) -> Self {
        let network = Network::new(seed, SERVERS);
        let servers = (0..SERVERS).map(Server::new).collect();
        let random = fastrand::Rng::with_seed(seed);
        let mut cluster = Self { random, network, servers, sent: Vec::new(), any_restored: false };
        for number in 0..SERVERS {
            cluster.start(number);
            cluster.servers[number].create_users();
        }
        for (from, to) in [(0, 1), (0, 2), (2, 1)] {
            cluster.link(from, to).await;
        }
        cluster.pass(1_000).await;
        cluster.servers.iter_mut().for_each(|server| server.backup = server.disk.copy());
        cluster
    }

    fn start(&mut self, number: usize) {
        let seed = self.random.u64(..);
        self.servers[number].start(&self.network, seed);
    }

    async fn link(&self, from: usize, to: usize) {
        let port = PORT + u16::try_from(to).unwrap();
        let address = PeerAddress { host: "127.0.0.1".into(), port };
        let manager = self.servers[from].running.as_ref().unwrap().manager.clone();
        let request = LinkRequest { by: UserId(0), name: home(to), address, idempotency_key: None, forward: None };
        manager.add(request).await.unwrap();
    }

    async fn pass(&mut self, milliseconds: u64) {
        sleep(Duration::from_millis(milliseconds)).await;
        self.read_replies();
    }

    /// Performs random actions, then ends all faults, waits until everything is delivered, and checks.
    pub(super) async fn run(mut self) {
        for _ in 0..ACTIONS {
            let action = random_action(&mut self.random);
            self.perform(action).await;
        }
        self.network.heal();
        for number in 0..SERVERS {
            if self.servers[number].running.is_none() {
                self.start(number);
            }
        }
        let mut waited = Duration::ZERO;
        let mut quiet = 0;
        // Messages that are sent again to a restored server are in no queue: they follow within seconds of the link.
        while quiet < QUIET_SECONDS {
            assert!(waited < SETTLE_LIMIT, "something still waits: {}", self.queues());
            self.pass(1_000).await;
            waited += Duration::from_secs(1);
            quiet = if self.is_quiet() { quiet + 1 } else { 0 };
        }
        self.check();
    }

    async fn perform(&mut self, action: Action) {
        match action {
            Action::Send { from, to, to_group, to_unknown } => self.send(from, to, to_group, to_unknown),
            Action::Wait(milliseconds) => self.pass(milliseconds).await,
            Action::Cut(server) => self.network.cut(server),
            Action::Silence(which) => self.network.silence(which),
            Action::Partition(one, other) => self.network.partition(one, other),
            Action::Heal => self.network.heal(),
            Action::Crash(server) => self.crash(server),
            Action::Start(server) if self.servers[server].running.is_none() => self.start(server),
            Action::Start(_) => {}
            Action::BackUp(server) => self.servers[server].backup = self.servers[server].disk.copy(),
            Action::Restore(server) => {
                self.crash(server);
                self.any_restored = true;
                let backup = self.servers[server].backup.clone();
                self.servers[server].disk.replace(backup);
            }
        }
    }

    fn send(&mut self, from: usize, to: usize, to_group: bool, to_unknown: bool) {
        let Some(running) = &self.servers[from].running else { return };
        let user = self.random.usize(..USERS.len());
        let receiver = match (to_group, to_unknown) {
            (_, true) => None,
            (true, false) => Some(GROUP),
            (false, false) => Some(USERS[self.random.usize(..USERS.len())]),
        };
        let text = format!("{}", self.sent.len());
        let address = Address { name: name(receiver.unwrap_or("unknown")), realm: Some(home(to)) };
        let sender = UserId(user as u64);
        let executed = send(&running.hub, sender, address, to_group, &text);
        executed.result.unwrap();
        let (ticket, delivery) = (executed.ticket, executed.delivery.unwrap());
        self.sent.push(SentMessage {
            text,
            from,
            sender,
            to,
            receiver,
            ticket,
            delivery,
            reply: Reply::Pending,
            crashed_after: false,
        });
    }

    fn crash(&mut self, server: usize) {
        self.read_replies();
        for message in self.sent.iter_mut().filter(|message| message.from == server) {
            message.crashed_after = true;
            if message.reply == Reply::Pending {
                message.reply = Reply::Lost;
            }
        }
        self.servers[server].crash(&self.network);
    }

    /// Records the replies that the senders have by now.
    fn read_replies(&mut self) {
        for message in self.sent.iter_mut().filter(|message| message.reply == Reply::Pending) {
            let Some(running) = &self.servers[message.from].running else { continue };
            if running.hub.commit_status(message.ticket) != CommitStatus::Durable {
                continue;
            }
            message.reply = match message.delivery.get() {
                DeliveryStatus::Open => Reply::Pending,
                DeliveryStatus::Delivered | DeliveryStatus::Queued | DeliveryStatus::Unknown => Reply::Ok,
                DeliveryStatus::Refused(_) => Reply::Refused,
            };
            if message.delivery.get() == DeliveryStatus::Delivered && message.receiver.is_some() && !self.any_restored {
                assert!(
                    self.servers[message.to].disk.holds(&message.text),
                    "{} is not stored and was reported as delivered",
                    message.text
                );
            }
        }
    }

    /// All links are up, all senders have a reply, and all queues are empty in the states on disk.
    fn is_quiet(&self) -> bool {
        let is_replied = self.sent.iter().all(|message| message.reply != Reply::Pending);
        let is_empty = |server: &Server| {
            let state = server.disk.state(&server.home);
            let live = &server.running.as_ref().unwrap().hub;
            let is_stored = live.read(|live| *live == state).0;
            let manager = &server.running.as_ref().unwrap().manager;
            let is_up = state.peers().all(|(realm, ..)| manager.status(realm).is_up);
            is_stored && is_up && state.peers().all(|(_, _, peer)| peer.queue.is_empty() && peer.refused.is_empty())
        };
        is_replied && self.servers.iter().all(is_empty)
    }

    fn queues(&self) -> String {
        let queue = |server: &Server| {
            let state = server.disk.state(&server.home);
            let manager = &server.running.as_ref().unwrap().manager;
            let links = state.peers().map(|(id, realm, peer)| {
                let status = manager.status(id);
                format!("{} {} refused {} {status:?}", realm.name, peer.queue.len(), peer.refused.len())
            });
            format!("{}: {:?}", server.home, links.collect::<Vec<_>>())
        };
        self.servers.iter().map(queue).collect::<Vec<_>>().join("\n")
    }

    /// Every message that was answered with OK and is on its sender's disk has arrived once and in order, and nothing
    /// else has.
    fn check(&self) {
        for server in &self.servers {
            for receiver in USERS.iter().copied().chain([GROUP]) {
                let received = self.received_by(server, receiver);
                self.check_received(server, receiver, &received);
            }
            self.check_bounces(server);
        }
    }

    fn check_received(&self, server: &Server, receiver: &str, received: &[usize]) {
        let mut newest: HashMap<(usize, UserId), usize> = HashMap::new();
        for number in received {
            let message = &self.sent[*number];
            assert!(
                message.to == server.number && message.receiver == Some(receiver),
                "{number} is not for {receiver}"
            );
            let before = newest.insert((message.from, message.sender), *number);
            assert!(before < Some(*number), "{number} follows {before:?} at {receiver} of {}", server.home);
        }
        for (number, message) in self.sent.iter().enumerate() {
            let is_expected = message.to == server.number && message.receiver == Some(receiver);
            let is_known = self.servers[message.from].disk.holds(&message.text);
            if is_expected && is_known && message.reply == Reply::Ok {
                assert!(received.contains(&number), "{number} has not arrived at {receiver} of {}", server.home);
            }
        }
    }

    /// The numbers of the messages in the inbox of a user, or in the timeline of the group, in order.
    fn received_by(&self, server: &Server, receiver: &str) -> Vec<usize> {
        let state = server.disk.state(&server.home);
        let reader = if receiver == GROUP { "paff" } else { receiver };
        let (user, _) = state.user_named(&name(reader)).unwrap();
        let view = state.inbox(user).unwrap();
        let store = MemoryStore { disk: server.disk.clone(), home: server.home.clone() };
        let page = store.page(&view, usize::MAX).unwrap();
        let numbers = page.messages.iter().filter_map(|message| {
            let fields = message.body.fields().unwrap();
            (fields.to == receiver && !fields.from.starts_with("realm@")).then(|| fields.msg.parse().unwrap())
        });
        numbers.collect()
    }

    /// Each message to an unknown user that was answered with OK is followed by one notification. A message without a reply
    /// may be, and one that was refused in its reply only if the server crashed afterwards, before that was durable.
    fn check_bounces(&self, server: &Server) {
        if self.any_restored {
            return;
        }
        for user in 0..USERS.len() {
            let is_refused = |message: &&SentMessage| {
                message.from == server.number && message.sender.0 as usize == user && message.receiver.is_none()
            };
            let sent: Vec<_> = self.sent.iter().filter(is_refused).collect();
            let least = sent.iter().filter(|message| message.reply == Reply::Ok).count();
            let may_bounce = |message: &&&SentMessage| message.reply != Reply::Refused || message.crashed_after;
            let most = sent.iter().filter(may_bounce).count();
            let notifications = self.notifications(server, user);
            assert!((least..=most).contains(&notifications), "{notifications} are not {least} to {most}");
        }
    }

    fn notifications(&self, server: &Server, user: usize) -> usize {
        let state = server.disk.state(&server.home);
        let view = state.inbox(UserId(user as u64)).unwrap();
        let store = MemoryStore { disk: server.disk.clone(), home: server.home.clone() };
        let messages = store.page(&view, usize::MAX).unwrap().messages;
        messages.iter().filter(|message| message.body.sender().unwrap().starts_with("realm@")).count()
    }
}
