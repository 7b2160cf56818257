//! Deterministic simulation: three servers in virtual time, with network faults, crashes and restored backups. Once the
//! faults end, every acknowledged message has arrived once and in order.
//!
//! Everything above the transport is real: handshakes, links, link manager, hub and committer. The network, the disks and
//! the clock are simulated. The seed determines a run; a failing run prints it, and `TEST_SEED=N cargo test simulation`
//! repeats it.

mod cluster;
mod network;
mod plan;
mod server;

use std::panic::{AssertUnwindSafe, catch_unwind};

use cluster::Cluster;

/// Runs per test, one for each seed.
const SEEDS: u64 = 1_000;

fn run(seed: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    // Also determines the jitter of the backoff.
    fastrand::seed(seed);
    runtime.block_on(async { Cluster::new(seed).await.run().await });
}

fn run_and_report(seed: u64) {
    let result = catch_unwind(AssertUnwindSafe(|| run(seed)));
    assert!(result.is_ok(), "failed: TEST_SEED={seed} cargo test simulation repeats it");
}

#[test]
fn every_acknowledged_message_arrives_once_and_in_order_despite_faults() {
    if let Some(seed) = std::env::var("TEST_SEED").ok().and_then(|seed| seed.parse().ok()) {
        return run(seed);
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|first| scope.spawn(move || (first..SEEDS).step_by(threads as usize).for_each(run_and_report)))
            .collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}
