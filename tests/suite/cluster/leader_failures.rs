//! The node that leads is killed, paused and stopped under load: nothing is lost, done twice or out of order, and the nodes
//! end with the same log.

use std::time::{Duration, Instant};

use super::client::Connection;
use super::load::{Load, Sent};
use super::nodes::Cluster;
use super::pause::wait_for;
use crate::support::seed::seed;

/// How often the leader is killed, unless the environment variable `CLUSTER_ROUNDS` says otherwise.
const KILLS: usize = 6;
const PAUSES: usize = 2;
/// In seconds; the shortest that there is.
const LEASE: usize = 2;

#[test]
fn a_cluster_whose_leader_is_killed_paused_and_stopped_does_everything_once() {
    let mut random = fastrand::Rng::with_seed(seed());
    let kills = std::env::var("CLUSTER_ROUNDS").map_or(KILLS, |rounds| rounds.parse().unwrap());
    let mut cluster = Cluster::start(3, LEASE);
    let load = Load::begin(&cluster);
    // First, so that nodes are killed that have led and followed before.
    (0..PAUSES).for_each(|round| pause_leader(&mut cluster, &load, round));
    let killed: Vec<Instant> = (0..kills).map(|_| kill_leader(&mut cluster, &load, &mut random)).collect();
    stop_leader(&mut cluster, &load);
    let sent = load.end();
    sent.expect_each_once(&cluster);
    cluster.expect_same_log_after_stop();
    report(&sent, &killed);
}

/// Kills the leader after a random number of replies, and starts it again when another node leads.
fn kill_leader(cluster: &mut Cluster, load: &Load, random: &mut fastrand::Rng) -> Instant {
    load.goes_on(random.usize(1..200));
    let victim = cluster.leader();
    let killed = Instant::now();
    cluster.nodes[victim].kill();
    assert_ne!(cluster.leader(), victim);
    load.goes_on(random.usize(1..50));
    cluster.nodes[victim].start();
    killed
}

/// Pauses the leader until another node leads. What it had received it has the other one do, or refuses.
fn pause_leader(cluster: &mut Cluster, load: &Load, round: usize) {
    load.goes_on(20);
    let victim = cluster.leader();
    let mut held = Connection::open(cluster.nodes[victim].address).unwrap();
    held.wait_longer();
    held.ask("hold", &format!("register held{round} rahasia")).unwrap();
    cluster.nodes[victim].pause();
    held.send("late", &format!("send held{round} late")).unwrap();
    let successor = cluster.leader();
    load.goes_on(20);
    cluster.nodes[victim].go_on();
    let late = held.late_reply("late").expect("the connection broke");
    cluster.nodes[victim].is_served();
    let found = wait_for("the node shows the inbox", || {
        let found = held.ask("found", "inbox").expect("the connection broke");
        // For a moment it may not know yet who leads.
        (found["code"] != "unavailable").then_some(found)
    });
    let is_there = found["data"].as_array().is_some_and(|messages| messages.len() == 1);
    assert_eq!(late["status"] == "OK", is_there, "{late} {found}");
    assert!(cluster.nodes[successor].serves(), "two nodes took over one after the other");
    load.goes_on(20);
}

/// A node that is stopped in order ends its term: the next one need not wait for the lease.
fn stop_leader(cluster: &mut Cluster, load: &Load) {
    load.goes_on(20);
    let leader = cluster.leader();
    cluster.nodes[leader].stop();
    load.goes_on(20);
    cluster.nodes[leader].start();
}

fn report(sent: &Sent, killed: &[Instant]) {
    let mut gaps: Vec<Duration> = killed.iter().flat_map(|moment| sent.gaps_after(*moment)).collect();
    gaps.sort();
    if let (Some(worst), Some(median)) = (gaps.last(), gaps.get(gaps.len() / 2)) {
        println!("{} messages; without service after a kill: median {median:?}, worst {worst:?}", sent.count());
    }
}
