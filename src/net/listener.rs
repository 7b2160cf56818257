//! Listening sockets: bound all before any is served, then one task per connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use rustls::ServerConfig;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::{Instrument, debug, debug_span, warn};

use crate::hub::{ConnectionEnd, SendQueue};
use crate::limits::{
    ACCEPT_RETRY, ACCEPTED_AT_ONCE, BACKLOG, REJECTED_AT_ONCE, REJECTED_BYTES, REJECTED_READ, REJECTED_WAIT,
};
use crate::log_limit::LogLimit;
use crate::net::accepted::Accepted;
use crate::net::client_stream::{ClientStream, SharedStream};
use crate::net::connection;
use crate::net::context::ServerContext;
use crate::net::opening::{self, OpeningError, ending};
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

    /// What a trusted proxy is sent that does not begin with the header of the PROXY protocol.
    fn refusal_without_header(&self) -> Vec<u8> {
        Vec::new()
    }

    /// What anybody else is sent at an address for proxies.
    fn refusal_of_untrusted(&self) -> Vec<u8> {
        Vec::new()
    }

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
    let rejections = Arc::new(Semaphore::new(REJECTED_AT_ONCE));
    let failures = LogLimit::default();
    for number in 1_u64.. {
        let accepted = tokio::select! {
            () = context.stopping.cancelled() => return,
            accepted = accept_one(&listener.listener, &context) => accepted,
        };
        match accepted {
            Ok((tcp, peer)) => {
                if let Err(error) = start_connection(tcp, peer, &listener, &context, &service, &rejections) {
                    debug!(%error, "a connection was gone before it was served");
                }
                if number.is_multiple_of(ACCEPTED_AT_ONCE) {
                    tokio::task::yield_now().await;
                }
            }
            Err(error) if is_of_connection(&error) => debug!(%error, "a connection was gone before it was accepted"),
            Err(error) => {
                if let Some(left_out) = failures.allows((), Instant::now()) {
                    warn!(%error, left_out, "a connection could not be accepted");
                }
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

/// Whether an error is that of a connection, and not of the listener: the next one can be accepted at once.
fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
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
    rejections: &Arc<Semaphore>,
) -> io::Result<()> {
    let is_trusted = context.trusted_proxies.contain(peer.ip());
    if listener.address.is_proxied && !is_trusted {
        warn_of_untrusted(peer, listener, context);
        if listener.tls.is_none() {
            reject_later(Arc::new(ClientStream::new(tcp, None)?), service.refusal_of_untrusted(), rejections, context);
        }
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
        Err(reason) => reject_later(stream, service.refusal(reason), rejections, context),
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
            let is_plain = matches!(*accepted.stream, ClientStream::Plain(_));
            let reason = match error {
                OpeningError::NoTls => service.refusal(DisconnectReason::TlsExpected),
                OpeningError::Ended(ConnectionEnd::Disconnected(reason)) if is_plain => service.refusal(reason),
                OpeningError::Header(_) if is_plain => service.refusal_without_header(),
                _ => return,
            };
            reject(&accepted.stream, &reason, ending(&accepted.send_queue)).await;
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

/// Rejects a connection that has no place, by a task of its own if not too many are being rejected. With TLS nobody could
/// read the reason yet.
fn reject_later(stream: Arc<ClientStream>, reason: Vec<u8>, rejections: &Arc<Semaphore>, context: &Arc<ServerContext>) {
    if reason.is_empty() || !matches!(*stream, ClientStream::Plain(_)) {
        return;
    }
    match rejections.clone().try_acquire_owned() {
        Ok(turn) => {
            let stopping = context.stopping.clone();
            context.tasks.spawn(async move {
                reject(&stream, &reason, stopping.cancelled()).await;
                drop(turn);
            });
        }
        Err(_) => {
            send_plainly(stream.tcp(), &reason);
            let _discarded = stream.tcp().try_read(&mut [0; REJECTED_READ]);
        }
    }
}

/// Sends the reason why a connection ends before it is served, in plain, and waits a little until the client has read it.
async fn reject(stream: &Arc<ClientStream>, reason: &[u8], end: impl Future) {
    if !reason.is_empty() {
        send_plainly(stream.tcp(), reason);
        discard_rest(stream, end).await;
    }
}

/// A fresh socket takes that much without waiting.
fn send_plainly(tcp: &TcpStream, reason: &[u8]) {
    if let Err(error) = SockRef::from(tcp).send(reason) {
        debug!(%error, "a rejected connection was gone before it had the reason");
    }
}

/// Closes the side of the server, and discards what the client sends until it closes its own, or `end` comes: a socket that
/// is closed with unread bytes resets the connection, and a reset may overtake what was written before.
pub(crate) async fn discard_rest(stream: &Arc<ClientStream>, end: impl Future) {
    if stream.shutdown_write().is_err() {
        return;
    }
    let (mut rest, mut nowhere) = (SharedStream(stream.clone()).take(REJECTED_BYTES), tokio::io::sink());
    tokio::select! {
        biased;
        _discarded = timeout(REJECTED_WAIT, tokio::io::copy(&mut rest, &mut nowhere)) => {}
        _ = end => {}
    }
}
