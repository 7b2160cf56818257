//! Clients of nodes that do not lead: they are served there, and notice nothing when the leader is killed.

use std::net::SocketAddr;
use std::thread;

use serde_json::Value;

use super::client::Connection;
use super::nodes::Cluster;
use super::pause::wait_until;

/// In seconds; the shortest that there is.
const LEASE: usize = 2;
/// Of each client.
const MESSAGES: usize = 300;

#[test]
fn a_client_of_any_node_is_served_there_and_keeps_its_connection_when_the_leader_is_killed() {
    let mut cluster = Cluster::start(3, LEASE);
    cluster.nodes.iter().for_each(|node| node.is_served());
    let leader = cluster.leader();
    let followers: Vec<SocketAddr> =
        (0..3).filter(|node| *node != leader).map(|node| cluster.nodes[node].address).collect();
    read_own_writes(&followers);
    see_who_is_online(&followers);
    let mut reader = logged_in(followers[0], "register reader rahasia");
    reader.ask("live", "subscribe").unwrap();
    let senders: Vec<_> = followers
        .iter()
        .enumerate()
        .map(|(sender, address)| {
            let mut connection = logged_in(*address, &format!("register sender{sender} rahasia"));
            thread::spawn(move || send_all(&mut connection, sender))
        })
        .collect();
    let mut pushed = vec![reader.pushed().unwrap()];
    cluster.nodes[leader].kill();
    let mut acknowledged: Vec<(u64, String)> = senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect();
    acknowledged.sort();
    while pushed.len() < acknowledged.len() {
        pushed.push(reader.pushed().expect("a push is missing"));
    }
    let pushed: Vec<(u64, String)> = pushed.iter().map(number_and_text).collect();
    assert_eq!(pushed, acknowledged, "the pushes are not what was acknowledged");
    cluster.nodes[leader].start();
    cluster.expect_same_log_after_stop();
}

/// A connection whose user was registered on it.
fn logged_in(address: SocketAddr, request: &str) -> Connection {
    let mut connection = Connection::open(address).unwrap();
    connection.wait_longer();
    let reply = connection.ask("login", request).unwrap();
    assert_eq!(reply["status"], "OK", "{reply}");
    connection
}

/// Sends one untagged message after the other, each once, whatever happens to the leader meanwhile.
fn send_all(connection: &mut Connection, sender: usize) -> Vec<(u64, String)> {
    let mut acknowledged = Vec::new();
    for number in 0..MESSAGES {
        let text = format!("{sender}-{number}");
        let reply = connection.ask_untagged(&format!("send reader {text}")).expect("the connection broke");
        assert_eq!(reply["status"], "OK", "{reply}");
        acknowledged.push((reply["data"]["id"].as_u64().unwrap(), text));
    }
    assert!(acknowledged.is_sorted(), "out of order");
    acknowledged
}

fn number_and_text(message: &Value) -> (u64, String) {
    (message["id"].as_u64().unwrap(), message["msg"].as_str().unwrap().to_owned())
}

/// What was sent in one write: a change, and what shows it.
fn read_own_writes(followers: &[SocketAddr]) {
    let mut ani = logged_in(followers[0], "register ani rahasia");
    for number in 0..5 {
        let (change, shown) = (format!("change{number}"), format!("shown{number}"));
        ani.send(&change, &format!("addgroup g{number} rahasia")).unwrap();
        ani.send(&shown, "groups").unwrap();
        let changed = ani.reply(&change).unwrap();
        assert_eq!(changed["status"], "OK", "{changed}");
        let shown = ani.reply(&shown).unwrap();
        assert!(shown["data"].to_string().contains(&format!("\"g{number}\"")), "{shown}");
    }
}

/// Who is connected to one node is online at the other, until the connection ends.
fn see_who_is_online(followers: &[SocketAddr]) {
    let budi = logged_in(followers[0], "register budi rahasia");
    let mut citra = logged_in(followers[1], "register citra rahasia");
    let mut online = || citra.ask("online", "showuseractive").unwrap()["data"].to_string();
    wait_until("budi is online at the other node", || online().contains("budi"));
    drop(budi);
    wait_until("budi is offline at the other node", || !online().contains("budi"));
}
