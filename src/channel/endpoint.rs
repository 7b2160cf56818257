//! Opens channels. All nodes of a cluster have the same key pair, and accept no other key.

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsStream;

use crate::channel::error::ChannelError;
use crate::channel::frames::{FrameReader, FrameWriter};
use crate::id::PeerKey;
use crate::identity::{Identity, TlsEndpoint, TlsProtocol};
use crate::limits::{CHANNEL_CONNECT, CHANNEL_HANDSHAKE};
use crate::socket;

/// The protocol and its version, and how long the handshake may take.
const PROTOCOL: TlsProtocol = TlsProtocol { alpn: b"kabar-node/1", handshake: CHANNEL_HANDSHAKE };

/// Opens channels with the key pair of a realm.
pub struct ChannelEndpoint {
    tls: TlsEndpoint,
    key: PeerKey,
}

impl ChannelEndpoint {
    #[must_use]
    pub fn new(identity: &Identity) -> Self {
        Self { tls: TlsEndpoint::new(identity, PROTOCOL), key: identity.key() }
    }

    /// Connects to the node at `HOST:PORT`. That node may still refuse; then the first read fails.
    ///
    /// # Errors
    /// If no node of this realm answers there in time.
    pub async fn connect(&self, address: &str) -> Result<Channel, ChannelError> {
        let connected = timeout(CHANNEL_CONNECT, TcpStream::connect(address)).await;
        let late = |_| ChannelError::ConnectTimeout { address: address.into(), after: CHANNEL_CONNECT };
        let failed = |source| ChannelError::Connect { address: address.into(), source };
        let stream = connected.map_err(late)?.map_err(failed)?;
        socket::prepare(&stream)?;
        self.handshake_as_client(stream).await
    }

    /// Makes a channel of a connection that was accepted.
    ///
    /// # Errors
    /// If the other end is no node of this realm, or is silent.
    pub async fn accept(&self, stream: TcpStream) -> Result<Channel, ChannelError> {
        socket::prepare(&stream)?;
        self.handshake_as_server(stream).await
    }

    async fn handshake_as_client(&self, stream: impl Stream) -> Result<Channel, ChannelError> {
        self.verify(self.tls.connect(stream).await?)
    }

    async fn handshake_as_server(&self, stream: impl Stream) -> Result<Channel, ChannelError> {
        self.verify(self.tls.accept(stream).await?)
    }

    fn verify<S: Stream>(&self, (stream, shown): (TlsStream<S>, PeerKey)) -> Result<Channel, ChannelError> {
        if shown == self.key { Ok(Channel::over(stream)) } else { Err(ChannelError::OtherKey(shown)) }
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

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
        tokio::join!(connecting.handshake_as_client(here), accepting.handshake_as_server(there))
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
        let accepted = async { leader.accept(listener.accept().await.unwrap().0).await };
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
        let (_, accepted) = tokio::join!(link.connect(here), node.handshake_as_server(there));
        assert!(matches!(accepted, Err(ChannelError::Handshake(_))));
        let (here, there) = duplex(PIPE);
        let (connected, _) = tokio::join!(node.handshake_as_client(here), link.accept(there));
        assert!(matches!(connected, Err(ChannelError::Handshake(_))));
    }

    #[tokio::test]
    async fn a_client_of_the_chat_port_is_refused() {
        let (mut client, there) = duplex(PIPE);
        client.write_all(b"auth messi surabaya\r\n").await.unwrap();
        let accepted = ChannelEndpoint::new(&test_identity()).handshake_as_server(there).await;
        assert!(matches!(accepted, Err(ChannelError::Handshake(TlsError::Handshake(_)))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_is_given_up() {
        let (_silent, there) = duplex(PIPE);
        let start = Instant::now();
        let accepted = ChannelEndpoint::new(&test_identity()).handshake_as_server(there).await;
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
        let opened = async { tokio::join!(endpoint.handshake_as_client(here), endpoint.handshake_as_server(there)) };
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
