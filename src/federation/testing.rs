//! Helpers of the tests of links.

mod fixture;

use std::sync::Arc;

use rustls::sign::CertifiedKey;

use crate::federation::identity::Identity;

pub(super) use crate::store::{MemoryDisk, MemoryStore};
pub(super) use fixture::{GROUP, USERS, commit, create_users, name, send};

/// A fresh key pair.
pub(super) fn test_identity() -> Identity {
    Identity::open(tempfile::tempdir().unwrap().path()).unwrap()
}

/// The number in `TEST_SEED`, or a random one. Printed, so that a failing test can be repeated.
pub(super) fn seed() -> u64 {
    let given = std::env::var("TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| fastrand::u64(..));
    println!("TEST_SEED={seed} repeats this run");
    seed
}

/// Shows one public key and signs with the private key of another.
pub(super) fn mismatched_pair(shown: &Identity, signing: &Identity) -> Arc<CertifiedKey> {
    Arc::new(CertifiedKey::new(shown.pair().cert.clone(), signing.pair().key.clone()))
}
