//! One run: the nodes, the clients, and the checks.

use std::time::{Duration, Instant};

use crate::chat::{Command, Event, PasswordHash, Record, State};
use crate::cluster::block;
use crate::cluster::error::ClusterError;
use crate::cluster::shared_log::SharedLog;
use crate::cluster::simulation::client::Client;
use crate::cluster::simulation::engine::Engine;
use crate::cluster::simulation::node::{Node, home};
use crate::cluster::testing::LEASE;
use crate::name::Name;
use crate::store::LogPosition;

/// Actions per run.
const ACTIONS: usize = 400;
const NODES: [&str; 3] = ["a", "b", "c"];
const CLIENTS: u64 = 4;
/// Rounds in which everything must come to rest once there are no more faults.
const ROUNDS_TO_REST: usize = 200;

pub(super) struct Run {
    random: fastrand::Rng,
    engine: Engine,
    pub(super) nodes: Vec<Node>,
    clients: Vec<Client>,
}

impl Run {
    pub(super) fn new(seed: u64) -> Self {
        let (engine, epoch) = (Engine::new(seed), Instant::now());
        engine.client().begin(LogPosition { hash: [9; 32], ..LogPosition::default() }).unwrap();
        let nodes = NODES.map(|name| Node::new(name, &engine, epoch)).into();
        let clients = (0..CLIENTS).map(Client::new).collect();
        let mut run = Self { random: fastrand::Rng::with_seed(seed), engine, nodes, clients };
        run.until_one_leads();
        run.register_users();
        // All are members, for which the log is kept.
        run.until_all_follow();
        run
    }

    /// Performs random actions, then ends all faults, waits until everything is at rest, and checks.
    pub(super) fn perform(mut self) {
        for _ in 0..ACTIONS {
            self.act();
            self.check_leaders();
        }
        self.heal();
        self.until_one_leads();
        self.until_clients_rest();
        self.until_all_follow();
        self.check();
    }

    fn act(&mut self) {
        let node = self.random.usize(..self.nodes.len());
        match self.random.u32(..100) {
            0..35 => self.step(node),
            35..58 => self.send(node),
            58..68 => self.exchange(node),
            68..85 => self.engine.advance(Duration::from_millis(self.random.u64(..400))),
            85..87 => self.engine.set_loss(*self.random.choice(&[0, 5, 20, 50]).unwrap_or(&0)),
            87..89 => self.nodes[node].engine.cut_off(true),
            89..92 => self.nodes[node].engine.cut_off(false),
            92..94 => self.nodes[node].is_paused ^= true,
            94..96 => self.engine.deliver_delayed(),
            96 => self.ask_to_resign(),
            97 => self.end(node, Node::resign),
            98 => self.end(node, |node| node.kill(false)),
            _ if self.random.bool() => self.end(node, |node| node.kill(true)),
            _ => self.lose_store(node),
        }
        self.clients.iter_mut().for_each(Client::read);
    }

    fn step(&mut self, node: usize) {
        if self.nodes[node].is_paused {
            return;
        }
        match self.nodes[node].step() {
            Err(ClusterError::Gone(_)) => {
                let other = (node + self.random.usize(1..self.nodes.len())) % self.nodes.len();
                let source = self.nodes[other].disk.clone();
                self.end(node, |node| node.process = None);
                self.nodes[node].take_snapshot(&source);
            }
            stepped => stepped.unwrap(),
        }
    }

    /// One at a time: what was cut is in the stores of the others.
    fn lose_store(&mut self, node: usize) {
        let all = self.records().len();
        self.nodes.iter_mut().filter(|node| node.disk.synced() == all).for_each(|node| node.has_lost_store = false);
        if self.nodes.iter().all(|node| !node.has_lost_store) {
            self.end(node, |node| node.kill(true));
            self.nodes[node].lose_store();
        }
    }

    fn send(&mut self, node: usize) {
        let (client, count) = (self.random.usize(..self.clients.len()), self.random.u64(1..4));
        let Node { process: Some(process), is_paused: false, .. } = &self.nodes[node] else { return };
        self.clients[client].send(process, count);
        self.nodes[node].commit();
    }

    /// Has an operator ask for another leader.
    fn ask_to_resign(&self) {
        let operator = self.engine.client();
        if let Ok(Some(leader)) = operator.leader() {
            let _tried_once = operator.ask_to_resign(leader.term);
        }
    }

    /// Ends a process, and with it the connections of clients to it.
    fn end(&mut self, node: usize, end: impl Fn(&mut Node)) {
        let Some(before) = self.nodes[node].process.as_ref().map(|process| process.hub.process()) else { return };
        let connected: Vec<usize> = (0..self.clients.len())
            .filter(|client| {
                let process = self.nodes[node].process.as_ref();
                process.is_some_and(|process| self.clients[*client].is_connected_to(process))
            })
            .collect();
        end(&mut self.nodes[node]);
        self.clients.iter_mut().for_each(Client::read);
        let is_same = self.nodes[node].process.as_ref().is_some_and(|process| process.hub.process() == before);
        if !is_same {
            connected.into_iter().for_each(|client| self.clients[client].disconnect());
        }
    }

    /// What a channel carries from a follower to a leader and back, before it may break.
    fn exchange(&mut self, node: usize) {
        let leader = self.random.usize(..self.nodes.len());
        let Ok([follower, leader]) = self.nodes.get_disjoint_mut([node, leader]) else { return };
        if follower.is_paused || leader.is_paused {
            return;
        }
        let (Some(here), Some(term)) = (&mut follower.process, leader.leads()) else { return };
        let Some(there) = &leader.process else { return };
        if here.leads().is_some() {
            return;
        }
        if here.channel != Some(term) {
            if here.store.end().seq < there.store.end().seq {
                return;
            }
            here.channel = Some(term);
            here.hub.begin_forwarding();
        }
        while let Some(forwarded) = here.hub.next_forward() {
            let answer = there.hub.execute_forwarded(here.hub.process(), forwarded);
            if self.random.u32(..20) == 0 {
                here.channel = None;
                break;
            }
            answer.into_iter().for_each(|answer| here.hub.note_answer(answer));
        }
        leader.commit();
    }

    fn heal(&mut self) {
        self.engine.set_loss(0);
        for node in &mut self.nodes {
            node.engine.cut_off(false);
            node.is_paused = false;
        }
    }

    fn until_one_leads(&mut self) {
        for _ in 0..ROUNDS_TO_REST {
            (0..self.nodes.len()).for_each(|node| self.step(node));
            if self.nodes.iter().any(|node| node.leads().is_some()) {
                return;
            }
            self.engine.advance(LEASE / 4);
        }
        panic!("no node leads");
    }

    /// Every client learns what became of its messages.
    fn until_clients_rest(&mut self) {
        for _ in 0..ROUNDS_TO_REST {
            (0..self.nodes.len()).for_each(|node| self.step(node));
            (0..self.nodes.len() * self.nodes.len()).for_each(|number| self.exchange(number % 3));
            self.clients.iter_mut().for_each(Client::read);
            if self.clients.iter().all(Client::is_idle) {
                return;
            }
            self.engine.advance(LEASE / 8);
        }
        panic!("a client is not answered");
    }

    fn until_all_follow(&mut self) {
        for _ in 0..ROUNDS_TO_REST {
            (0..self.nodes.len()).for_each(|node| self.step(node));
            let logs: Vec<_> = self.nodes.iter().map(|node| node.disk.copy().len()).collect();
            if logs.iter().all(|records| *records == self.records().len()) {
                return;
            }
            self.engine.advance(LEASE / 4);
        }
        panic!("a node does not follow");
    }

    fn register_users(&mut self) {
        for node in self.nodes.iter_mut().filter(|node| node.leads().is_some()) {
            let Some(process) = &node.process else { continue };
            for user in 0..CLIENTS {
                let (name, password) = (Name::parse(&format!("u{user}")).unwrap(), PasswordHash("$hash".into()));
                let (full_name, country) = ("".into(), "".into());
                let register = Command::Register { name, full_name, country, password, session: None, invite: None };
                process.hub.execute_as_server(&register).result.unwrap();
            }
            node.commit();
        }
    }

    /// A node that may answer for the cluster at this moment has all that was ever acknowledged.
    fn check_leaders(&self) {
        for node in self.nodes.iter().filter(|node| node.may_answer()) {
            self.check_texts(&node.disk.copy());
        }
    }

    fn check(&self) {
        let log = self.records();
        for node in &self.nodes {
            assert!(node.disk.copy() == log, "{} has another log", node.name);
            let Some(process) = &node.process else { continue };
            let (state, of_log) = (process.hub.read(State::snapshot).0, node.disk.state(&home()).snapshot());
            assert_eq!((state.head, state.users), (of_log.head, of_log.users), "{} has another state", node.name);
        }
        self.check_texts(&log);
        let mut after = None;
        for record in &log {
            assert!(after.is_none_or(|after| record.seq > after), "the log is out of order");
            after = Some(record.seq);
        }
    }

    fn check_texts(&self, log: &[Record]) {
        let texts: Vec<_> = log.iter().filter_map(text).collect();
        self.clients.iter().for_each(|client| client.check(&texts));
    }

    /// The records of all blocks that were ever appended.
    fn records(&self) -> Vec<Record> {
        self.engine.history().iter().flat_map(|encoded| block::decode(encoded).unwrap().records).collect()
    }
}

fn text(record: &Record) -> Option<String> {
    let Event::MessageSent(message) = &record.event else { return None };
    Some(message.body.fields()?.msg.to_string())
}
