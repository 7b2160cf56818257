//! Serves HTTP on a connection, which may become a WebSocket.

use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing::{Instrument, debug, debug_span};

use crate::hub::SendQueue;
use crate::limits::{HTTP_HEAD, HTTP_HEAD_BYTES, HTTP_LIFETIME};
use crate::net::{self, Accepted, Listener, Permit, ServerContext, SharedTcpStream};
use crate::web::response::REFUSED;
use crate::web::service::HttpService;
use crate::web::site::Web;
use crate::wire::ReplyFormat;

/// Accepts connections until the server stops, each served by a task of its own.
pub(crate) async fn serve(listener: Listener, web: Arc<Web>, context: Arc<ServerContext>) {
    net::accept(listener, &context, |stream, peer| start_connection(stream, peer, &web, &context)).await;
}

fn start_connection(stream: TcpStream, peer: SocketAddr, web: &Arc<Web>, context: &Arc<ServerContext>) {
    let stream = Arc::new(stream);
    let send_queue = Arc::new(SendQueue::new(stream.clone(), ReplyFormat::WebSocket));
    let address = (!web.trusts(peer.ip())).then(|| peer.ip());
    match context.admission.admit(address, &send_queue) {
        Ok(permit) => {
            let span = debug_span!("connection", id = permit.number(), %peer);
            let serving = run(stream, send_queue, peer.ip(), permit, web.clone(), context.clone());
            context.tasks.spawn(serving.instrument(span));
        }
        Err(_) => net::reject(&stream, REFUSED),
    }
}

async fn run(
    stream: Arc<TcpStream>,
    send_queue: Arc<SendQueue>,
    peer: IpAddr,
    permit: Permit,
    web: Arc<Web>,
    context: Arc<ServerContext>,
) {
    let service = HttpService::new(web, peer, permit);
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
async fn serve_http(stream: Arc<TcpStream>, service: HttpService, send_queue: &SendQueue) -> Option<Upgraded> {
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HTTP_HEAD)
        .max_buf_size(HTTP_HEAD_BYTES)
        .serve_connection(TokioIo::new(SharedTcpStream(stream)), service);
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
