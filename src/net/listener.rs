//! Listening sockets: bound all before any is served, then one task per connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tracing::{Instrument, debug, debug_span, warn};

use crate::hub::SendQueue;
use crate::limits::BACKLOG;
use crate::net::connection;
use crate::net::context::ServerContext;
use crate::socket;
use crate::wire::{DisconnectReason, ReplyFormat};

/// Pause after a failed accept: the process may have no descriptor left.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

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

/// Accepts connections until the server stops, each served by a task of its own.
pub(crate) async fn serve(listener: Listener, context: Arc<ServerContext>) {
    loop {
        let accepted = tokio::select! {
            () = context.stopping.cancelled() => return,
            accepted = listener.listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => start_connection(stream, peer, listener.format, &context),
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

fn start_connection(stream: TcpStream, peer: SocketAddr, format: ReplyFormat, context: &Arc<ServerContext>) {
    if let Err(error) = socket::prepare(&stream) {
        debug!(%error, "a connection was gone before it was served");
        return;
    }
    let stream = Arc::new(stream);
    let send_queue = Arc::new(SendQueue::new(stream.clone(), format));
    match context.admission.admit(peer.ip(), &send_queue) {
        Ok(permit) => {
            let span = debug_span!("connection", id = permit.number(), %peer);
            let serving = connection::run(stream, send_queue, peer.ip(), permit, context.clone());
            context.tasks.spawn(serving.instrument(span));
        }
        Err(reason) => reject(&stream, format, reason),
    }
}

/// Sends the reason why a connection is not admitted. A fresh socket takes that much without waiting.
fn reject(stream: &TcpStream, format: ReplyFormat, reason: DisconnectReason) {
    let mut frame = Vec::new();
    format.disconnect(&mut frame, reason);
    if let Err(error) = SockRef::from(stream).send(&frame) {
        debug!(%error, "a rejected connection was gone before it had the reason");
    }
}
