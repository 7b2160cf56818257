//! Reading a certificate and its key from PEM files.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustls::Error;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_cert::der::Decode;

use crate::certificates::error::CertificateError;
use crate::limits::CERTIFICATE_FILE_BYTES;

/// The mode bits that a key file must not have. Its group may read it: that is how a service gets the key of a tool that
/// renews certificates.
const EXPOSED: u32 = 0o037;

/// The files of a certificate chain and its key, which may be the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl CertificateFiles {
    /// The certificate with the chain behind it, and its key.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub(super) fn read(&self) -> Result<CertifiedKey, CertificateError> {
        let chain = read_chain(&self.certificate)?;
        let key = read_key(&self.key)?;
        CertifiedKey::from_der(chain, key, &default_provider()).map_err(|error| match error {
            Error::InconsistentKeys(_) => {
                CertificateError::Mismatch { certificate: self.certificate.clone(), key: self.key.clone() }
            }
            error => CertificateError::Unusable { file: self.certificate.clone(), reason: error.to_string() },
        })
    }
}

fn read_chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let unreadable = |source| CertificateError::Unreadable { file: file.to_owned(), source };
    let text = File::open(file).and_then(read_bounded).map_err(unreadable)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|_| CertificateError::NoCertificate(file.to_owned()))?;
    if chain.is_empty() { Err(CertificateError::NoCertificate(file.to_owned())) } else { Ok(chain) }
}

/// Checks the open file, which cannot be replaced in between.
fn read_key(file: &Path) -> Result<PrivateKeyDer<'static>, CertificateError> {
    let unreadable = |source| CertificateError::Unreadable { file: file.to_owned(), source };
    let opened = File::open(file).map_err(unreadable)?;
    if opened.metadata().map_err(unreadable)?.permissions().mode() & EXPOSED != 0 {
        return Err(CertificateError::Exposed(file.to_owned()));
    }
    let text = read_bounded(opened).map_err(unreadable)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| CertificateError::NoKey(file.to_owned()))
}

fn read_bounded(file: File) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.take(CERTIFICATE_FILE_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > CERTIFICATE_FILE_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too long for a certificate chain"));
    }
    Ok(text)
}

/// Until when a certificate is valid; `None` if it cannot be told.
pub(super) fn valid_until(certificate: &CertificateDer<'_>) -> Option<SystemTime> {
    let certificate = x509_cert::Certificate::from_der(certificate).ok()?;
    let until: Duration = certificate.tbs_certificate().validity().not_after.to_unix_duration();
    SystemTime::UNIX_EPOCH.checked_add(until)
}
