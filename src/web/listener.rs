//! Serves HTTP on a connection, which may become a WebSocket.

use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::timeout;
use tracing::debug;

use crate::hub::{ConnectionEnd, SendQueue, SocketWriter};
use crate::limits::{HTTP_HEAD, HTTP_HEAD_BYTES, HTTP_LIFETIME};
use crate::net::{self, Accepted, ClientStream, Listener, Permit, ServerContext, Service};
use crate::web::http_stream::HttpStream;
use crate::web::refusal::Refusal;
use crate::web::service::HttpService;
use crate::web::site::Web;
use crate::wire::DisconnectReason;

/// Accepts connections until the server stops.
pub(crate) async fn serve(listener: Listener, web: Arc<Web>, context: Arc<ServerContext>) {
    let http = Http { web, context: context.clone() };
    net::accept(listener, context, http).await;
}

#[derive(Clone)]
struct Http {
    web: Arc<Web>,
    context: Arc<ServerContext>,
}

impl Service for Http {
    fn refusal(&self, reason: DisconnectReason) -> Vec<u8> {
        Refusal::of(reason).to_bytes()
    }

    fn refusal_without_header(&self) -> Vec<u8> {
        Refusal::no_proxy_header().to_bytes()
    }

    fn refusal_of_untrusted(&self) -> Vec<u8> {
        Refusal::untrusted_proxy().to_bytes()
    }

    fn serve(&self, accepted: Accepted) -> impl Future<Output = ()> + Send + 'static {
        run(accepted, self.clone())
    }
}

async fn run(accepted: Accepted, Http { web, context }: Http) {
    let Accepted { stream, send_queue, address, permit, .. } = accepted;
    let service = HttpService::new(web, context.clone(), address, permit);
    // Boxed, so that an idle WebSocket's task does not keep the room that HTTP needed.
    let http = Box::pin(serve_http(stream.clone(), service, &send_queue));
    let Ok(Some(upgraded)) = timeout(HTTP_LIFETIME, http).await else { return };
    let Upgraded { address, permit, received } = upgraded;
    let accepted = Accepted { stream, send_queue, address, permit, received };
    Box::pin(net::run(accepted, context)).await;
}

/// A connection whose WebSocket handshake is over.
struct Upgraded {
    address: IpAddr,
    permit: Permit,
    received: hyper::body::Bytes,
}

/// Serves HTTP until the connection becomes a WebSocket, or ends (`None`).
async fn serve_http(stream: Arc<ClientStream>, service: HttpService, send_queue: &SendQueue) -> Option<Upgraded> {
    let io = TokioIo::new(HttpStream::new(stream.clone()));
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HTTP_HEAD)
        .max_buf_size(HTTP_HEAD_BYTES)
        .serve_connection(io, service);
    let served = tokio::select! {
        served = poll_fn(|context| connection.poll_without_shutdown(context)) => Some(served),
        () = poll_fn(|context| send_queue.poll_until(|status| status.is_closing, context)) => None,
    };
    let parts = connection.into_parts();
    if parts.service.is_upgraded() && matches!(served, Some(Ok(()))) {
        let (address, permit) = parts.service.into_client()?;
        return Some(Upgraded { address, permit, received: parts.read_buf });
    }
    let is_unanswered = !parts.io.inner().has_answered;
    let refusal = match served {
        Some(Ok(())) => None,
        Some(Err(error)) => {
            debug!(%error, "HTTP ended");
            refusal_after(&error, !parts.read_buf.is_empty())
        }
        None => send_queue.ending().filter(|_| is_unanswered).and_then(|end| match end {
            ConnectionEnd::Disconnected(reason) => Some(Refusal::of(reason)),
            _ => None,
        }),
    };
    if let Some(refusal) = refusal
        && let Err(error) = stream.try_write(&refusal.to_bytes())
    {
        debug!(%error, "a refused client was gone");
    }
    // The place stays taken until the connection is closed.
    let _place = parts.service;
    net::discard_rest(&stream, poll_fn(|context| send_queue.poll_until(|status| status.is_closing, context))).await;
    None
}

/// What hyper leaves to be said. A browser opens connections in advance, and leaves them open after the last answer: nobody
/// waits for a response before a request has begun.
fn refusal_after(error: &hyper::Error, has_begun: bool) -> Option<Refusal> {
    if error.is_timeout() && has_begun {
        Some(Refusal::late())
    } else {
        error.is_parse_version_h2().then(Refusal::other_version)
    }
}
