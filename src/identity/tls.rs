//! TLS 1.3 with raw public keys (RFC 7250): each side proves that it has the private key of the key that it shows. A guest
//! (`guests`) shows none.
//!
//! Never here: certificates, resumption, early data, or which key is accepted.

#[cfg(test)]
mod damage;
mod guests;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::{AlwaysResolvesClientRawPublicKeys, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::ServerName;
use rustls::server::{AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{ClientConfig, ConfigBuilder, ConfigSide, ServerConfig, WantsVerifier, WantsVersions};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use crate::id::PeerKey;
use crate::identity::key_pair::Identity;
use crate::identity::raw_key_verifier::{RawPublicKeyVerifier, shown_key};

pub(crate) use guests::{GuestAcceptor, ShownKey, connect_as_guest};

/// What is spoken inside TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TlsProtocol {
    /// Its name and version, agreed on by ALPN.
    pub(crate) alpn: &'static [u8],
    /// How long the handshake may take.
    pub(crate) handshake: Duration,
}

pub(crate) struct TlsEndpoint {
    connector: TlsConnector,
    acceptor: TlsAcceptor,
    protocol: TlsProtocol,
}

impl TlsEndpoint {
    pub(crate) fn new(identity: &Identity, protocol: TlsProtocol) -> Self {
        Self::with_pair(identity.pair(), protocol)
    }

    fn with_pair(pair: &Arc<CertifiedKey>, protocol: TlsProtocol) -> Self {
        Self {
            connector: TlsConnector::from(Arc::new(client_config(pair, protocol.alpn))),
            acceptor: TlsAcceptor::from(Arc::new(server_config(pair, protocol.alpn))),
            protocol,
        }
    }

    /// The handshake of the dialling side. The peer has not verified our proof when it returns; if it rejects it, the
    /// first read fails.
    pub(crate) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> Result<(TlsStream<S>, PeerKey), TlsError> {
        let stream = in_time(self.protocol.handshake, self.connector.connect(no_name(), stream)).await?;
        self.verify_negotiated(TlsStream::Client(stream))
    }

    /// The handshake of the dialled side.
    pub(crate) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> Result<(TlsStream<S>, PeerKey), TlsError> {
        let stream = in_time(self.protocol.handshake, self.acceptor.accept(stream)).await?;
        self.verify_negotiated(TlsStream::Server(stream))
    }

    fn verify_negotiated<S>(&self, stream: TlsStream<S>) -> Result<(TlsStream<S>, PeerKey), TlsError> {
        verify_negotiated(self.protocol, stream)
    }
}

async fn in_time<T>(patience: Duration, handshake: impl Future<Output = io::Result<T>>) -> Result<T, TlsError> {
    match timeout(patience, handshake).await {
        Ok(made) => made.map_err(TlsError::Handshake),
        Err(_) => Err(TlsError::Timeout(patience)),
    }
}

/// Server names are not used. An IP address is never sent as one.
fn no_name() -> ServerName<'static> {
    ServerName::from(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

/// Checks the ALPN protocol and the key. rustls accepts a handshake in which one side offers no ALPN.
fn verify_negotiated<S>(protocol: TlsProtocol, stream: TlsStream<S>) -> Result<(TlsStream<S>, PeerKey), TlsError> {
    let (_, connection) = stream.get_ref();
    if connection.alpn_protocol() != Some(protocol.alpn) {
        return Err(TlsError::Protocol);
    }
    let shown = connection.peer_certificates().and_then(<[_]>::first);
    let key = shown.and_then(shown_key).ok_or(TlsError::MissingKey)?;
    Ok((stream, key))
}

fn client_config(pair: &Arc<CertifiedKey>, alpn: &[u8]) -> ClientConfig {
    let builder = tls13(ClientConfig::builder_with_provider);
    let config = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(RawPublicKeyVerifier::new()))
        .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(pair.clone())));
    named(config, alpn)
}

fn named(mut config: ClientConfig, alpn: &[u8]) -> ClientConfig {
    config.alpn_protocols = vec![alpn.to_vec()];
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    config
}

fn server_config(pair: &Arc<CertifiedKey>, alpn: &[u8]) -> ServerConfig {
    let builder = tls13(ServerConfig::builder_with_provider);
    let config = builder
        .with_client_cert_verifier(Arc::new(RawPublicKeyVerifier::new()))
        .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(pair.clone())));
    without_resumption(config, alpn)
}

fn without_resumption(mut config: ServerConfig, alpn: &[u8]) -> ServerConfig {
    config.alpn_protocols = vec![alpn.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config
}

fn tls13<Side: ConfigSide>(
    builder: fn(Arc<CryptoProvider>) -> ConfigBuilder<Side, WantsVersions>,
) -> ConfigBuilder<Side, WantsVerifier> {
    #[expect(
        clippy::expect_used,
        reason = "the arguments are constants, and every test that makes an endpoint covers it"
    )]
    builder(Arc::new(default_provider())).with_protocol_versions(&[&TLS13]).expect("ring supports TLS 1.3")
}

/// Why there is no encrypted stream to a server.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("the handshake took longer than {0:?}")]
    Timeout(Duration),
    /// The peer closed the connection, speaks no TLS 1.3, or did not prove that it has the private key.
    #[error("the handshake failed: {0}")]
    Handshake(#[source] io::Error),
    #[error("the other end does not speak this version of the protocol")]
    Protocol,
    #[error("the other end showed no key")]
    MissingKey,
}
