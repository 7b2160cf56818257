//! Listening sockets: bound all before any is served, then one task per connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use rustls::ServerConfig;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tracing::{Instrument, debug, debug_span, warn};

use crate::hub::{ConnectionEnd, SendQueue};
use crate::limits::{ACCEPT_RETRY, BACKLOG, REJECTED_READ};
use crate::net::accepted::Accepted;
use crate::net::client_stream::ClientStream;
use crate::net::connection;
use crate::net::context::ServerContext;
use crate::net::opening::{self, OpeningError};
use crate::settings::ListenAddress;
use crate::socket;
use crate::wire::{DisconnectReason, ListenerKind};

/// A bound socket, and what is spoken there.
pub struct Listener {
    listener: TcpListener,
    /// With the port that the system picked if port 0 was asked for.
    address: ListenAddress,
    kind: ListenerKind,
    tls: Option<Arc<ServerConfig>>,
}

impl Listener {
    #[must_use]
    pub(crate) fn address(&self) -> ListenAddress {
        self.address
    }

    #[must_use]
    pub(crate) fn kind(&self) -> ListenerKind {
        self.kind
    }
}

/// Serves the connections of a listener.
pub(crate) trait Service: Clone + Send + Sync + 'static {
    /// What a connection is sent that ends before it is served.
    fn refusal(&self, reason: DisconnectReason) -> Vec<u8>;

    /// Serves a connection until it ends.
    fn serve(&self, accepted: Accepted) -> impl Future<Output = ()> + Send + 'static;
}

/// Binds a listener. `tls` is what it shows and speaks if its address says that clients speak TLS.
///
/// # Errors
/// If the address is in use or not one of this host.
pub(crate) fn bind(address: ListenAddress, kind: ListenerKind, tls: Option<Arc<ServerConfig>>) -> io::Result<Listener> {
    let socket = Socket::new(Domain::for_address(address.socket), Type::STREAM, Some(Protocol::TCP))?;
    if address.socket.is_ipv6() {
        // So that both 0.0.0.0 and [::] can be bound, whatever the system's default is.
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.socket.into())?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from_std(socket.into())?;
    let address = ListenAddress { socket: listener.local_addr()?, ..address };
    Ok(Listener { listener, address, kind, tls })
}

/// Takes over a socket that was bound elsewhere, and does not block.
///
/// # Errors
/// If the system refuses.
pub(crate) fn take_over(
    listener: std::net::TcpListener,
    kind: ListenerKind,
    tls: Option<Arc<ServerConfig>>,
) -> io::Result<Listener> {
    let listener = TcpListener::from_std(listener)?;
    let address = ListenAddress { socket: listener.local_addr()?, is_tls: tls.is_some(), is_proxied: false };
    Ok(Listener { listener, address, kind, tls })
}

/// Accepts connections of the line protocol until the server stops.
pub(crate) async fn serve(listener: Listener, context: Arc<ServerContext>) {
    let lines = Lines { kind: listener.kind, context: context.clone() };
    accept(listener, context, lines).await;
}

#[derive(Clone)]
struct Lines {
    kind: ListenerKind,
    context: Arc<ServerContext>,
}

impl Service for Lines {
    fn refusal(&self, reason: DisconnectReason) -> Vec<u8> {
        let mut frame = Vec::new();
        self.kind.format(self.context.policy.load().language).disconnect(&mut frame, reason);
        frame
    }

    fn serve(&self, accepted: Accepted) -> impl Future<Output = ()> + Send + 'static {
        connection::run(accepted, self.context.clone())
    }
}

/// Accepts connections until the server stops, each served by a task of its own.
pub(crate) async fn accept(listener: Listener, context: Arc<ServerContext>, service: impl Service) {
    loop {
        let accepted = tokio::select! {
            () = context.stopping.cancelled() => return,
            accepted = accept_one(&listener.listener, &context) => accepted,
        };
        match accepted {
            Ok((tcp, peer)) => {
                if let Err(error) = start_connection(tcp, peer, &listener, &context, &service) {
                    debug!(%error, "a connection was gone before it was served");
                }
            }
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

async fn accept_one(listener: &TcpListener, context: &ServerContext) -> io::Result<(TcpStream, SocketAddr)> {
    context.admission.wait_for_room().await;
    listener.accept().await
}

fn start_connection(
    tcp: TcpStream,
    peer: SocketAddr,
    listener: &Listener,
    context: &Arc<ServerContext>,
    service: &impl Service,
) -> io::Result<()> {
    let is_trusted = context.trusted_proxies.contain(peer.ip());
    if listener.address.is_proxied && !is_trusted {
        warn_of_untrusted(peer, listener, context);
        return Ok(());
    }
    socket::prepare(&tcp)?;
    let stream = Arc::new(ClientStream::new(tcp, listener.tls.as_ref())?);
    let format = listener.kind.format(context.policy.load().language);
    let send_queue = Arc::new(SendQueue::new(stream.clone(), format));
    // Of a proxy the client is not known yet.
    let names_client = is_trusted && (listener.address.is_proxied || listener.kind == ListenerKind::Web);
    match context.admission.admit((!names_client).then(|| peer.ip()), &send_queue) {
        Ok(permit) => {
            let span = debug_span!("connection", id = permit.number(), %peer);
            let accepted = Accepted { stream, send_queue, address: peer.ip(), permit, received: Bytes::new() };
            let is_plain = matches!(*accepted.stream, ClientStream::Plain(_)) && !listener.address.is_proxied;
            if is_plain {
                context.tasks.spawn(service.serve(accepted).instrument(span));
            } else {
                let serving = open_and_serve(accepted, listener.address.is_proxied, context.clone(), service.clone());
                context.tasks.spawn(serving.instrument(span));
            }
        }
        Err(reason) => reject(&stream, &service.refusal(reason)),
    }
    Ok(())
}

async fn open_and_serve(mut accepted: Accepted, is_proxied: bool, context: Arc<ServerContext>, service: impl Service) {
    // Boxed so that the room for it is free afterwards.
    match Box::pin(opening::open(&mut accepted, is_proxied)).await {
        Ok(()) => Box::pin(service.serve(accepted)).await,
        Err(error) => {
            debug!(%error, "a connection was not opened");
            error.label().into_iter().for_each(|label| context.admission.record_unopened(label));
            match error {
                OpeningError::NoTls => {
                    reject_plainly(accepted.stream.tcp(), &service.refusal(DisconnectReason::TlsExpected));
                }
                OpeningError::Ended(ConnectionEnd::Disconnected(reason)) => {
                    reject(&accepted.stream, &service.refusal(reason));
                }
                _ => {}
            }
        }
    }
}

fn warn_of_untrusted(peer: SocketAddr, listener: &Listener, context: &ServerContext) {
    context.admission.record_unopened("untrusted_proxy");
    if let Some(left_out) = context.logged_proxies.allows(peer.ip(), Instant::now()) {
        let listener = listener.address;
        warn!(%peer, %listener, left_out, "refused: it is no proxy of [server] trusted_proxies, and only these may connect there");
    }
}

/// Sends the reason why a connection is not admitted. With TLS nobody could read it yet.
fn reject(stream: &ClientStream, reason: &[u8]) {
    if let ClientStream::Plain(tcp) = stream {
        reject_plainly(tcp, reason);
    }
}

/// A fresh socket takes that much without waiting. What the peer has sent is discarded: a socket that is closed with unread
/// bytes resets the connection, and a reset may overtake the reason.
fn reject_plainly(tcp: &TcpStream, reason: &[u8]) {
    if let Err(error) = SockRef::from(tcp).send(reason) {
        debug!(%error, "a rejected connection was gone before it had the reason");
    }
    let _discarded = tcp.try_read(&mut [0; REJECTED_READ]);
}
