//! The TLS configuration of listeners: certificate, versions, ALPN.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use data_encoding::HEXLOWER;
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use sha2::{Digest, Sha256};

use crate::certificates::error::CertificateError;
use crate::certificates::files::{CertificateFiles, valid_until};

/// The certificate that is shown to new connections.
pub struct Certificates {
    current: ArcSwap<CertifiedKey>,
}

impl Certificates {
    /// Reads the files.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn open(files: &CertificateFiles) -> Result<Arc<Self>, CertificateError> {
        Ok(Arc::new(Self { current: ArcSwap::from_pointee(files.read()?) }))
    }

    /// Shows the certificate of these files from now on. Connections that are there keep what they have. Returns whether
    /// it is another one.
    ///
    /// # Errors
    /// [`CertificateError`]; then the certificate stays what it was.
    pub fn reload(&self, files: &CertificateFiles) -> Result<bool, CertificateError> {
        let new = Arc::new(files.read()?);
        let before = self.current.swap(new.clone());
        Ok(before.cert != new.cert)
    }

    /// TLS 1.2 and 1.3 for a protocol, whose name a client that uses ALPN has to offer.
    ///
    /// # Errors
    /// Never in practice: the versions are constants.
    pub fn server_config(self: &Arc<Self>, protocol: &'static str) -> Result<Arc<ServerConfig>, rustls::Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![protocol.into()];
        // A connection lasts for hours: a resumed handshake saves nothing that is worth its memory.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }

    /// The SHA-256 of the certificate in hexadecimal digits, as clients show it and `openssl x509` without the colons.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.current.load().end_entity_cert().map(|shown| HEXLOWER.encode(&Sha256::digest(shown))).unwrap_or_default()
    }

    /// Until when the certificate is valid; `None` if it cannot be told.
    #[must_use]
    pub fn valid_until(&self) -> Option<SystemTime> {
        valid_until(self.current.load().end_entity_cert().ok()?)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}
