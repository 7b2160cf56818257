//! TLS in which only the accepting end shows a key: for ends that have none yet.

use std::sync::Arc;

use rustls::server::{Acceptor, AlwaysResolvesServerRawPublicKeys};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{LazyConfigAcceptor, TlsConnector, TlsStream};

use super::{TlsEndpoint, TlsError, TlsProtocol, in_time, no_name, tls13, without_resumption};
use crate::id::PeerKey;
use crate::identity::key_pair::Identity;
use crate::identity::raw_key_verifier::RawPublicKeyVerifier;

/// Accepts ends that show no key, and speak another protocol than those that do.
pub(crate) struct GuestAcceptor {
    config: Arc<ServerConfig>,
    alpn: &'static [u8],
}

/// An accepted end.
pub(crate) enum ShownKey<S> {
    /// It proved that it has the private key of this public key.
    Known(TlsStream<S>, PeerKey),
    /// It showed no key: anybody.
    Guest(TlsStream<S>),
}

impl GuestAcceptor {
    pub(crate) fn new(identity: &Identity, alpn: &'static [u8]) -> Self {
        Self { config: Arc::new(guest_config(identity.pair(), alpn)), alpn }
    }
}

impl TlsEndpoint {
    /// The handshake of the dialled side, with an end that shows a key or, if it names the protocol of guests, shows none.
    pub(crate) async fn accept_either<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        guests: &GuestAcceptor,
        stream: S,
    ) -> Result<ShownKey<S>, TlsError> {
        let handshake = async {
            let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
            let is_guest = start.client_hello().alpn().is_some_and(|mut names| names.any(|name| name == guests.alpn));
            let config = if is_guest { &guests.config } else { self.acceptor.config() };
            Ok((start.into_stream(config.clone()).await?, is_guest))
        };
        let (stream, is_guest) = in_time(self.protocol.handshake, handshake).await?;
        if is_guest {
            return Ok(ShownKey::Guest(TlsStream::Server(stream)));
        }
        let (stream, key) = self.verify_negotiated(TlsStream::Server(stream))?;
        Ok(ShownKey::Known(stream, key))
    }
}

/// The handshake of an end that shows no key. The other end has proved, when it returns, that it has the private key of the
/// public key that is returned.
pub(crate) async fn connect_as_guest<S: AsyncRead + AsyncWrite + Unpin>(
    protocol: TlsProtocol,
    stream: S,
) -> Result<(TlsStream<S>, PeerKey), TlsError> {
    let connector = TlsConnector::from(Arc::new(own_config(protocol.alpn)));
    let stream = in_time(protocol.handshake, connector.connect(no_name(), stream)).await?;
    super::verify_negotiated(protocol, TlsStream::Client(stream))
}

fn guest_config(pair: &Arc<CertifiedKey>, alpn: &[u8]) -> ServerConfig {
    let keys = Arc::new(AlwaysResolvesServerRawPublicKeys::new(pair.clone()));
    let config = tls13(ServerConfig::builder_with_provider).with_no_client_auth().with_cert_resolver(keys);
    without_resumption(config, alpn)
}

fn own_config(alpn: &[u8]) -> ClientConfig {
    let verifier = Arc::new(RawPublicKeyVerifier::new());
    let builder = tls13(ClientConfig::builder_with_provider).dangerous().with_custom_certificate_verifier(verifier);
    super::named(builder.with_no_client_auth(), alpn)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;
    use crate::identity::testing::{PROTOCOL, test_identity};

    const GUESTS: TlsProtocol = TlsProtocol { alpn: b"kabar-join/1", handshake: Duration::from_secs(5) };
    const PIPE: usize = 16 * 1024;

    fn endpoint(identity: &Identity) -> (TlsEndpoint, GuestAcceptor) {
        (TlsEndpoint::new(identity, PROTOCOL), GuestAcceptor::new(identity, GUESTS.alpn))
    }

    #[tokio::test]
    async fn a_guest_knows_whom_it_talks_to() {
        let identity = test_identity();
        let (endpoint, guests) = endpoint(&identity);
        let (here, there) = duplex(PIPE);
        let (connected, accepted) =
            tokio::join!(connect_as_guest(GUESTS, here), endpoint.accept_either(&guests, there));
        let (mut here, shown) = connected.unwrap();
        let ShownKey::Guest(mut there) = accepted.unwrap() else { panic!("a guest showed a key") };
        assert_eq!(shown, identity.key());
        here.write_all(b"secret").await.unwrap();
        here.flush().await.unwrap();
        let mut read = [0; 6];
        there.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"secret");
    }

    #[tokio::test]
    async fn whoever_names_the_other_protocol_must_show_a_key() {
        let identity = test_identity();
        let (endpoint, guests) = endpoint(&identity);
        let (here, there) = duplex(PIPE);
        let (connected, accepted) = tokio::join!(endpoint.connect(here), endpoint.accept_either(&guests, there));
        assert!(connected.is_ok_and(|(_, key)| key == identity.key()));
        assert!(matches!(accepted, Ok(ShownKey::Known(_, key)) if key == identity.key()));
        let (here, there) = duplex(PIPE);
        let (_, accepted) = tokio::join!(connect_as_guest(PROTOCOL, here), endpoint.accept_either(&guests, there));
        assert!(matches!(accepted, Err(TlsError::Handshake(_))));
    }

    #[tokio::test]
    async fn an_end_without_a_protocol_is_refused() {
        let (endpoint, guests) = endpoint(&test_identity());
        let (mut here, there) = duplex(PIPE);
        here.write_all(b"auth messi surabaya\r\n").await.unwrap();
        assert!(matches!(endpoint.accept_either(&guests, there).await, Err(TlsError::Handshake(_))));
    }

    #[tokio::test]
    async fn an_end_that_knows_no_guests_is_not_talked_to() {
        let plain = TlsEndpoint::new(&test_identity(), PROTOCOL);
        let (here, there) = duplex(PIPE);
        let (connected, _) = tokio::join!(connect_as_guest(GUESTS, here), plain.accept(there));
        assert!(matches!(connected, Err(TlsError::Handshake(_))));
    }
}
