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

/// After an accept that failed for want of descriptors, how long until the next try.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// A bound socket and the style of its answers.
pub struct Listener {
    listener: TcpListener,
    format: ReplyFormat,
}

impl Listener {
    /// Where it listens: the port that was found where port 0 was asked for.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The style of its answers.
    #[must_use]
    pub fn format(&self) -> ReplyFormat {
        self.format
    }
}

/// Binds a listener.
///
/// # Errors
/// Where the address is taken or not ours.
pub fn bind(address: SocketAddr, format: ReplyFormat) -> io::Result<Listener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(Listener { listener: socket.listen(BACKLOG)?, format })
}

/// Accepts connections until the server stops, each served by a task of its own.
pub async fn serve(binding: Listener, services: Arc<ServerContext>) {
    loop {
        let accepted = tokio::select! {
            () = services.stopping.cancelled() => return,
            accepted = binding.listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => start_connection(stream, peer, binding.format, &services),
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

fn start_connection(stream: TcpStream, peer: SocketAddr, format: ReplyFormat, services: &Arc<ServerContext>) {
    if let Err(error) = socket::prepare(&stream) {
        debug!(%error, "a connection was gone before it was served");
        return;
    }
    let stream = Arc::new(stream);
    let send_queue = Arc::new(SendQueue::new(stream.clone(), format));
    match services.admission.admit(peer.ip(), &send_queue) {
        Ok(permit) => {
            let span = debug_span!("connection", id = permit.number(), %peer);
            let life = connection::run(stream, send_queue, peer.ip(), permit, services.clone());
            services.tasks.spawn(life.instrument(span));
        }
        Err(farewell) => reject(&stream, format, farewell),
    }
}

/// Says why to somebody who finds no place; a fresh socket takes that much without waiting.
fn reject(stream: &TcpStream, format: ReplyFormat, farewell: DisconnectReason) {
    let mut words = Vec::new();
    format.farewell(&mut words, farewell);
    if let Err(error) = SockRef::from(stream).send(&words) {
        debug!(%error, "a connection that found no place could not be told");
    }
}
