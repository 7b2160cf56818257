//! Deterministic simulation: three nodes and an engine in virtual time, with lost and late requests, cut-off, paused and
//! killed nodes, and power cuts. What was acknowledged is in the log once, in the order of its sender, and all nodes end with
//! the same log.
//!
//! Standby, leader, hub and committer are real. The engine, the disks and the clock are simulated. The seed determines a run;
//! a failing run prints it, and `TEST_SEED=N cargo test cluster::simulation` repeats it.

mod client;
mod engine;
mod engine_faults;
mod node;
mod run;

use std::panic::{AssertUnwindSafe, catch_unwind};

use run::Run;

/// Runs per test, one for each seed.
const SEEDS: u64 = 1_000;

fn run_and_report(seed: u64) {
    let result = catch_unwind(AssertUnwindSafe(|| Run::new(seed).perform()));
    assert!(result.is_ok(), "failed: TEST_SEED={seed} cargo test cluster::simulation repeats it");
}

#[test]
fn what_is_acknowledged_is_in_one_log_once_and_in_order_despite_faults() {
    if let Some(seed) = std::env::var("TEST_SEED").ok().and_then(|seed| seed.parse().ok()) {
        return Run::new(seed).perform();
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|first| scope.spawn(move || (first..SEEDS).step_by(threads as usize).for_each(run_and_report)))
            .collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}
