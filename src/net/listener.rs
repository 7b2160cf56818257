//! Listening sockets: bound all before any is served, then one task per connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tracing::{Instrument, debug, debug_span, warn};

use crate::hub::Outbox;
use crate::limits::BACKLOG;
use crate::net::Services;
use crate::net::connection;
use crate::socket;
use crate::wire::{Farewell, Style};

/// After an accept that failed for want of descriptors, how long until the next try.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// A bound socket and the style of its answers.
pub struct Binding {
    listener: TcpListener,
    style: Style,
}

impl Binding {
    /// Where it listens: the port that was found where port 0 was asked for.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The style of its answers.
    #[must_use]
    pub fn style(&self) -> Style {
        self.style
    }
}

/// Binds a listener.
///
/// # Errors
/// Where the address is taken or not ours.
pub fn bind(address: SocketAddr, style: Style) -> io::Result<Binding> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(Binding { listener: socket.listen(BACKLOG)?, style })
}

/// Accepts connections until the server stops, each served by a task of its own.
pub async fn serve(binding: Binding, services: Arc<Services>) {
    loop {
        let accepted = tokio::select! {
            () = services.stopping.cancelled() => return,
            accepted = binding.listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => welcome(stream, peer, binding.style, &services),
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

fn welcome(stream: TcpStream, peer: SocketAddr, style: Style, services: &Arc<Services>) {
    if let Err(error) = socket::prepare(&stream) {
        debug!(%error, "a connection was gone before it was served");
        return;
    }
    let stream = Arc::new(stream);
    let outbox = Arc::new(Outbox::new(stream.clone(), style));
    match services.admission.admit(peer.ip(), &outbox) {
        Ok(permit) => {
            let span = debug_span!("connection", id = permit.number(), %peer);
            let life = connection::live(stream, outbox, peer.ip(), permit, services.clone());
            services.tasks.spawn(life.instrument(span));
        }
        Err(farewell) => turn_away(&stream, style, farewell),
    }
}

/// Says why to somebody who finds no place; a fresh socket takes that much without waiting.
fn turn_away(stream: &TcpStream, style: Style, farewell: Farewell) {
    let mut words = Vec::new();
    style.farewell(&mut words, farewell);
    if let Err(error) = SockRef::from(stream).send(&words) {
        debug!(%error, "a connection that found no place could not be told");
    }
}
