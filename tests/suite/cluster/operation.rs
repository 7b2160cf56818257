//! What the operator of a cluster sees and does.

use std::time::{Duration, Instant};

use super::client::{Client, Connection};
use super::nodes::{Cluster, Node, share_key};
use super::pause::wait_until;
use crate::support::process::Process;

/// In seconds: much longer than anything here may take that does not wait for it.
const LEASE: usize = 30;

#[test]
fn an_operator_sees_who_leads_stops_nodes_and_adds_them() {
    let mut cluster = Cluster::start(1, LEASE);
    let mut ani = Client::registered(cluster.addresses(), "ani");
    ani.ask("before", "send ani before");
    expect_status(&cluster);
    expect_health(&cluster);
    expect_metrics(&cluster);
    refuse_foreign_data(&cluster);
    add_node(&mut cluster);
    let mut ani = Client::new(cluster.addresses(), ani.token());
    step_down(&cluster, &mut ani);
    hand_over(&mut cluster, &mut ani);
    let found: Vec<_> = ani.inbox().iter().map(|message| message["msg"].clone()).collect();
    assert_eq!(found, ["before", "between", "after"]);
    cluster.expect_same_log_after_stop();
}

fn expect_status(cluster: &Cluster) {
    let (leader, node) = (format!("node{}", cluster.leader() + 1), &cluster.nodes[2]);
    let status = || node.prints(&["cluster", "status"]);
    let is_complete = |text: &str| (1..=3).all(|number| text.contains(&format!("\nnode{number} ")));
    wait_until("the status shows all nodes", || is_complete(&status()));
    let status = status();
    let roles: Vec<(&str, &str)> = status.lines().skip(2).filter_map(name_and_role).collect();
    let role = |name: &str| if name == leader { "leads" } else { "follows" };
    assert_eq!(roles, ["node1", "node2", "node3"].map(|name| (name, role(name))), "{status}");
    assert!(cluster.nodes.iter().all(|node| status.contains(&node.address.to_string())), "{status}");
}

fn name_and_role(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    Some((words.next()?, words.next()?))
}

fn expect_health(cluster: &Cluster) {
    for node in &cluster.nodes {
        node.is_served();
        assert_eq!(node.page("/livez"), Some((200, "ok\n".into())));
        assert_eq!(node.page("/readyz"), Some((200, "ok\n".into())));
    }
}

/// One node leads, and the two others have a channel to it.
fn expect_metrics(cluster: &Cluster) {
    let leader = cluster.leader();
    let metric = |node: &Node, name: &str| {
        let (_, text) = node.page("/metrics").unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse::<f64>().ok());
        value.unwrap_or_else(|| panic!("{name} is not in {text}"))
    };
    wait_until("both followers have a channel", || metric(&cluster.nodes[leader], "kabar_node_channels") == 2.0);
    for (number, node) in cluster.nodes.iter().enumerate() {
        let leads = f64::from(number == leader);
        assert_eq!(metric(node, "kabar_node_leads"), leads);
        assert_eq!(metric(node, "kabar_node_terms_total"), leads);
        assert_eq!(metric(node, "kabar_node_cut_off"), 0.0);
        assert_eq!(metric(node, "kabar_node_forwards_waiting"), 0.0);
    }
}

fn refuse_foreign_data(cluster: &Cluster) {
    let mut foreign = new_node(cluster, "foreign");
    let server = Process::start(&foreign.data);
    server.connect().registered("budi");
    assert_eq!(server.terminate(), Some(0));
    foreign.fails_to_start("the data directory holds data that is not of this cluster");
}

/// A node joins with an empty directory, whatever was tried with that before. Then it has all of the log.
fn add_node(cluster: &mut Cluster) {
    let mut added = new_node(cluster, "node4");
    let refusal = added.refuses(&["cluster", "init"]);
    assert!(refusal.contains("the cluster has a log already"), "{refusal}");
    added.fails_to_start("realm.key of this node's data directory is not that of the cluster's other nodes");
    share_key(&cluster.nodes[0].data, &added.data);
    added.start();
    added.is_served();
    cluster.nodes.push(added);
}

/// The leader makes way for another node. No connection breaks, and nobody waits for the lease to run out.
fn step_down(cluster: &Cluster, ani: &mut Client) {
    let (leader, begun) = (cluster.leader(), Instant::now());
    let mut connection = Connection::open(cluster.nodes[leader].address).unwrap();
    connection.wait_longer();
    connection.ask("bind", &format!("whoami {}", ani.token())).unwrap();
    let told = cluster.nodes[0].prints(&["cluster", "step-down"]);
    let next = cluster.leader();
    assert_ne!(next, leader);
    assert_eq!(told, format!("node{} leads now; node{} follows\n", next + 1, leader + 1));
    let kept = connection.ask("kept", "send ani between").expect("the connection broke");
    assert_eq!(kept["status"], "OK", "{kept}");
    let taken = begun.elapsed();
    assert!(taken < Duration::from_secs(LEASE as u64 / 2), "{taken:?}");
}

/// A node that leads and is stopped in order ends its term: the next one does not wait for the lease to run out.
fn hand_over(cluster: &mut Cluster, ani: &mut Client) {
    let (leader, stopped) = (cluster.leader(), Instant::now());
    cluster.nodes[leader].stop();
    ani.ask("after", "send ani after");
    let gap = stopped.elapsed();
    println!("without service after an orderly stop: {gap:?}");
    assert!(gap < Duration::from_secs(LEASE as u64 / 2), "{gap:?}");
    cluster.nodes[leader].start();
}

fn new_node(cluster: &Cluster, name: &str) -> Node {
    Node::new(cluster.home.path(), name, &cluster.etcd.address(), LEASE)
}
