//! Servers for tests.

mod disk;
mod house;

use std::sync::Arc;

use rustls::sign::CertifiedKey;

use crate::federation::identity::Identity;

pub(super) use disk::{Disk, DiskStore};
pub(super) use house::{GROUP, USERS, commit, name, send, settle_in};

/// A server with a key of its own.
pub(super) fn somebody() -> Identity {
    Identity::open(tempfile::tempdir().unwrap().path()).unwrap()
}

/// Shows the key of one server and signs with that of another.
pub(super) fn impostor(shown: &Identity, signing: &Identity) -> Arc<CertifiedKey> {
    Arc::new(CertifiedKey::new(shown.pair().cert.clone(), signing.pair().key.clone()))
}
