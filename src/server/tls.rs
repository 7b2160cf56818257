//! The certificate that TLS listeners show.

use std::sync::Arc;
use std::time::SystemTime;

use rustls::ServerConfig;
use tracing::{error, info, warn};

use crate::certificates::{self, CertificateError, CertificateFiles, Certificates};
use crate::config::Config;
use crate::limits::CERTIFICATE_ENDS;
use crate::server::error::ServerError;
use crate::wire::ListenerKind;

/// The protocol of chat connections, as clients name it in the TLS handshake (ALPN).
const CHAT: &str = "kabar/1";
const HTTP: &str = "http/1.1";

/// The certificate, if a listener needs one. The caller must hold the lock of the data directory.
pub(super) fn certificates(config: &Config, is_inherited: bool) -> Result<Option<Arc<Certificates>>, ServerError> {
    if !is_inherited && !config.server.listeners().any(|address| address.is_tls) {
        return Ok(None);
    }
    let certificates = Certificates::open(&certificate_files(config)?)?;
    warn_if_it_ends(&certificates);
    Ok(Some(certificates))
}

/// Checks the certificate that the operator configured.
///
/// # Errors
/// [`ServerError::Certificate`].
pub fn check(config: &Config) -> Result<(), ServerError> {
    if config.tls.certificate.is_some() {
        Certificates::open(&certificate_files(config)?)?;
    }
    Ok(())
}

fn certificate_files(config: &Config) -> Result<CertificateFiles, CertificateError> {
    match &config.tls.certificate {
        Some(certificate) => {
            let key = config.tls.key.as_ref().unwrap_or(certificate).clone();
            Ok(CertificateFiles { certificate: certificate.clone(), key })
        }
        None => {
            let addresses: Vec<_> = config.server.listeners().map(|address| address.socket.ip()).collect();
            certificates::self_signed(&config.server.data, &addresses)
        }
    }
}

/// Reads the certificate again. One that cannot be used changes nothing.
pub(super) fn reload_certificate(certificates: &Certificates, config: &Config) {
    match certificate_files(config).and_then(|files| certificates.reload(&files)) {
        Ok(false) => {}
        Ok(true) => info!(sha256 = certificates.fingerprint(), "new TLS connections get another certificate"),
        Err(error) => error!(%error, "the certificate is as before: the new one cannot be used"),
    }
    warn_if_it_ends(certificates);
}

fn warn_if_it_ends(certificates: &Certificates) {
    let Some(until) = certificates.valid_until() else { return };
    match until.duration_since(SystemTime::now()) {
        Ok(left) if left > CERTIFICATE_ENDS => {}
        Ok(left) => warn!("the TLS certificate ends in {} days: renew it, then send SIGHUP", left.as_secs() / 86_400),
        Err(_) => warn!("the TLS certificate is not valid any more: renew it, then send SIGHUP"),
    }
}

/// The TLS configuration of a listener of this kind.
pub(super) fn server_config(
    certificates: Option<&Arc<Certificates>>,
    kind: ListenerKind,
) -> Result<Option<Arc<ServerConfig>>, ServerError> {
    let protocol = if kind == ListenerKind::Web { HTTP } else { CHAT };
    let config = certificates.map(|certificates| certificates.server_config(protocol)).transpose();
    config.map_err(|error| ServerError::Tls(error.to_string()))
}
