//! TLS to a server with a certificate.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::TLS13;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::address::ServerAddress;
use crate::client::error::ClientError;
use crate::client::trust::{Fingerprint, Trust};

/// The handshake on a connection to the server.
pub(super) async fn handshake(
    server: &ServerAddress,
    trust: &Trust,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, ClientError> {
    let unreachable = |source| ClientError::Unreachable { server: server.clone(), source };
    let name = ServerName::try_from(server.host.clone()).map_err(|error| unreachable(io::Error::other(error)))?;
    let verifier = Arc::new(Verifier::new(trust.pin_of(server)?));
    let config = client_config(verifier.clone()).map_err(|error| unreachable(io::Error::other(error)))?;
    let made = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    made.map_err(|source| match verifier.rejected() {
        Some(shown) => ClientError::Untrusted { server: server.clone(), shown, pinned: verifier.pinned },
        None => unreachable(source),
    })
}

fn client_config(verifier: Arc<Verifier>) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_protocol_versions(&[&TLS13])?.dangerous();
    Ok(builder.with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// Accepts what an authority of the system signed, and the pinned certificate, whatever its names and dates.
#[derive(Debug)]
struct Verifier {
    authorities: Option<Arc<WebPkiServerVerifier>>,
    pinned: Option<Fingerprint>,
    rejected: Mutex<Option<Fingerprint>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    fn new(pinned: Option<Fingerprint>) -> Self {
        let provider = Arc::new(ring::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        Self { authorities: authorities(provider), pinned, rejected: Mutex::default(), algorithms }
    }

    fn rejected(&self) -> Option<Fingerprint> {
        *self.rejected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `None` if the system has none: then only pins are trusted.
fn authorities(provider: Arc<CryptoProvider>) -> Option<Arc<WebPkiServerVerifier>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().ok()
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Fingerprint::of(end_entity);
        if self.pinned == Some(shown) {
            return Ok(ServerCertVerified::assertion());
        }
        let by_authority =
            self.authorities.as_ref().map_or(Err(CertificateError::UnknownIssuer.into()), |authorities| {
                authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            });
        if by_authority.is_err() {
            *self.rejected.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        }
        by_authority
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not spoken".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
