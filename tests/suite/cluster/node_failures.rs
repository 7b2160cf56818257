//! Any node is killed, paused, or cut off from etcd under load, whatever its role: nothing is lost, done twice or out of order, and the
//! nodes end with the same log.

use std::time::Instant;

use super::load::Load;
use super::nodes::Cluster;
use crate::support::seed::seed;

/// How many failures, unless the environment variable `CLUSTER_ROUNDS` says otherwise.
const ROUNDS: usize = 18;
/// In seconds; the shortest that there is.
const LEASE: usize = 2;

#[derive(Clone, Copy, Debug)]
enum Failure {
    Kill,
    Pause,
    Cut,
}

#[test]
fn a_cluster_whose_nodes_fail_in_any_role_does_everything_once() {
    let mut random = fastrand::Rng::with_seed(seed());
    let rounds = std::env::var("CLUSTER_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let mut cluster = Cluster::start_behind_wires(LEASE);
    let load = Load::begin(&cluster);
    let mut failures = Vec::new();
    for _ in 0..rounds {
        load.goes_on(random.usize(1..200));
        let failure = *random.choice(&[Failure::Kill, Failure::Pause, Failure::Cut]).unwrap();
        let (node, begun) = (random.usize(0..3), Instant::now());
        let led = cluster.leader() == node;
        fail(&mut cluster, node, failure);
        // Another node may have to begin to lead.
        load.goes_on(random.usize(20..200));
        recover(&mut cluster, node, failure);
        failures.push((failure, led, (begun, Instant::now())));
    }
    let sent = load.end();
    for (failure, led, span) in failures {
        println!("{failure:?} of {}: silence {:?}", if led { "the leader" } else { "a follower" }, sent.silence(span));
    }
    sent.expect_each_once(&cluster);
    cluster.expect_same_log_after_stop();
}

fn fail(cluster: &mut Cluster, node: usize, failure: Failure) {
    match failure {
        Failure::Kill => cluster.nodes[node].kill(),
        Failure::Pause => cluster.nodes[node].pause(),
        Failure::Cut => cluster.wires[node].cut(),
    }
}

fn recover(cluster: &mut Cluster, node: usize, failure: Failure) {
    match failure {
        Failure::Kill => cluster.nodes[node].start(),
        Failure::Pause => cluster.nodes[node].go_on(),
        Failure::Cut => cluster.wires[node].mend(),
    }
    cluster.nodes[node].is_served();
}
