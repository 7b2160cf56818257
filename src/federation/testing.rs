//! Helpers of the tests of links.

mod fixture;

pub(super) use crate::store::{MemoryDisk, MemoryStore};
pub(super) use fixture::{GROUP, USERS, commit, create_users, name, send};

/// The number in `TEST_SEED`, or a random one. Printed, so that a failing test can be repeated.
pub(super) fn seed() -> u64 {
    let given = std::env::var("TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| fastrand::u64(..));
    println!("TEST_SEED={seed} repeats this run");
    seed
}
