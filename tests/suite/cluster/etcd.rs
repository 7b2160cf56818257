//! A cluster of etcd on this machine.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use data_encoding::BASE64;
use tempfile::TempDir;

use super::pause::{get, post, wait_for, wait_until};
use crate::support::port::free_address;
use crate::support::process::Process;

pub(super) struct Etcd {
    members: Vec<Member>,
    /// All members, as each of them wants to be told.
    peers: String,
    home: TempDir,
}

struct Member {
    clients: SocketAddr,
    peer: SocketAddr,
    process: Option<Process>,
    is_paused: bool,
}

impl Etcd {
    pub(super) fn start(count: usize) -> Self {
        let member = |_| Member { clients: free_address(), peer: free_address(), process: None, is_paused: false };
        let members: Vec<Member> = (0..count).map(member).collect();
        let peers: Vec<String> =
            members.iter().enumerate().map(|(index, member)| format!("m{index}=http://{}", member.peer)).collect();
        let mut etcd = Self { members, peers: peers.join(","), home: TempDir::new().unwrap() };
        (0..count).for_each(|member| etcd.spawn(member));
        (0..count).for_each(|member| etcd.wait_for_health(member));
        etcd
    }

    /// As `[cluster] log` names it.
    pub(super) fn address(&self) -> String {
        let members: Vec<String> = self.members.iter().map(|member| member.clients.to_string()).collect();
        format!("etcd://{}", members.join(","))
    }

    /// Where the first member serves clients.
    pub(super) fn first_address(&self) -> SocketAddr {
        self.members[0].clients
    }

    /// Cuts the log of a realm behind all that it has, as the leader does when it has become long.
    pub(super) fn cut_log(&self, realm: &str) {
        // The range of all keys that begin with the first one: `0` follows `/`.
        let key = |last: char| BASE64.encode(format!("/kabar/{realm}/log{last}").as_bytes());
        let body = format!("{{\"key\":\"{}\",\"range_end\":\"{}\"}}", key('/'), key('0'));
        let (status, answer) = post(self.members[0].clients, "/v3/kv/deleterange", &body).unwrap();
        assert!(status == 200 && answer.contains("\"deleted\""), "{status} {answer}");
    }

    /// The member that leads the others.
    pub(super) fn leader(&self) -> usize {
        let leads = |member: &Member| {
            let metrics = (!member.is_paused).then(|| get(member.clients, "/metrics")).flatten();
            metrics.is_some_and(|(_, text)| text.contains("\netcd_server_is_leader 1\n"))
        };
        wait_for("a member of etcd leads", || self.members.iter().position(leads))
    }

    pub(super) fn kill(&mut self, member: usize) {
        self.members[member].process.take().unwrap().kill();
    }

    pub(super) fn start_again(&mut self, member: usize) {
        self.spawn(member);
        self.wait_for_health(member);
    }

    /// Stops a member with SIGSTOP.
    pub(super) fn pause(&mut self, member: usize) {
        self.members[member].is_paused = true;
        self.members[member].process.as_ref().unwrap().pause();
    }

    pub(super) fn go_on(&mut self, member: usize) {
        self.members[member].process.as_ref().unwrap().go_on();
        self.members[member].is_paused = false;
        self.wait_for_health(member);
    }

    /// Starts a member. With short elections: the shortest lease is one and a half of them.
    pub(super) fn spawn(&mut self, index: usize) {
        let (data, peers): (PathBuf, _) = (self.home.path().join(index.to_string()), &self.peers);
        let member = &mut self.members[index];
        let (clients, peer) = (format!("http://{}", member.clients), format!("http://{}", member.peer));
        let mut etcd = Command::new("etcd");
        etcd.args(["--name", &format!("m{index}"), "--data-dir"]).arg(data);
        etcd.args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients]);
        etcd.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer, "--initial-cluster", peers]);
        etcd.args(["--heartbeat-interval", "50", "--election-timeout", "500", "--log-level", "error"]);
        let started = Process::spawn(etcd, member.clients);
        member.process = Some(
            started.unwrap_or_else(|error| panic!("etcd cannot be started ({error}): apt-get install etcd-server")),
        );
    }

    fn wait_for_health(&self, member: usize) {
        let health = || get(self.members[member].clients, "/health");
        wait_until("a member of etcd is healthy", || health().is_some_and(|(_, text)| text.contains(r#""true""#)));
    }
}
