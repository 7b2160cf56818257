//! Serves HTTP on a connection, which may become a WebSocket.

use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::timeout;
use tracing::debug;

use crate::hub::SendQueue;
use crate::limits::{HTTP_HEAD, HTTP_HEAD_BYTES, HTTP_LIFETIME};
use crate::net::{self, Accepted, ClientStream, Listener, Permit, ServerContext, Service, SharedStream};
use crate::web::response::{NO_TLS, REFUSED, REFUSED_BANNED};
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
        let response = match reason {
            DisconnectReason::TlsExpected => NO_TLS,
            DisconnectReason::AddressBanned => REFUSED_BANNED,
            _ => REFUSED,
        };
        response.to_vec()
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
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HTTP_HEAD)
        .max_buf_size(HTTP_HEAD_BYTES)
        .serve_connection(TokioIo::new(SharedStream(stream)), service);
    let served = tokio::select! {
        served = poll_fn(|context| connection.poll_without_shutdown(context)) => served,
        () = poll_fn(|context| send_queue.poll_until(|status| status.is_closing, context)) => return None,
    };
    if let Err(error) = served {
        debug!(%error, "HTTP ended");
        return None;
    }
    let parts = connection.into_parts();
    let (address, permit) = parts.service.into_client()?;
    Some(Upgraded { address, permit, received: parts.read_buf })
}
