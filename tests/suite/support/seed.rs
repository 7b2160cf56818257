//! Random tests that can be repeated.

/// The number in `TEST_SEED`, or a random one. It is printed, and so shown if the test fails.
pub(crate) fn seed() -> u64 {
    let given = std::env::var("TEST_SEED").ok();
    let seed = given.map_or_else(|| fastrand::u64(..), |seed| seed.parse().expect("TEST_SEED is a number"));
    println!("TEST_SEED={seed} repeats this run");
    seed
}
