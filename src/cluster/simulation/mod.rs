//! Deterministic simulation: three nodes and an engine in virtual time, with lost and late requests, cut-off, paused and
//! killed nodes, power cuts, and nodes that lose their store and take a snapshot of another one's. What was acknowledged is in the log once, in the order of its sender, and all nodes end with
//! the same log and state. Clients send to any node, which forwards to the leader over channels that break.
//!
//! Follower, leader, hub and committer are real. The engine, the disks, the channels and the clock are simulated. The seed
//! determines a run; a failing run prints it, and `TEST_SEED=N cargo test cluster::simulation` repeats it.

mod client;
mod engine;
mod engine_faults;
mod node;
mod run;

use crate::seeds::run_seeds;
use run::Run;

/// Runs per test, one for each seed.
const SEEDS: u64 = 1_000;

#[test]
fn what_is_acknowledged_is_in_one_log_once_and_in_order_despite_faults() {
    run_seeds(SEEDS, "cluster::simulation", |seed| Run::new(seed).perform());
}
