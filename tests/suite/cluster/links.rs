//! Other realms, from every node: links that are asked for at a node which does not lead, and messages both ways while leaders
//! die.

use std::thread;

use kabar::config::Allowed;
use serde_json::Value;

use super::nodes::Cluster;
use super::pause::wait_until;
use crate::support::port::free_address;
use crate::support::{Client, TestServer};

/// In seconds; the shortest that there is.
const LEASE: usize = 2;
/// Of each client.
const MESSAGES: usize = 60;

/// Three nodes of the realm kota, and the server of the realm timur.
struct Realms {
    kota: Cluster,
    timur: TestServer,
    leader: usize,
}

impl Realms {
    fn apart(settings: &str) -> Self {
        let kota = Cluster::start_with(1, LEASE, settings);
        kota.nodes.iter().for_each(|node| node.is_served());
        // Whoever adds realms there is not asked for more.
        let timur = TestServer::of_realm("timur", |config| config.realms.add = Allowed::Everyone);
        let leader = kota.leader();
        Self { kota, timur, leader }
    }

    /// The nodes that do not lead.
    fn followers(&self) -> [usize; 2] {
        let mut followers = (0..3).filter(|node| *node != self.leader);
        [followers.next().unwrap(), followers.next().unwrap()]
    }

    fn client(&self, node: usize) -> Client {
        Client::connect(self.kota.nodes[node].address)
    }

    fn henderson(&self) -> Client {
        self.timur.connect().logged_in("henderson", "surabaya")
    }

    fn addrealm_timur(&self) -> String {
        let home = self.timur.home();
        format!("addrealm timur {} {}", home.ip(), home.port())
    }
}

fn is_delivered(reply: &Value) -> bool {
    assert_eq!(reply["status"], "OK", "{reply}");
    reply["data"]["delivered"].as_bool().unwrap()
}

fn has_nothing_queued(realm: &Value) -> bool {
    realm["queued"].as_u64().is_none_or(|queued| queued == 0)
}

/// Sends one message after the other, each once, whatever happens to the leader meanwhile. Returns the texts that were
/// acknowledged.
fn send_all(client: &mut Client, to: &str, sender: usize) -> Vec<String> {
    let send = |number| {
        let text = format!("{sender}-{number}");
        client.asks(&format!("send {to} {text}")).expect_ok();
        text
    };
    (0..MESSAGES).map(send).collect()
}

/// The texts of all messages that come to a user, until there are so many.
fn receive(reader: &mut Client, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    wait_until("all messages have come", || {
        texts.extend(reader.asks("inbox").expect_ok().texts());
        texts.len() >= count
    });
    texts
}

fn of_sender(texts: &[String], sender: usize) -> Vec<String> {
    texts.iter().filter(|text| text.starts_with(&format!("{sender}-"))).cloned().collect()
}

#[test]
fn a_realm_that_is_added_at_a_follower_is_reached_from_every_node() {
    let realms = Realms::apart("");
    let [one, other] = realms.followers();
    let mut users: Vec<Client> = (0..3).map(|node| realms.client(node).registered(&format!("user{node}"))).collect();
    refuse_what_the_leader_refuses(&realms, &mut users);
    let added = users[one].asks(&realms.addrealm_timur()).expect_ok();
    assert_eq!((added.message(), &added.0["data"]["realm"]), ("Realm added successfully", &"timur".into()));
    assert!(added.0["data"]["key"].is_string(), "{}", added.0);
    assert_eq!(users[other].asks(&realms.addrealm_timur()).code(), "realm_exists");
    show_the_link(&realms, &mut users);
    for (node, user) in users.iter_mut().enumerate() {
        assert!(is_delivered(&user.asks(&format!("send henderson@timur from {node}")).0), "at node {node}");
        assert_eq!(user.asks("send nobody@timur x").code(), "user_not_found", "at node {node}");
        assert!(user.asks("inbox").texts().is_empty(), "what the reply has told is no notification");
    }
    let mut henderson = realms.henderson();
    assert_eq!(henderson.asks("inbox").texts(), ["from 0", "from 1", "from 2"]);
    for (node, user) in users.iter_mut().enumerate() {
        assert!(is_delivered(&henderson.asks(&format!("send user{node}@kota to {node}")).0));
        wait_until("the message is at the node", || user.asks("inbox").texts() == [format!("to {node}")]);
    }
}

fn refuse_what_the_leader_refuses(realms: &Realms, users: &mut [Client]) {
    let closed = free_address().port();
    for node in [realms.leader, realms.followers()[0]] {
        let mut code = |request: &str| users[node].asks(request).code().to_owned();
        assert_eq!(code(&format!("addrealm lain 127.0.0.1 {closed}")), "realm_unreachable", "at node {node}");
        assert_eq!(code("addrealm lain 192.0.2.1 8888"), "forbidden", "at node {node}");
        assert_eq!(code("addrealm kota 127.0.0.1 8888"), "realm_exists", "at node {node}");
    }
}

/// Every node shows the link as the leader has it.
fn show_the_link(realms: &Realms, users: &mut [Client]) {
    for (node, user) in users.iter_mut().enumerate() {
        wait_until("the node shows the link", || {
            let found = user.asks("realms").0["data"].as_array().unwrap().iter().any(|realm| realm["state"] == "up");
            found && realms.kota.nodes[node].page("/metrics").unwrap().1.contains("kabar_links{state=\"down\"} 0")
        });
    }
}

#[test]
fn a_server_that_dials_a_follower_is_linked_also_when_another_node_leads() {
    // This realm dials nobody: each link comes through the node that timur knows.
    let mut realms = Realms::apart("[realms]\naccept = \"loopback\"\ndial = []\n");
    let [known, other] = realms.followers();
    let mut henderson = realms.henderson();
    let address = realms.kota.nodes[known].address;
    henderson.asks(&format!("addrealm kota {} {}", address.ip(), address.port())).expect_ok();
    let mut reader = realms.client(other).registered("reader");
    let mut senders = [known, other].map(|node| realms.client(node).registered(&format!("sender{node}")));
    wait_until("timur is known", || is_delivered(&senders[0].asks("send messi@timur x").0));
    assert!(is_delivered(&henderson.asks("send reader@kota 9-before").0));
    let mut messi = realms.timur.connect().logged_in("messi", "surabaya");
    messi.asks("inbox").expect_ok();
    thread::scope(|scope| {
        let out = senders
            .iter_mut()
            .enumerate()
            .map(|(number, sender)| scope.spawn(move || send_all(sender, "messi@timur", number)));
        let out: Vec<_> = out.collect();
        let back = scope.spawn(|| send_all(&mut henderson, "reader@kota", 0));
        receive(&mut reader, 2);
        realms.kota.nodes[realms.leader].kill();
        let out: Vec<Vec<String>> = out.into_iter().map(|sender| sender.join().unwrap()).collect();
        let back = back.join().unwrap();
        let came = receive(&mut messi, out.iter().map(Vec::len).sum());
        for (number, sent) in out.iter().enumerate() {
            assert_eq!(of_sender(&came, number), *sent, "lost, twice or out of order");
        }
        let mut last = Vec::new();
        wait_until("all have come back", || {
            last.extend(reader.asks("inbox").expect_ok().texts());
            last.last() == back.last()
        });
        assert_eq!(last, back[back.len() - last.len()..], "lost, twice or out of order");
    });
    wait_until("the link is up again", || is_delivered(&senders[1].asks("send messi@timur x").0));
    // What was acknowledged is written a while later: no node is to write after the others have stopped.
    let is_noted = |node: &mut Client| node.asks("realms").0["data"].as_array().unwrap().iter().all(has_nothing_queued);
    wait_until("the log has all acknowledgements", || is_noted(&mut reader));
    realms.kota.nodes[realms.leader].start();
    realms.kota.expect_same_log_after_stop();
}
