//! Runs simulations, each determined by a seed. Tests only.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a simulation with the seeds below `count`, on all cores; or with the one in `TEST_SEED`. A failing seed is printed.
pub(crate) fn run_seeds(count: u64, test: &str, run: fn(u64)) {
    if let Some(seed) = std::env::var("TEST_SEED").ok().and_then(|seed| seed.parse().ok()) {
        return run(seed);
    }
    let run_and_report = |seed| {
        let result = catch_unwind(AssertUnwindSafe(|| run(seed)));
        assert!(result.is_ok(), "failed: TEST_SEED={seed} cargo test {test} repeats it");
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|first| scope.spawn(move || (first..count).step_by(threads as usize).for_each(run_and_report)))
            .collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}
