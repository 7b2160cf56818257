//! Random tests that can be repeated.

/// The number in `KABAR_SEED`, or a random one. It is printed, and so shown if the test fails.
pub(crate) fn seed() -> u64 {
    let given = std::env::var("KABAR_SEED").ok();
    let seed = given.map_or_else(|| fastrand::u64(..), |seed| seed.parse().expect("KABAR_SEED is a number"));
    println!("KABAR_SEED={seed} repeats this run");
    seed
}
