//! Key pairs for tests.

use std::sync::Arc;
use std::time::Duration;

use rustls::sign::CertifiedKey;

use crate::identity::key_pair::Identity;
use crate::identity::tls::TlsProtocol;

pub(super) const PROTOCOL: TlsProtocol = TlsProtocol { alpn: b"kabar-link/1", handshake: Duration::from_secs(5) };

/// A fresh key pair.
pub(crate) fn test_identity() -> Identity {
    Identity::open(tempfile::tempdir().unwrap().path()).unwrap()
}

/// Shows one public key and signs with the private key of another.
pub(super) fn mismatched_pair(shown: &Identity, signing: &Identity) -> Arc<CertifiedKey> {
    Arc::new(CertifiedKey::new(shown.pair().cert.clone(), signing.pair().key.clone()))
}
