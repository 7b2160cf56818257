//! Which certificates are trusted: those that an authority of the system signed, and those that were pinned when they
//! were first seen, as in sshd's known hosts.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use data_encoding::HEXLOWER_PERMISSIVE;
use sha2::{Digest, Sha256};

use crate::client::address::ServerAddress;
use crate::client::private_file::{self, FileError};

/// The SHA-256 of a certificate, as `openssl x509 -fingerprint -sha256` prints it, in 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(super) fn of(certificate: &[u8]) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER_PERMISSIVE.encode(&self.0))
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    /// Reads the digits in either case, with colons between them or without.
    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.replace(':', "");
        let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| "expected the 64 hexadecimal digits of a SHA-256".to_owned())
    }
}

/// The file of pinned certificates: lines of `HOST:PORT FINGERPRINT`.
#[derive(Clone, Debug)]
pub struct KnownServers {
    path: PathBuf,
}

impl KnownServers {
    /// The file, which need not exist.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Pins the certificate of a server, in place of the one before.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn pin(&self, server: &ServerAddress, fingerprint: &Fingerprint) -> Result<(), FileError> {
        let known = self.read()?;
        let others = known.lines().filter(|line| entry(line).is_none_or(|(name, _)| name != server.to_string()));
        let mut text: String = others.map(|line| format!("{line}\n")).collect();
        text += &format!("{server} {fingerprint}\n");
        private_file::write(&self.path, &text)
    }

    fn pinned(&self, server: &ServerAddress) -> Result<Option<Fingerprint>, FileError> {
        let known = self.read()?;
        let mut entries = known.lines().filter_map(entry);
        Ok(entries.find(|(name, _)| *name == server.to_string()).map(|(_, fingerprint)| fingerprint))
    }

    fn read(&self) -> Result<String, FileError> {
        Ok(private_file::read(&self.path)?.unwrap_or_default())
    }
}

fn entry(line: &str) -> Option<(&str, Fingerprint)> {
    let (server, fingerprint) = line.trim().split_once(' ')?;
    Some((server, fingerprint.parse().ok()?))
}

/// Certificates that a client trusts besides the authorities of the system.
#[derive(Clone, Debug)]
pub struct Trust {
    known: Option<KnownServers>,
}

impl Trust {
    /// Only the authorities of the system.
    #[must_use]
    pub fn system() -> Self {
        Self { known: None }
    }

    /// The pinned certificates, too.
    #[must_use]
    pub fn pinned(known: KnownServers) -> Self {
        Self { known: Some(known) }
    }

    pub(super) fn pin_of(&self, server: &ServerAddress) -> Result<Option<Fingerprint>, FileError> {
        self.known.as_ref().map_or(Ok(None), |known| known.pinned(server))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_found_again_and_replaced() {
        let home = tempfile::tempdir().unwrap();
        let known = KnownServers::at(home.path().join("known_servers"));
        let (one, two) = ("tls://a:1".parse().unwrap(), "tls://b:1".parse().unwrap());
        let (first, second) = (Fingerprint::of(b"first"), Fingerprint::of(b"second"));
        assert_eq!(known.pinned(&one).unwrap(), None);
        known.pin(&one, &first).unwrap();
        known.pin(&two, &first).unwrap();
        known.pin(&one, &second).unwrap();
        assert_eq!((known.pinned(&one).unwrap(), known.pinned(&two).unwrap()), (Some(second), Some(first)));
    }

    #[test]
    fn a_fingerprint_is_read_as_openssl_prints_it() {
        let shown = Fingerprint::of(b"certificate");
        let digits = shown.to_string().to_uppercase();
        let pairs: Vec<&str> = (0..32).map(|byte| &digits[2 * byte..2 * byte + 2]).collect();
        assert_eq!(pairs.join(":").parse(), Ok(shown));
        assert!("ab:cd".parse::<Fingerprint>().is_err());
    }
}
