//! The key pair that identifies this server; generated once and stored in the data directory.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pem_rfc7468::LineEnding;
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use rustls::crypto::ring::sign::any_eddsa_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use secrecy::{ExposeSecret, SecretString};

use crate::id::PeerKey;
use crate::identity::raw_key_verifier::shown_key;
use crate::store::{self, DirectoryLock, StoreError};

/// The PEM label of a PKCS#8 private key (RFC 7468).
const LABEL: &str = "PRIVATE KEY";

/// An Ed25519 key pair. Peers identify a server by its public key, whatever its address or name (PROTOCOL §6).
pub struct Identity {
    key: PeerKey,
    pair: Arc<CertifiedKey>,
}

impl Identity {
    /// Reads the key pair of a data directory, or generates it if there is none. The caller must hold the lock of the
    /// directory, for example through its opened store.
    ///
    /// # Errors
    /// If the key file cannot be read or written, other users have access to it, or it holds no key.
    pub fn open(data: &Path) -> Result<Self, IdentityError> {
        if let Some(identity) = Self::read(data)? {
            return Ok(identity);
        }
        store::write_key(data, &generate()?)?;
        Self::read(data)?.ok_or_else(|| IdentityError::Damaged(store::key_path(data)))
    }

    /// Reads the key pair of a data directory that a server may be using. If there is none, creates the directory and the
    /// key, and nothing else.
    ///
    /// # Errors
    /// As [`Identity::open`]; also if there is no key and the directory is in use or holds something else.
    pub fn find(data: &Path) -> Result<Self, IdentityError> {
        if let Some(identity) = Self::read(data)? {
            return Ok(identity);
        }
        let _locked = DirectoryLock::for_key(data)?;
        Self::open(data)
    }

    /// The public key.
    #[must_use]
    pub fn key(&self) -> PeerKey {
        self.key
    }

    /// For the TLS handshake.
    pub(super) fn pair(&self) -> &Arc<CertifiedKey> {
        &self.pair
    }

    fn read(data: &Path) -> Result<Option<Self>, IdentityError> {
        let Some(text) = store::read_key(data)? else { return Ok(None) };
        Self::parse(&text).map(Some).ok_or_else(|| IdentityError::Damaged(store::key_path(data)))
    }

    /// The key pair of the text of a key file; `None` if it is none.
    pub(crate) fn parse(text: &SecretString) -> Option<Self> {
        let pair = PrivatePkcs8KeyDer::from_pem_slice(text.expose_secret().as_bytes()).ok()?;
        let signing = any_eddsa_type(&pair).ok()?;
        let public = CertificateDer::from(signing.public_key()?.to_vec());
        Some(Self { key: shown_key(&public)?, pair: Arc::new(CertifiedKey::new(vec![public], signing)) })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.key)
    }
}

fn generate() -> Result<SecretString, IdentityError> {
    let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| IdentityError::Random)?;
    #[expect(
        clippy::expect_used,
        reason = "it fails only if a length overflows, and every test that makes a key covers it"
    )]
    let text = pem_rfc7468::encode_string(LABEL, LineEnding::LF, pair.as_ref()).expect("a short key");
    Ok(text.into())
}

/// Why a key pair could not be read or generated.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The key file or the data directory cannot be used.
    #[error("{0}")]
    File(#[from] StoreError),
    /// The key file holds something else.
    #[error("the key file {} holds no Ed25519 key (PKCS#8 in PEM); restore it, or move it away to become a new server", .0.display())]
    Damaged(PathBuf),
    /// The system gave no random bytes.
    #[error("no key pair can be made: the system gives no random bytes")]
    Random,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Directory;
    use std::fs;
    use tempfile::tempdir;

    /// The example of RFC 8410 §10.3, in the format of `openssl genpkey -algorithm ed25519`, and its public key (§10.1).
    const OF_OPENSSL: &str = "-----BEGIN PRIVATE KEY-----\n\
         MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
         -----END PRIVATE KEY-----\n";
    const OF_OPENSSL_PUBLIC: &str = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";

    #[test]
    fn a_key_is_generated_once() {
        let home = tempdir().unwrap();
        let made = Identity::open(home.path()).unwrap().key();
        assert_eq!(Identity::open(home.path()).unwrap().key(), made);
        assert_ne!(Identity::open(tempdir().unwrap().path()).unwrap().key(), made);
    }

    #[test]
    fn a_key_of_openssl_is_accepted() {
        let home = tempdir().unwrap();
        store::write_key(home.path(), &OF_OPENSSL.into()).unwrap();
        assert_eq!(Identity::open(home.path()).unwrap().key().to_string(), OF_OPENSSL_PUBLIC);
    }

    #[test]
    fn a_damaged_key_is_refused_and_not_overwritten() {
        let table = [
            "",
            "rahasia",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----\n",
            &OF_OPENSSL[..60],
            &OF_OPENSSL.replace("PRIVATE", "PUBLIC"),
        ];
        for text in table {
            let home = tempdir().unwrap();
            store::write_key(home.path(), &text.into()).unwrap();
            let refused = Identity::open(home.path()).unwrap_err();
            assert!(refused.to_string().contains("holds no Ed25519 key"), "{text}: {refused}");
            assert_eq!(fs::read_to_string(home.path().join("realm.key")).unwrap(), text);
        }
    }

    #[test]
    fn a_running_server_s_key_is_found_and_never_generated() {
        let home = tempdir().unwrap();
        let serving = Directory::open(home.path()).unwrap();
        assert!(matches!(Identity::find(home.path()), Err(IdentityError::File(StoreError::InUse(_)))));
        let key = Identity::open(home.path()).unwrap().key();
        assert_eq!(Identity::find(home.path()).unwrap().key(), key);
        drop(serving);
    }

    #[test]
    fn finding_a_key_creates_it_with_its_directory() {
        let home = tempdir().unwrap();
        let data = home.path().join("data");
        let key = Identity::find(&data).unwrap().key();
        let files: Vec<_> = fs::read_dir(&data).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, ["realm.key"]);
        let _serving = Directory::open(&data).unwrap();
        assert_eq!(Identity::open(&data).unwrap().key(), key);
    }

    #[test]
    fn no_key_is_generated_in_a_foreign_directory() {
        let home = tempdir().unwrap();
        fs::write(home.path().join("thesis.txt"), "…").unwrap();
        assert!(matches!(Identity::find(home.path()), Err(IdentityError::File(StoreError::Foreign(_)))));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_private_key_does_not_show_in_debug_output() {
        let identity = Identity::open(tempdir().unwrap().path()).unwrap();
        assert_eq!(format!("{identity:?}"), format!("Identity({})", identity.key()));
    }
}
