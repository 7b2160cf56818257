//! The socket of a connection, plain or with TLS. Reads and writes never wait, and any thread may write.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::ServerConfig;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use crate::hub::SocketWriter;
use crate::net::tls_stream::TlsStream;

pub(crate) enum ClientStream {
    Plain(TcpStream),
    /// Boxed so that a plain connection does not pay for it.
    Tls(Box<TlsStream>),
}

impl ClientStream {
    /// # Errors
    /// If rustls refuses the configuration.
    pub(super) fn new(tcp: TcpStream, tls: Option<&Arc<ServerConfig>>) -> io::Result<Self> {
        match tls {
            None => Ok(Self::Plain(tcp)),
            Some(config) => TlsStream::new(tcp, config.clone()).map(|stream| Self::Tls(Box::new(stream))),
        }
    }

    pub(super) fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(stream) => stream.tcp(),
        }
    }

    pub(super) fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tcp().peer_addr()
    }

    /// Reads what there is.
    ///
    /// # Errors
    /// `WouldBlock` if there is nothing now; any other error if the connection broke.
    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.try_read(buffer),
            Self::Tls(stream) => stream.try_read(buffer),
        }
    }

    /// Waits until there is something to read, and reads it with `read`, which gets this stream.
    pub(super) fn poll_read(
        &self,
        context: &mut Context<'_>,
        mut read: impl FnMut(&Self) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        // Decrypted bytes may wait while the socket has none.
        if matches!(self, Self::Plain(_)) {
            ready!(self.tcp().poll_read_ready(context))?;
        }
        loop {
            match read(self) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.tcp().poll_read_ready(context))?;
                }
                taken => return Poll::Ready(taken),
            }
        }
    }

    pub(super) fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp().poll_write_ready(context)
    }

    /// Waits until the peer has reset the connection. That it closed its side is no reset.
    pub(super) async fn reset(&self) {
        // A socket that cannot be waited for is gone, too.
        let _error = self.tcp().ready(Interest::ERROR).await;
    }

    /// Whether the bytes read so far may lack their end: TLS ended without its closing message, as somebody on the way
    /// could have it.
    pub(super) fn is_truncated(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(stream) => stream.is_truncated(),
        }
    }

    /// Tells the peer that nothing more comes.
    ///
    /// # Errors
    /// If the connection is gone.
    pub(super) fn shutdown_write(&self) -> io::Result<()> {
        if let Self::Tls(stream) = self {
            stream.send_close();
        }
        SockRef::from(self.tcp()).shutdown(Shutdown::Write)
    }
}

impl SocketWriter for ClientStream {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.try_write(bytes),
            Self::Tls(stream) => stream.try_write(bytes),
        }
    }
}

/// `AsyncRead` and `AsyncWrite` for a stream that no other task reads or writes at the time.
pub(crate) struct SharedStream(pub(crate) Arc<ClientStream>);

impl AsyncRead for SharedStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let unfilled = buffer.initialize_unfilled();
        let count = ready!(self.0.poll_read(context, |stream| stream.try_read(unfilled)))?;
        buffer.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for SharedStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            match self.0.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.0.poll_write_ready(context))?;
                }
                written => return Poll::Ready(written),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.shutdown_write())
    }
}
