//! Listening sockets: bound all before any is served, then one task per connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tracing::{Instrument, debug, debug_span, warn};

use crate::hub::SendQueue;
use crate::limits::{ACCEPT_RETRY, BACKLOG};
use crate::net::accepted::Accepted;
use crate::net::connection;
use crate::net::context::ServerContext;
use crate::socket;
use crate::wire::ReplyFormat;

/// A bound socket and the format of its replies.
pub struct Listener {
    listener: TcpListener,
    format: ReplyFormat,
}

impl Listener {
    /// The address, with the port that the system picked if port 0 was asked for.
    ///
    /// # Errors
    /// If the system does not return it.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    #[must_use]
    pub(crate) fn format(&self) -> ReplyFormat {
        self.format
    }
}

/// Binds a listener.
///
/// # Errors
/// If the address is in use or not one of this host.
pub(crate) fn bind(address: SocketAddr, format: ReplyFormat) -> io::Result<Listener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(Listener { listener: socket.listen(BACKLOG)?, format })
}

/// Takes over a socket that was bound elsewhere, and does not block.
///
/// # Errors
/// If the system refuses.
pub(crate) fn take_over(listener: std::net::TcpListener, format: ReplyFormat) -> io::Result<Listener> {
    Ok(Listener { listener: TcpListener::from_std(listener)?, format })
}

/// Accepts connections until the server stops, each served by a task of its own.
pub(crate) async fn serve(listener: Listener, context: Arc<ServerContext>) {
    let format = listener.format;
    accept(listener, &context, |stream, peer| start_connection(stream, peer, format, &context)).await;
}

/// Accepts connections until the server stops.
pub(crate) async fn accept(listener: Listener, context: &ServerContext, start: impl Fn(TcpStream, SocketAddr)) {
    loop {
        let accepted = tokio::select! {
            () = context.stopping.cancelled() => return,
            accepted = listener.listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match socket::prepare(&stream) {
                Ok(()) => start(stream, peer),
                Err(error) => debug!(%error, "a connection was gone before it was served"),
            },
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

fn start_connection(stream: TcpStream, peer: SocketAddr, format: ReplyFormat, context: &Arc<ServerContext>) {
    let stream = Arc::new(stream);
    let send_queue = Arc::new(SendQueue::new(stream.clone(), format));
    match context.admission.admit(Some(peer.ip()), &send_queue) {
        Ok(permit) => {
            let span = debug_span!("connection", id = permit.number(), %peer);
            let accepted = Accepted { stream, send_queue, address: peer.ip(), permit, received: Bytes::new() };
            let serving = connection::run(accepted, context.clone());
            context.tasks.spawn(serving.instrument(span));
        }
        Err(reason) => {
            let mut frame = Vec::new();
            format.disconnect(&mut frame, reason);
            reject(&stream, &frame);
        }
    }
}

/// Sends the reason why a connection is not admitted. A fresh socket takes that much without waiting.
pub(crate) fn reject(stream: &TcpStream, reason: &[u8]) {
    if let Err(error) = SockRef::from(stream).send(reason) {
        debug!(%error, "a rejected connection was gone before it had the reason");
    }
}
