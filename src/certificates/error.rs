//! Why a certificate cannot be used.

use std::io;
use std::path::PathBuf;

use crate::store::StoreError;

/// Names the file, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("the file {} cannot be read: {source}", file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error("{0}")]
    Unwritable(#[from] StoreError),
    #[error("others than its owner and group can read or write the key file {}; run: chmod o-rwx,g-wx {}", .0.display(), .0.display())]
    Exposed(PathBuf),
    #[error("the file {} holds no certificate (X.509 in PEM)", .0.display())]
    NoCertificate(PathBuf),
    #[error("the file {} holds no private key (PKCS#8, PKCS#1 or SEC1 in PEM, without a passphrase)", .0.display())]
    NoKey(PathBuf),
    #[error("the key in {} does not belong to the first certificate in {}", key.display(), certificate.display())]
    Mismatch { certificate: PathBuf, key: PathBuf },
    #[error("the certificate in {} cannot be used: {reason}", file.display())]
    Unusable { file: PathBuf, reason: String },
    #[error("no certificate can be made: {0}")]
    Making(String),
}
