//! Upgrade of a connection of the chat port to a link with another server (PROTOCOL §6).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tracing::debug;

use crate::net::admission::HalfLinkPermit;
use crate::net::context::ServerContext;

/// Serves the link until it ends.
pub(super) async fn serve(stream: Arc<TcpStream>, half_link: Option<Box<HalfLinkPermit>>, context: &ServerContext) {
    let Ok(address) = stream.peer_addr() else { return };
    let links = &context.federation;
    let Some(half_link) = half_link else { return };
    let accepted = tokio::select! {
        () = half_link.end.cancelled() => return debug!("a link was not made: newer ones needed its place"),
        accepted = links.transport.accept(Box::new(SharedTcpStream(stream)), address) => accepted,
        () = context.stopping.cancelled() => return,
    };
    match accepted {
        Ok(carried) => {
            // Handshakes after this one have a bound of their own.
            drop(half_link);
            links.manager.serve(carried).await;
        }
        Err(error) => debug!(%error, "the handshake of a link failed"),
    }
}

/// `AsyncRead` and `AsyncWrite` for a socket behind an `Arc`, which no other task reads or writes any more.
pub(crate) struct SharedTcpStream(pub(crate) Arc<TcpStream>);

impl AsyncRead for SharedTcpStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(context))?;
            match self.0.try_read(buffer.initialize_unfilled()) {
                Ok(count) => {
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for SharedTcpStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(context))?;
            match self.0.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(socket2::SockRef::from(&*self.0).shutdown(std::net::Shutdown::Write))
    }
}
