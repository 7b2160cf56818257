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
