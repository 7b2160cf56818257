//! A server that was on its own, with users and messages, becomes the first node of a cluster.

use tempfile::TempDir;

use super::client::Client;
use super::etcd::Etcd;
use super::nodes::{Cluster, Node, share_key};
use crate::support::process::Process;

/// In seconds.
const LEASE: usize = 30;

#[test]
fn a_server_becomes_a_node_and_others_start_on_its_backup_or_take_a_snapshot() {
    let (etcd, home) = (Etcd::start(1), TempDir::new().unwrap());
    let node = |name| Node::new(home.path(), name, &etcd.address(), LEASE);
    let (mut first, mut second, mut empty) = (node("node1"), node("node2"), node("node3"));
    let token = fill(&first);
    assert!(first.prints(&["cluster", "init"]).contains("kabar cluster invite"));
    first.prints(&["backup", second.data.to_str().unwrap()]);
    share_key(&first.data, &second.data);
    share_key(&first.data, &empty.data);
    first.start();
    second.start();
    second.is_served();
    // The log has not what was there before the cluster.
    empty.start();
    empty.process().logs("the store was begun by a snapshot");
    empty.is_served();
    let mut cluster = Cluster { nodes: vec![first, second, empty], etcd, wires: Vec::new(), home };
    let mut ani = Client::new(cluster.addresses(), &token);
    ani.ask("later", "send ani of the cluster");
    let leader = cluster.leader();
    cluster.nodes[leader].stop();
    let found: Vec<_> = ani.inbox().iter().map(|message| message["msg"].clone()).collect();
    assert_eq!(found, ["of the server", "of the cluster"]);
    cluster.nodes[leader].start();
    cluster.expect_same_log_after_stop();
}

/// Has a server on its own fill the data directory of a node, and returns the token of its user.
fn fill(node: &Node) -> String {
    let server = Process::start_with(&node.data, |command| {
        command.args(["--realm", "kota"]);
    });
    let mut ani = server.connect();
    let token = ani.asks("register ani rahasia").expect_ok().token();
    ani.asks("send ani of the server").expect_ok();
    assert_eq!(server.terminate(), Some(0));
    token
}
