//! The nodes of a cluster.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use super::client::Connection;
use super::etcd::Etcd;
use super::network::Wire;
use super::pause::{get, wait_for, wait_until};
use crate::support::port::free_address;
use crate::support::process::Process;

/// In seconds: longer than a stop may take, which therefore must not wait for it.
const APPEND_PATIENCE: usize = 30;

/// The program as a node, across restarts.
pub(super) struct Node {
    pub(super) data: PathBuf,
    pub(super) address: SocketAddr,
    config: PathBuf,
    monitored: SocketAddr,
    process: Option<Process>,
    is_paused: bool,
}

impl Node {
    /// A node that was not started yet, with its data in a directory of its name.
    pub(super) fn new(home: &Path, name: &str, log: &str, lease: usize) -> Self {
        Self::with(home, name, log, lease, "")
    }

    /// Likewise, with more settings.
    fn with(home: &Path, name: &str, log: &str, lease: usize, more: &str) -> Self {
        let (address, monitored) = (free_address(), free_address());
        let (data, config) = (home.join(name), home.join(format!("{name}.toml")));
        let settings = format!(
            "[server]\nrealm = \"kota\"\ndata = {data:?}\nlisten = [\"{address}\"]\nlisten_text = []\nweb = []\n\
             [metrics]\nlisten = [\"{monitored}\"]\n\
             [cluster]\nlog = \"{log}\"\nnode = \"{name}\"\nlisten = \"127.0.0.1:0\"\n\
             advertise = \"{address}\"\nlease_seconds = {lease}\npatience_seconds = {APPEND_PATIENCE}\n{more}"
        );
        fs::write(&config, settings).unwrap();
        Self { data, address, config, monitored, process: None, is_paused: false }
    }

    /// Changes its configuration.
    pub(super) fn edit_config(&self, edit: impl FnOnce(String) -> String) {
        fs::write(&self.config, edit(fs::read_to_string(&self.config).unwrap())).unwrap();
    }

    /// Runs a command with the node's configuration.
    pub(super) fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kabar"));
        command.args(arguments).arg("--config").arg(&self.config).output().unwrap()
    }

    /// Runs a command of administrators with the node's configuration.
    pub(super) fn run_admin(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kabar"));
        command.args(["admin", "--config"]).arg(&self.config).args(words).output().unwrap()
    }

    /// What a command prints that succeeds.
    #[track_caller]
    pub(super) fn prints(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments);
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command prints that fails.
    #[track_caller]
    pub(super) fn refuses(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments);
        assert_eq!((output.status.code(), &output.stdout[..]), (Some(1), &[][..]), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    pub(super) fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kabar"));
        command.args(["serve", "--config"]).arg(&self.config);
        self.process = Some(Process::spawn(command, self.address).unwrap());
    }

    /// Starts it, and waits until it ends by itself with a message.
    pub(super) fn fails_to_start(&mut self, message: &str) {
        self.start();
        wait_until(&format!("{message:?} ends the node"), || !self.process().is_running());
        self.process().logs(message);
        self.process = None;
    }

    pub(super) fn process(&mut self) -> &mut Process {
        self.process.as_mut().unwrap()
    }

    pub(super) fn kill(&mut self) {
        self.process.take().unwrap().kill();
    }

    /// Stops it in order.
    pub(super) fn stop(&mut self) {
        assert_eq!(self.process.take().unwrap().terminate(), Some(0));
    }

    /// Stops it with SIGSTOP.
    pub(super) fn pause(&mut self) {
        self.is_paused = true;
        self.process().pause();
    }

    pub(super) fn go_on(&mut self) {
        self.is_paused = false;
        self.process().go_on();
    }

    /// Whether it answers clients.
    pub(super) fn serves(&self) -> bool {
        let is_able = self.process.is_some() && !self.is_paused;
        is_able && Connection::open(self.address).is_some_and(|mut connection| connection.ask("ping", "ping").is_some())
    }

    /// A page of its monitoring listener.
    pub(super) fn page(&self, path: &str) -> Option<(u16, String)> {
        get(self.monitored, path)
    }

    /// Waits until it answers clients.
    pub(super) fn is_served(&self) {
        wait_until("the node serves", || self.serves());
    }

    /// Waits until it knows that it cannot reach its cluster.
    pub(super) fn is_cut_off(&self) {
        let ready = || self.page("/readyz");
        let is_cut_off = |(status, text): (u16, String)| status == 503 && text.starts_with("the cluster cannot be");
        wait_until("the node is cut off", || ready().is_some_and(is_cut_off));
    }

    /// The entries of its log, as `kabar log` lists them.
    pub(super) fn log(&self) -> String {
        self.prints(&["log"])
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let (true, Some(process)) = (std::thread::panicking(), &self.process) {
            println!("the log of {}:\n{}", self.data.display(), process.log().join("\n"));
        }
    }
}

/// Three members of etcd, and three nodes.
pub(super) struct Cluster {
    // Ended in this order.
    pub(super) nodes: Vec<Node>,
    pub(super) etcd: Etcd,
    /// The way of each node to etcd, if it can be cut.
    pub(super) wires: Vec<Wire>,
    pub(super) home: TempDir,
}

impl Cluster {
    /// A cluster that serves, with a lease of so many seconds.
    pub(super) fn start(members: usize, lease: usize) -> Self {
        Self::start_with(members, lease, "")
    }

    /// Likewise, with more settings of each node.
    pub(super) fn start_with(members: usize, lease: usize, more: &str) -> Self {
        let etcd = Etcd::start(members);
        let address = etcd.address();
        Self::start_on(etcd, Vec::new(), |_| address.clone(), (lease, more))
    }

    /// As [`Cluster::start`], with one member of etcd, from which each node can be cut off.
    pub(super) fn start_behind_wires(lease: usize) -> Self {
        let etcd = Etcd::start(1);
        let wires: Vec<Wire> = (0..3).map(|_| Wire::to(etcd.first_address())).collect();
        let addresses: Vec<_> = wires.iter().map(|wire| format!("etcd://{}", wire.address)).collect();
        Self::start_on(etcd, wires, |node| addresses[node].clone(), (lease, ""))
    }

    fn start_on(etcd: Etcd, wires: Vec<Wire>, log: impl Fn(usize) -> String, (lease, more): (usize, &str)) -> Self {
        let home = TempDir::new().unwrap();
        let node = |place| Node::with(home.path(), &format!("node{}", place + 1), &log(place), lease, more);
        let mut nodes: Vec<Node> = (0..3).map(node).collect();
        nodes[0].prints(&["cluster", "init"]);
        let (first, others) = nodes.split_first_mut().unwrap();
        others.iter().for_each(|node| share_key(&first.data, &node.data));
        first.start();
        others.iter_mut().for_each(Node::start);
        let cluster = Self { nodes, etcd, wires, home };
        cluster.leader();
        cluster
    }

    /// Waits until a node leads that serves, and returns its index.
    #[track_caller]
    pub(super) fn leader(&self) -> usize {
        wait_for("a node leads", || {
            let status = self.nodes[0].command(&["cluster", "status"]).stdout;
            let status = String::from_utf8(status).unwrap();
            let mut words = status.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
            let name = words.find(|words| words.get(1) == Some(&"leads"))?[0].to_owned();
            self.nodes.iter().position(|node| node.data.ends_with(&name) && node.serves())
        })
    }

    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.address).collect()
    }

    /// Waits until all nodes have the same log, stops them in order, and compares what is on their disks.
    pub(super) fn expect_same_log_after_stop(&mut self) {
        let leader = self.leader();
        let is_same = |nodes: &[Node]| nodes.iter().all(|node| node.log() == nodes[leader].log());
        wait_until("all nodes have the log", || is_same(&self.nodes));
        let followers = (0..self.nodes.len()).filter(|node| *node != leader);
        followers.chain([leader]).for_each(|node| self.nodes[node].stop());
        for command in ["log", "export"] {
            let printed: Vec<String> = self.nodes.iter().map(|node| node.prints(&[command])).collect();
            assert!(printed[0].lines().count() > 1, "{command} is empty: {printed:?}");
            assert!(printed.iter().all(|copy| *copy == printed[0]), "{command} differs: {}", differences(&printed));
        }
    }
}

/// The first line that is not the same in all texts.
fn differences(texts: &[String]) -> String {
    let lines = |number: usize| texts.iter().map(|text| text.lines().nth(number)).collect::<Vec<_>>();
    let longest = texts.iter().map(|text| text.lines().count()).max().unwrap();
    let first = (0..longest).find(|number| lines(*number).windows(2).any(|pair| pair[0] != pair[1]));
    format!("line {first:?}: {:?}", first.map(lines))
}

/// Makes a data directory that has only the key of another one.
pub(super) fn share_key(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::copy(from.join("realm.key"), to.join("realm.key")).unwrap();
}
