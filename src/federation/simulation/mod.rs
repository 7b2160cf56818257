//! Deterministic simulation: three servers in virtual time, with network faults, crashes and restored backups. Once the
//! faults end, every acknowledged message has arrived once and in order.
//!
//! Everything above the transport is real: handshakes, links, link manager, hub and committer. The network, the disks and
//! the clock are simulated. The seed determines a run; a failing run prints it, and `TEST_SEED=N cargo test federation::simulation`
//! repeats it.

mod cluster;
mod network;
mod plan;
mod server;

use crate::seeds::run_seeds;
use cluster::Cluster;

/// Runs per test, one for each seed.
const SEEDS: u64 = 1_000;

fn run(seed: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    // Also determines the jitter of the backoff.
    fastrand::seed(seed);
    runtime.block_on(async { Cluster::new(seed).await.run().await });
}

#[test]
fn every_acknowledged_message_arrives_once_and_in_order_despite_faults() {
    run_seeds(SEEDS, "federation::simulation", run);
}
