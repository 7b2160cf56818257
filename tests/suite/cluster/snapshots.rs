//! Nodes that get what the log does not have any more: by a join token, or because they were away too long.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use super::client::Client;
use super::nodes::{Cluster, Node};
use super::pause::wait_until;

/// In seconds: longer than anything here takes that does not wait for it.
const LEASE: usize = 30;
/// Enough for several chunks of a snapshot.
const MESSAGES: usize = 60;

/// Messages of some kilobytes, and what they are numbered by.
fn send_many(ani: &mut Client, what: &str) {
    for number in 0..MESSAGES {
        ani.ask(&format!("{what}{number}"), &format!("send ani {what} {number} {}", "x".repeat(5_000)));
    }
}

/// Waits until all nodes have the same log, and cuts that in etcd.
fn cut_behind(cluster: &Cluster, running: &[usize]) {
    let logs = || running.iter().map(|node| cluster.nodes[*node].log()).collect::<Vec<_>>();
    wait_until("these nodes have the log", || logs().windows(2).all(|pair| pair[0] == pair[1]));
    cluster.etcd.cut_log("kota");
}

fn new_node(cluster: &Cluster, name: &str) -> Node {
    Node::new(cluster.home.path(), name, &cluster.etcd.address(), LEASE)
}

fn invite(node: &Node) -> String {
    let token = node.prints(&["cluster", "invite"]).trim_end().to_owned();
    assert!(token.starts_with("kabar-join-1."), "{token}");
    token
}

#[test]
fn a_machine_joins_by_a_token_though_the_log_was_cut() {
    let mut cluster = Cluster::start(1, LEASE);
    let mut ani = Client::registered(cluster.addresses(), "ani");
    send_many(&mut ani, "before");
    cut_behind(&cluster, &[0, 1, 2]);
    let leader = cluster.leader();
    let token = invite(&cluster.nodes[leader]);
    let mut added = new_node(&cluster, "node4");
    let told = added.prints(&["cluster", "join", &token]);
    assert!(told.contains("Now start this node: kabar serve"), "{told}");
    let key = |node: &Node| fs::read(node.data.join("realm.key")).unwrap();
    assert_eq!(key(&added), key(&cluster.nodes[0]));
    assert_eq!(fs::metadata(added.data.join("realm.key")).unwrap().permissions().mode() & 0o777, 0o600);
    added.start();
    added.is_served();
    let mut there = Client::new(vec![added.address], ani.token());
    assert_eq!(there.inbox().len(), MESSAGES);
    there.ask("after", "send ani after");
    cluster.nodes.push(added);
    cluster.expect_same_log_after_stop();
}

#[test]
fn a_token_is_good_once_and_whoever_shows_another_one_is_named_in_the_log() {
    let mut cluster = Cluster::start(1, LEASE);
    cluster.nodes[0].is_served();
    let token = invite(&cluster.nodes[0]);
    let (first, second) = (new_node(&cluster, "node4"), new_node(&cluster, "node5"));
    refuse_before_the_secret_is_shown(&cluster, &token);
    first.prints(&["cluster", "join", &token]);
    let refusal = second.refuses(&["cluster", "join", &token]);
    assert!(refusal.contains("the token is not good here: it was used"), "{refusal}");
    assert!(!second.data.exists(), "a refused join leaves nothing");
    let line = cluster.nodes[0].process().logs("a wrong join token was shown");
    assert!(line.contains("node5") && line.contains("127.0.0.1"), "{line}");
    let secret = &token[token.len() - 30..];
    assert!(cluster.nodes[0].process().log().iter().all(|line| !line.contains(secret)), "the log has the secret");
    let refusal = first.refuses(&["cluster", "join", &invite(&cluster.nodes[0])]);
    assert!(refusal.contains("is not empty"), "{refusal}");
}

/// What the machine itself refuses leaves the token good.
fn refuse_before_the_secret_is_shown(cluster: &Cluster, token: &str) {
    let again = new_node(cluster, "node3");
    let refusal = output_of(&again.command(&["cluster", "join", token, "--data", "/nonexistent-of-a-test/data"]));
    assert!(refusal.contains("a node called node3 is in the cluster already"), "{refusal}");
    let added = new_node(cluster, "node4");
    let refusal = added.refuses(&["cluster", "join", &token[..token.len() - 1]]);
    assert!(refusal.contains("this is no join token, or not all of it"), "{refusal}");
    let other = new_node(cluster, "other");
    let refusal = with_realm(&other, "desa", token);
    assert!(refusal.contains("the token is of the realm kota, and the configuration of desa"), "{refusal}");
    fs::create_dir_all(&added.data).unwrap();
    fs::write(added.data.join("thesis.txt"), "…").unwrap();
    assert!(added.refuses(&["cluster", "join", token]).contains("is not empty"));
    fs::remove_dir_all(&added.data).unwrap();
}

fn output_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What a node says that joins with the configuration of another realm.
fn with_realm(node: &Node, realm: &str, token: &str) -> String {
    node.edit_config(|settings| settings.replace("realm = \"kota\"", &format!("realm = \"{realm}\"")));
    node.refuses(&["cluster", "join", token])
}

#[test]
fn a_node_that_was_stopped_while_the_log_was_cut_behind_it_comes_back_by_itself() {
    let mut cluster = Cluster::start(1, LEASE);
    let mut ani = Client::registered(cluster.addresses(), "ani");
    send_many(&mut ani, "before");
    cluster.nodes.iter().for_each(Node::is_served);
    let leader = cluster.leader();
    let [away, other] = [(leader + 1) % 3, (leader + 2) % 3];
    cluster.nodes[away].stop();
    let mut ani = Client::new(vec![cluster.nodes[leader].address], ani.token());
    send_many(&mut ani, "meanwhile");
    cut_behind(&cluster, &[leader, other]);
    cluster.nodes[away].start();
    let line = cluster.nodes[away].process().logs("the store was replaced by a snapshot");
    assert!(line.contains("kabar.db.before-snapshot-"), "{line}");
    cluster.nodes[away].is_served();
    let mut there = Client::new(vec![cluster.nodes[away].address], ani.token());
    assert_eq!(there.inbox().len(), 2 * MESSAGES);
    cluster.expect_same_log_after_stop();
}

#[test]
fn a_node_that_was_paused_while_the_log_was_cut_behind_it_comes_back_by_itself() {
    let mut cluster = Cluster::start(1, LEASE);
    let ani = Client::registered(cluster.addresses(), "ani");
    cluster.nodes.iter().for_each(Node::is_served);
    let leader = cluster.leader();
    let [away, other] = [(leader + 1) % 3, (leader + 2) % 3];
    cluster.nodes[away].pause();
    let mut ani = Client::new(vec![cluster.nodes[leader].address], ani.token());
    // More than the leader keeps for a channel, and than the system's buffers hold.
    (0..20).for_each(|round| send_many(&mut ani, &format!("round{round}")));
    cut_behind(&cluster, &[leader, other]);
    cluster.nodes[away].go_on();
    cluster.nodes[away].process().logs("the store was replaced by a snapshot");
    cluster.nodes[away].is_served();
    cluster.expect_same_log_after_stop();
}

#[test]
fn a_store_with_another_history_is_never_replaced() {
    let mut cluster = Cluster::start(1, LEASE);
    let mut ani = Client::registered(cluster.addresses(), "ani");
    send_many(&mut ani, "before");
    cluster.nodes.iter().for_each(Node::is_served);
    let leader = cluster.leader();
    let [away, other] = [(leader + 1) % 3, (leader + 2) % 3];
    cut_behind(&cluster, &[0, 1, 2]);
    cluster.nodes[away].stop();
    write_beside_the_log(&cluster.nodes[away]);
    let mut ani = Client::new(vec![cluster.nodes[leader].address], ani.token());
    send_many(&mut ani, "meanwhile");
    cut_behind(&cluster, &[leader, other]);
    let before = cluster.nodes[away].log();
    cluster.nodes[away].fails_to_start("is not the one that this node has followed");
    assert_eq!(cluster.nodes[away].log(), before);
}

/// Gives a node's store an entry that the cluster's log does not have, and hides that.
fn write_beside_the_log(node: &Node) {
    let database = || rusqlite::Connection::open(node.data.join("kabar.db")).unwrap();
    let place = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let (seq, hash): (u64, Vec<u8>) = database().query_row("SELECT seq, hash FROM replica", [], place).unwrap();
    node.prints(&["cluster", "leave"]);
    assert!(node.run_admin(&["lock", "ani"]).status.success());
    let database = database();
    database.execute_batch("CREATE TABLE replica (seq INTEGER NOT NULL, hash BLOB NOT NULL)").unwrap();
    database.execute("INSERT INTO replica (seq, hash) VALUES (?1, ?2)", (seq, hash)).unwrap();
}
