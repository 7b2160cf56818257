//! Who this server is: its key pair, made once and kept in the data directory.

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

use crate::federation::proof::shown_key;
use crate::id::PeerKey;
use crate::store::{self, Directory, StoreError};

/// The label that RFC 7468 gives a private key in PKCS#8.
const LABEL: &str = "PRIVATE KEY";

/// A server's own key pair (Ed25519). To its peers this is the server, whatever its address or name (PROTOCOL §6).
pub struct Identity {
    key: PeerKey,
    pair: Arc<CertifiedKey>,
}

impl Identity {
    /// Reads the key pair of a data directory, which must be the caller's: locked by its opened store, for one. Makes it
    /// where there is none.
    ///
    /// # Errors
    /// Where the key file cannot be read or written, others have access to it, or it holds no key.
    pub fn open(data: &Path) -> Result<Self, IdentityError> {
        if let Some(identity) = Self::read(data)? {
            return Ok(identity);
        }
        store::write_key(data, &generate()?)?;
        Self::read(data)?.ok_or_else(|| IdentityError::Damaged(store::key_path(data)))
    }

    /// Reads the key pair of a data directory that a server may be using. Where there is none, directory and key are
    /// made as that server would make them.
    ///
    /// # Errors
    /// As [`Identity::open`]; and where a key would have to be made in a directory that holds something else or is in
    /// use.
    pub fn find(data: &Path) -> Result<Self, IdentityError> {
        if let Some(identity) = Self::read(data)? {
            return Ok(identity);
        }
        let _locked = Directory::open(data)?;
        Self::open(data)
    }

    /// The public key.
    #[must_use]
    pub fn key(&self) -> PeerKey {
        self.key
    }

    /// What a handshake signs with and shows.
    pub(super) fn pair(&self) -> &Arc<CertifiedKey> {
        &self.pair
    }

    fn read(data: &Path) -> Result<Option<Self>, IdentityError> {
        let Some(text) = store::read_key(data)? else { return Ok(None) };
        Self::parse(&text).map(Some).ok_or_else(|| IdentityError::Damaged(store::key_path(data)))
    }

    fn parse(text: &SecretString) -> Option<Self> {
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
        reason = "it fails for lengths that overflow, and every test that makes a key tries it"
    )]
    let text = pem_rfc7468::encode_string(LABEL, LineEnding::LF, pair.as_ref()).expect("a short key");
    Ok(text.into())
}

/// Why there is no key pair.
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
    use std::fs;
    use tempfile::tempdir;

    /// As `openssl genpkey -algorithm ed25519` writes it, and the key that `openssl pkey -pubout` tells: the example of
    /// RFC 8410 §10.3 and §10.1.
    const OF_OPENSSL: &str = "-----BEGIN PRIVATE KEY-----\n\
         MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
         -----END PRIVATE KEY-----\n";
    const OF_OPENSSL_PUBLIC: &str = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";

    #[test]
    fn a_key_is_made_once() {
        let home = tempdir().unwrap();
        let made = Identity::open(home.path()).unwrap().key();
        assert_eq!(Identity::open(home.path()).unwrap().key(), made);
        assert_ne!(Identity::open(tempdir().unwrap().path()).unwrap().key(), made);
    }

    #[test]
    fn a_key_of_openssl_is_a_key() {
        let home = tempdir().unwrap();
        store::write_key(home.path(), &OF_OPENSSL.into()).unwrap();
        assert_eq!(Identity::open(home.path()).unwrap().key().to_string(), OF_OPENSSL_PUBLIC);
    }

    #[test]
    fn a_damaged_key_is_refused_and_left_as_it_was() {
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
    fn a_key_beside_its_server_is_found_and_none_is_made_there() {
        let home = tempdir().unwrap();
        let serving = Directory::open(home.path()).unwrap();
        assert!(matches!(Identity::find(home.path()), Err(IdentityError::File(StoreError::InUse(_)))));
        let key = Identity::open(home.path()).unwrap().key();
        assert_eq!(Identity::find(home.path()).unwrap().key(), key);
        drop(serving);
    }

    #[test]
    fn a_key_that_is_looked_for_is_made_with_its_directory() {
        let home = tempdir().unwrap();
        let data = home.path().join("data");
        let key = Identity::find(&data).unwrap().key();
        let _serving = Directory::open(&data).unwrap();
        assert_eq!(Identity::open(&data).unwrap().key(), key);
    }

    #[test]
    fn no_key_is_made_among_other_things() {
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
