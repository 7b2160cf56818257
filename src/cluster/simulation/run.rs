//! One run: the nodes, the clients, and the checks.

use std::time::{Duration, Instant};

use crate::chat::{Command, Event, PasswordHash, Record};
use crate::cluster::block;
use crate::cluster::shared_log::SharedLog;
use crate::cluster::simulation::client::Client;
use crate::cluster::simulation::engine::Engine;
use crate::cluster::simulation::node::{Node, Role};
use crate::cluster::testing::LEASE;
use crate::name::Name;
use crate::store::LogPosition;

/// Actions per run.
const ACTIONS: usize = 400;
const NODES: [&str; 3] = ["a", "b", "c"];
const CLIENTS: u64 = 3;
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
        self.until_all_follow();
        self.check();
    }

    fn act(&mut self) {
        let node = self.random.usize(..self.nodes.len());
        match self.random.u32(..100) {
            0..40 => self.step(node),
            40..65 => self.send(node),
            65..85 => self.engine.advance(Duration::from_millis(self.random.u64(..400))),
            85..87 => self.engine.set_loss(*self.random.choice(&[0, 5, 20, 50]).unwrap_or(&0)),
            87..89 => self.nodes[node].engine.cut_off(true),
            89..92 => self.nodes[node].engine.cut_off(false),
            92..94 => self.nodes[node].is_paused ^= true,
            94..97 => self.engine.deliver_delayed(),
            97 => self.nodes[node].resign(),
            98 => self.nodes[node].kill(false),
            _ => self.nodes[node].kill(true),
        }
    }

    fn step(&mut self, node: usize) {
        if self.nodes[node].is_paused {
            return;
        }
        self.nodes[node].step().unwrap();
    }

    fn send(&mut self, node: usize) {
        let (client, count) = (self.random.usize(..self.clients.len()), self.random.u64(1..4));
        if self.nodes[node].is_paused {
            return;
        }
        if let Role::Leading(leading) = &mut self.nodes[node].role {
            self.clients[client].send(leading, count);
        }
        self.nodes[node].leave_if_over();
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
            if self.nodes.iter().any(|node| matches!(node.role, Role::Leading(_))) {
                return;
            }
            self.engine.advance(LEASE / 4);
        }
        panic!("no node leads");
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
        for node in &mut self.nodes {
            let Role::Leading(leading) = &mut node.role else { continue };
            for user in 0..CLIENTS {
                let (name, password) = (Name::parse(&format!("u{user}")).unwrap(), PasswordHash("$hash".into()));
                let (full_name, country) = ("".into(), "".into());
                let register = Command::Register { name, full_name, country, password, session: None, invite: None };
                leading.hub.execute_as_server(&register).result.unwrap();
            }
            leading.committer.step();
        }
    }

    /// A node that may answer for the cluster at this moment has all that was ever acknowledged.
    fn check_leaders(&self) {
        for node in &self.nodes {
            let Role::Leading(leading) = &node.role else { continue };
            if leading.leadership.is_current(node.now()) {
                self.check_texts(&node.disk.copy());
            }
        }
    }

    fn check(&self) {
        let log = self.records();
        for node in &self.nodes {
            assert!(node.disk.copy() == log, "{} has another log", node.name);
        }
        self.check_texts(&log);
        let mut after = None;
        for record in &log {
            assert!(after.is_none_or(|after| record.seq > after), "the log is out of order");
            after = Some(record.seq);
        }
    }

    /// Checks that the acknowledged messages of each client are in the log once and in order; others may follow them.
    fn check_texts(&self, log: &[Record]) {
        let texts: Vec<_> = log.iter().filter_map(text).collect();
        for client in &self.clients {
            let found: Vec<_> = texts.iter().filter(|text| client.is_author(text)).collect();
            let count = client.acknowledged as usize;
            assert!(found.len() >= count, "an acknowledged message is lost");
            assert!(client.texts().zip(&found).all(|(sent, found)| *sent == **found), "out of order");
            let mut distinct = found.clone();
            distinct.sort();
            distinct.dedup();
            assert_eq!(distinct.len(), found.len(), "a message is there twice");
        }
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
