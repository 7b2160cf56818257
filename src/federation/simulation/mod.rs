//! Three servers whose links break in every way, and their stores with them, in time that does not pass: whatever
//! happens in between, in the end every message that was acknowledged is where it belongs, once and in order.
//!
//! Everything above the channel is real: meeting, links, office, hub and committer. The network, the disks and the clock
//! are not. A run is made by its seed; one that fails prints it, and `KABAR_SEED=N cargo test simulation` repeats it.

mod network;
mod plan;
mod server;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use world::World;

/// How many runs there are, each with another seed.
const SEEDS: u64 = 1_000;

fn run(seed: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    // The jitter of dialling comes from the seed too.
    fastrand::seed(seed);
    runtime.block_on(async { World::new(seed).await.live().await });
}

fn run_loudly(seed: u64) {
    let done = catch_unwind(AssertUnwindSafe(|| run(seed)));
    assert!(done.is_ok(), "seed {seed} failed: KABAR_SEED={seed} repeats it");
}

#[test]
fn every_acknowledged_message_arrives_once_and_in_order_whatever_breaks() {
    if let Some(seed) = std::env::var("KABAR_SEED").ok().and_then(|seed| seed.parse().ok()) {
        return run(seed);
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|first| scope.spawn(move || (first..SEEDS).step_by(threads as usize).for_each(run_loudly)))
            .collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}
