//! Members of etcd are killed and paused under load: with a majority the service goes on, and without one nothing is
//! acknowledged.

use std::time::Instant;

use super::client::{Client, Connection};
use super::load::Load;
use super::nodes::{Cluster, Node};
use super::pause::PATIENCE;

/// In seconds: longer than an election of etcd.
const LEASE: usize = 3;
const MEMBERS: usize = 3;

#[test]
fn a_cluster_whose_etcd_fails_does_everything_once_and_acknowledges_nothing_without_a_majority() {
    let mut cluster = Cluster::start(MEMBERS, LEASE);
    let load = Load::begin(&cluster);
    let failures: Vec<_> = (0..2)
        .flat_map(|_| [kill_leading_member(&mut cluster, &load), pause_leading_member(&mut cluster, &load)])
        .collect();
    let sent = load.end();
    sent.expect_each_once(&cluster);
    println!("without service: {:?}", failures.iter().map(|failure| sent.silence(*failure)).collect::<Vec<_>>());
    refuse_without_majority(&mut cluster);
    cluster.expect_same_log_after_stop();
}

fn kill_leading_member(cluster: &mut Cluster, load: &Load) -> (Instant, Instant) {
    load.goes_on(20);
    let member = cluster.etcd.leader();
    let begun = Instant::now();
    cluster.etcd.kill(member);
    load.goes_on(100);
    cluster.etcd.start_again(member);
    (begun, Instant::now())
}

fn pause_leading_member(cluster: &mut Cluster, load: &Load) -> (Instant, Instant) {
    load.goes_on(20);
    let member = cluster.etcd.leader();
    let begun = Instant::now();
    cluster.etcd.pause(member);
    load.goes_on(100);
    cluster.etcd.go_on(member);
    load.goes_on(20);
    (begun, Instant::now())
}

/// Without a majority a change is refused or its connection ends. With one again, the repetition is done once.
fn refuse_without_majority(cluster: &mut Cluster) {
    let mut ani = Client::registered(cluster.addresses(), "ani");
    let mut connection = Connection::open(cluster.nodes[cluster.leader()].address).unwrap();
    connection.ask("bind", &format!("whoami {}", ani.token())).unwrap();
    let away: Vec<usize> = (1..MEMBERS).collect();
    away.iter().for_each(|member| cluster.etcd.kill(*member));
    let asked = Instant::now();
    connection.send("once", "send ani once").unwrap();
    let outcome = connection.late_reply("once");
    println!("without a majority, after {:?}: {outcome:?}", asked.elapsed());
    assert!(outcome.is_none_or(|reply| reply["status"] != "OK"), "acknowledged without a majority");
    assert!(asked.elapsed() < PATIENCE);
    cluster.nodes.iter().for_each(Node::is_cut_off);
    assert!(cluster.nodes.iter_mut().all(|node| node.process().is_running()), "a node gave up");
    away.iter().for_each(|member| cluster.etcd.spawn(*member));
    let repeated = ani.ask("once", "send ani once").reply;
    let found = ani.inbox();
    assert_eq!(found.len(), 1, "lost or twice: {found:?}");
    assert_eq!((&found[0]["msg"], &found[0]["id"]), (&"once".into(), &repeated["data"]["id"]));
}
