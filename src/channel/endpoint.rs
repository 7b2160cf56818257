//! Opens channels. All nodes of a cluster have the same key pair, and accept no other key. A machine that has none yet may
//! connect as a guest, to ask for it.

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::channel::error::ChannelError;
use crate::channel::frames::{FrameReader, FrameWriter};
use crate::id::PeerKey;
use crate::identity::{self, GuestAcceptor, Identity, TlsEndpoint, TlsProtocol, connect_as_guest};
use crate::limits::{CHANNEL_CONNECT, CHANNEL_HANDSHAKE};
use crate::socket;

/// The protocol and its version, and how long the handshake may take.
const PROTOCOL: TlsProtocol = TlsProtocol { alpn: b"kabar-node/1", handshake: CHANNEL_HANDSHAKE };

/// What is spoken with a guest: a machine that has no key yet, and has a secret instead.
const GUESTS: TlsProtocol = TlsProtocol { alpn: b"kabar-join/1", handshake: CHANNEL_HANDSHAKE };

/// Opens channels with the key pair of a realm.
pub struct ChannelEndpoint {
    tls: TlsEndpoint,
    guests: GuestAcceptor,
    key: PeerKey,
}

/// Who has connected.
pub enum Accepted {
    /// Another node of this realm.
    Node(Channel),
    /// Anybody.
    Guest(Channel),
}

impl ChannelEndpoint {
    #[must_use]
    pub fn new(identity: &Identity) -> Self {
        let (tls, guests) = (TlsEndpoint::new(identity, PROTOCOL), GuestAcceptor::new(identity, GUESTS.alpn));
        Self { tls, guests, key: identity.key() }
    }

    /// By which other realms know this one.
    #[must_use]
    pub fn key(&self) -> PeerKey {
        self.key
    }

    /// Connects to the node at `HOST:PORT`. That node may still refuse; then the first read fails.
    ///
    /// # Errors
    /// If no node of this realm answers there in time.
    pub async fn connect(&self, address: &str) -> Result<Channel, ChannelError> {
        self.handshake_as_client(dial(address).await?).await
    }

    /// Makes a channel of a connection that was accepted.
    ///
    /// # Errors
    /// If the other end has another key, or is silent.
    pub async fn accept(&self, stream: TcpStream) -> Result<Accepted, ChannelError> {
        socket::prepare(&stream)?;
        self.handshake_as_server(stream).await
    }

    async fn handshake_as_client(&self, stream: impl Stream) -> Result<Channel, ChannelError> {
        let (stream, shown) = self.tls.connect(stream).await?;
        verify(self.key, shown).map(|()| Channel::over(stream))
    }

    async fn handshake_as_server(&self, stream: impl Stream) -> Result<Accepted, ChannelError> {
        match self.tls.accept_either(&self.guests, stream).await? {
            identity::ShownKey::Known(stream, shown) => {
                verify(self.key, shown).map(|()| Accepted::Node(Channel::over(stream)))
            }
            identity::ShownKey::Guest(stream) => Ok(Accepted::Guest(Channel::over(stream))),
        }
    }
}

/// Connects to the node of a realm at `HOST:PORT`, without a key. It has that of the realm.
///
/// # Errors
/// If no node of that realm answers there in time.
pub(crate) async fn connect_to_join(address: &str, realm: PeerKey) -> Result<Channel, ChannelError> {
    handshake_as_guest(dial(address).await?, realm).await
}

pub(super) async fn handshake_as_guest(stream: impl Stream, realm: PeerKey) -> Result<Channel, ChannelError> {
    let (stream, shown) = connect_as_guest(GUESTS, stream).await?;
    verify(realm, shown).map(|()| Channel::over(stream))
}

async fn dial(address: &str) -> Result<TcpStream, ChannelError> {
    let connected = timeout(CHANNEL_CONNECT, TcpStream::connect(address)).await;
    let late = |_| ChannelError::ConnectTimeout { address: address.into(), after: CHANNEL_CONNECT };
    let failed = |source| ChannelError::Connect { address: address.into(), source };
    let stream = connected.map_err(late)?.map_err(failed)?;
    socket::prepare(&stream)?;
    Ok(stream)
}

fn verify(key: PeerKey, shown: PeerKey) -> Result<(), ChannelError> {
    if shown == key { Ok(()) } else { Err(ChannelError::OtherKey(shown)) }
}

pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for S {}

/// A connection to another node of this realm.
pub struct Channel {
    reader: FrameReader,
    writer: FrameWriter,
}

impl Channel {
    /// Over a stream that is encrypted already, or one of a test.
    pub fn over(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self { reader: FrameReader::new(reader), writer: FrameWriter::new(writer) }
    }

    /// The two directions. The connection ends when both are dropped.
    #[must_use]
    pub fn split(self) -> (FrameReader, FrameWriter) {
        (self.reader, self.writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::TlsError;
    use crate::identity::testing::test_identity;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional, duplex};
    use tokio::net::TcpListener;
    use tokio::time::Instant;

    const PIPE: usize = 16 * 1024;

    type Opened = Result<Channel, ChannelError>;

    /// What both ends of a connection get.
    async fn handshake(connecting: &ChannelEndpoint, accepting: &ChannelEndpoint) -> (Opened, Opened) {
        let (here, there) = duplex(PIPE);
        tokio::join!(connecting.handshake_as_client(here), accepted(accepting, there))
    }

    /// The channel of a node.
    async fn accepted(accepting: &ChannelEndpoint, stream: impl Stream) -> Opened {
        match accepting.handshake_as_server(stream).await? {
            Accepted::Node(channel) => Ok(channel),
            Accepted::Guest(_) => panic!("a guest"),
        }
    }

    /// Two ends of a channel.
    async fn channel() -> (Channel, Channel) {
        let endpoint = ChannelEndpoint::new(&test_identity());
        let (here, there) = handshake(&endpoint, &endpoint).await;
        (here.unwrap(), there.unwrap())
    }

    fn link_endpoint(identity: &Identity) -> TlsEndpoint {
        TlsEndpoint::new(identity, TlsProtocol { alpn: b"kabar-link/1", ..PROTOCOL })
    }

    #[tokio::test]
    async fn nodes_with_the_key_of_one_realm_exchange_frames() {
        let identity = test_identity();
        let (follower, leader) = (ChannelEndpoint::new(&identity), ChannelEndpoint::new(&identity));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let accepted = async { accepted(&leader, listener.accept().await.unwrap().0).await };
        let address = format!("localhost:{port}");
        let (here, there) = tokio::join!(follower.connect(&address), accepted);
        let ((mut read_here, mut write_here), (mut read_there, mut write_there)) =
            (here.unwrap().split(), there.unwrap().split());
        write_here.queue(&("send henderson haloo", 7_u64)).unwrap();
        write_here.queue(&("ping", 8_u64)).unwrap();
        write_here.flush().await.unwrap();
        write_there.queue(&[1_u8, 2, 3]).unwrap();
        write_there.flush().await.unwrap();
        assert_eq!(read_there.next().await.unwrap(), Some(("send henderson haloo".to_owned(), 7_u64)));
        assert_eq!(read_there.next().await.unwrap(), Some(("ping".to_owned(), 8_u64)));
        assert_eq!(read_here.next().await.unwrap(), Some([1_u8, 2, 3]));
    }

    #[tokio::test]
    async fn another_key_is_refused_on_both_sides() {
        let (ours, theirs) = (test_identity(), test_identity());
        let (here, there) = handshake(&ChannelEndpoint::new(&ours), &ChannelEndpoint::new(&theirs)).await;
        assert!(matches!(here, Err(ChannelError::OtherKey(key)) if key == theirs.key()));
        assert!(matches!(there, Err(ChannelError::OtherKey(key)) if key == ours.key()));
    }

    #[tokio::test]
    async fn a_link_is_refused_in_both_directions() {
        let identity = test_identity();
        let (node, link) = (ChannelEndpoint::new(&identity), link_endpoint(&identity));
        let (here, there) = duplex(PIPE);
        let (_, accepted) = tokio::join!(link.connect(here), accepted(&node, there));
        assert!(matches!(accepted, Err(ChannelError::Handshake(_))));
        let (here, there) = duplex(PIPE);
        let (connected, _) = tokio::join!(node.handshake_as_client(here), link.accept(there));
        assert!(matches!(connected, Err(ChannelError::Handshake(_))));
    }

    #[tokio::test]
    async fn a_guest_connects_without_a_key_to_the_realm_that_it_expects_only() {
        let (identity, other) = (test_identity(), test_identity());
        let node = ChannelEndpoint::new(&identity);
        let (here, there) = duplex(PIPE);
        let (here, there) = tokio::join!(handshake_as_guest(here, identity.key()), node.handshake_as_server(there));
        assert!(here.is_ok() && matches!(there, Ok(Accepted::Guest(_))));
        let (here, there) = duplex(PIPE);
        let (here, _) = tokio::join!(handshake_as_guest(here, other.key()), node.handshake_as_server(there));
        assert!(matches!(here, Err(ChannelError::OtherKey(key)) if key == identity.key()));
    }

    #[tokio::test]
    async fn a_client_of_the_chat_port_is_refused() {
        let (mut client, there) = duplex(PIPE);
        client.write_all(b"auth messi surabaya\r\n").await.unwrap();
        let accepted = accepted(&ChannelEndpoint::new(&test_identity()), there).await;
        assert!(matches!(accepted, Err(ChannelError::Handshake(TlsError::Handshake(_)))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_is_given_up() {
        let (_silent, there) = duplex(PIPE);
        let start = Instant::now();
        let accepted = accepted(&ChannelEndpoint::new(&test_identity()), there).await;
        assert!(matches!(accepted, Err(ChannelError::Handshake(TlsError::Timeout(CHANNEL_HANDSHAKE)))));
        assert_eq!(start.elapsed(), CHANNEL_HANDSHAKE);
    }

    #[tokio::test]
    async fn an_address_without_a_node_is_named() {
        let endpoint = ChannelEndpoint::new(&test_identity());
        let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
        for address in [&*unused, "127.0.0.1", ""] {
            let refused = endpoint.connect(address).await.map(drop).unwrap_err();
            assert!(refused.to_string().starts_with(&format!("cannot connect to {address}: ")), "{refused}");
        }
    }

    #[tokio::test]
    async fn a_channel_that_is_closed_ends_in_order() {
        let (here, there) = channel().await;
        let (mut reader, _writer) = there.split();
        let (_reader, mut writer) = here.split();
        writer.queue(&"last").unwrap();
        writer.close().await.unwrap();
        assert_eq!(reader.next().await.unwrap(), Some("last".to_owned()));
        assert_eq!(reader.next::<String>().await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_channel_that_is_dropped_is_broken() {
        let (here, there) = channel().await;
        drop(here);
        assert!(matches!(there.split().0.next::<String>().await, Err(ChannelError::Broken(_))));
    }

    #[tokio::test]
    async fn what_was_sent_is_encrypted() {
        let endpoint = ChannelEndpoint::new(&test_identity());
        let ((here, mut near), (there, mut far)) = (duplex(PIPE), duplex(PIPE));
        let opened = async { tokio::join!(endpoint.handshake_as_client(here), accepted(&endpoint, there)) };
        let (here, _there) = tokio::select! {
            opened = opened => opened,
            copied = copy_bidirectional(&mut near, &mut far) => panic!("{copied:?}"),
        };
        let (reader, mut writer) = here.unwrap().split();
        writer.queue(&"rahasia").unwrap();
        writer.flush().await.unwrap();
        drop((reader, writer));
        let mut sent = Vec::new();
        near.read_to_end(&mut sent).await.unwrap();
        assert!(!sent.is_empty() && !sent.windows(7).any(|window| window == b"rahasia"));
    }
}
