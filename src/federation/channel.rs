//! The channel: TLS 1.3 in which each side shows its raw public key (RFC 7250) and proves that it has the private one.
//!
//! Never here: certificates, resumption, early data, and which key is welcome.

#[cfg(test)]
mod damage;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use rustls::client::{AlwaysResolvesClientRawPublicKeys, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::ServerName;
use rustls::server::{AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{ClientConfig, ConfigBuilder, ConfigSide, ServerConfig, WantsVerifier, WantsVersions};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use crate::federation::carrier::Stream;
use crate::federation::proof::{AnyKey, shown_key};
use crate::id::PeerKey;
use crate::limits::LINK_HANDSHAKE;

/// What is spoken inside (ALPN): whoever means another protocol, or another version of it, gets no channel.
const PROTOCOL: &[u8] = b"kabar-link/1";

/// Our end of every channel.
pub(super) struct Endpoint {
    connector: TlsConnector,
    acceptor: TlsAcceptor,
}

impl Endpoint {
    /// Signs with a key pair and shows its public key.
    pub(super) fn new(pair: &Arc<CertifiedKey>) -> Self {
        Self {
            connector: TlsConnector::from(Arc::new(dialling(pair))),
            acceptor: TlsAcceptor::from(Arc::new(dialled(pair))),
        }
    }

    /// Makes the channel as the side that dialled. The other side has not read our proof by then: where it refuses it,
    /// reading from the channel fails.
    pub(super) async fn connect<S: Stream>(&self, stream: S) -> Result<(TlsStream<S>, PeerKey), ChannelError> {
        // Names have no part in this. An address is a name that is not sent.
        let nobody = ServerName::from(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let stream = in_time(self.connector.connect(nobody, stream)).await?;
        finished(TlsStream::Client(stream))
    }

    /// Makes the channel as the side that was dialled.
    pub(super) async fn accept<S: Stream>(&self, stream: S) -> Result<(TlsStream<S>, PeerKey), ChannelError> {
        let stream = in_time(self.acceptor.accept(stream)).await?;
        finished(TlsStream::Server(stream))
    }
}

async fn in_time<T>(handshake: impl Future<Output = io::Result<T>>) -> Result<T, ChannelError> {
    match timeout(LINK_HANDSHAKE, handshake).await {
        Ok(made) => made.map_err(ChannelError::Handshake),
        Err(_) => Err(ChannelError::Slow),
    }
}

/// A handshake without ALPN succeeds where one side has none: it is looked at here, and so is the key.
fn finished<S>(stream: TlsStream<S>) -> Result<(TlsStream<S>, PeerKey), ChannelError> {
    let (_, connection) = stream.get_ref();
    if connection.alpn_protocol() != Some(PROTOCOL) {
        return Err(ChannelError::Protocol);
    }
    let shown = connection.peer_certificates().and_then(<[_]>::first);
    let key = shown.and_then(shown_key).ok_or(ChannelError::Nameless)?;
    Ok((stream, key))
}

fn dialling(pair: &Arc<CertifiedKey>) -> ClientConfig {
    let builder = of_tls_1_3(ClientConfig::builder_with_provider);
    let mut config = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyKey::new()))
        .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(pair.clone())));
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    config
}

fn dialled(pair: &Arc<CertifiedKey>) -> ServerConfig {
    let builder = of_tls_1_3(ServerConfig::builder_with_provider);
    let mut config = builder
        .with_client_cert_verifier(Arc::new(AnyKey::new()))
        .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(pair.clone())));
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config
}

fn of_tls_1_3<Side: ConfigSide>(
    builder: fn(Arc<CryptoProvider>) -> ConfigBuilder<Side, WantsVersions>,
) -> ConfigBuilder<Side, WantsVerifier> {
    #[expect(clippy::expect_used, reason = "of constants, and every test that makes an endpoint tries it")]
    builder(Arc::new(default_provider())).with_protocol_versions(&[&TLS13]).expect("a provider of TLS 1.3")
}

/// Why there is no channel.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The other end was silent or slow.
    #[error("the handshake took longer than {LINK_HANDSHAKE:?}")]
    Slow,
    /// The other end spoke no TLS of ours, showed no key, or could not prove that the key is its own; or it went away.
    #[error("the handshake failed: {0}")]
    Handshake(#[source] io::Error),
    /// The other end means another protocol, or another version of it.
    #[error("the other end does not speak this version of the link protocol")]
    Protocol,
    /// The other end showed no key.
    #[error("the other end showed no key")]
    Nameless,
}
