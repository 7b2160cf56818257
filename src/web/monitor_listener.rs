//! The monitoring listener: `/livez`, `/readyz` and `/metrics` over HTTP, for programs of the operator.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use hyper::body::{Bytes, Incoming};
use hyper::header;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::limits::{ACCEPT_RETRY, COMMIT_WITHIN, HTTP_HEAD, HTTP_HEAD_BYTES, HTTP_LIFETIME, MONITORING_CONNECTIONS};
use crate::web::metrics;
use crate::web::monitor::{Monitor, Problem};
use crate::web::response::{Reply, reply, sentence, set};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves connections until the token is cancelled. For one more than [`MONITORING_CONNECTIONS`] the oldest is closed.
pub(crate) async fn serve_monitoring(listener: TcpListener, monitor: Arc<Monitor>, stop: CancellationToken) {
    let mut connections: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.retain(|connection| !connection.is_finished());
                if connections.len() >= MONITORING_CONNECTIONS
                    && let Some(oldest) = connections.pop_front()
                {
                    oldest.abort();
                }
                connections.push_back(tokio::spawn(serve_connection(stream, monitor.clone())).abort_handle());
            }
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

async fn serve_connection(stream: TcpStream, monitor: Arc<Monitor>) {
    let answering = service_fn(|request: Request<Incoming>| {
        let monitor = monitor.clone();
        async move { Ok::<_, Infallible>(answer(&monitor, request.method(), request.uri().path()).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HTTP_HEAD)
        .max_buf_size(HTTP_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), answering);
    if let Ok(Err(error)) = timeout(HTTP_LIFETIME, connection).await {
        debug!(%error, "HTTP ended");
    }
}

async fn answer(monitor: &Arc<Monitor>, method: &Method, path: &str) -> Reply {
    if method != Method::GET && method != Method::HEAD {
        let mut response = sentence(StatusCode::METHOD_NOT_ALLOWED, "expected GET or HEAD\n");
        set(&mut response, header::ALLOW, "GET, HEAD");
        return response;
    }
    match path {
        "/livez" => tell(monitor.liveness(COMMIT_WITHIN).await),
        "/readyz" => tell(monitor.readiness().await),
        "/metrics" => measured(monitor.clone()).await,
        _ => sentence(StatusCode::NOT_FOUND, "expected /livez, /readyz or /metrics\n"),
    }
}

/// `ok`, or what is wrong.
fn tell(found: Result<(), Problem>) -> Reply {
    let (status, text) = match found {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(problem) => (StatusCode::SERVICE_UNAVAILABLE, format!("{problem}\n")),
    };
    let mut response = reply(status, Bytes::from(text));
    set(&mut response, header::CONTENT_TYPE, "text/plain; charset=utf-8");
    set(&mut response, header::CACHE_CONTROL, "no-store");
    response
}

async fn measured(monitor: Arc<Monitor>) -> Reply {
    // It asks the disk, and counts all connections.
    let text = tokio::task::spawn_blocking(move || metrics::text(&monitor)).await;
    let Ok(Ok(text)) = text else {
        return sentence(StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be written\n");
    };
    let mut response = reply(StatusCode::OK, Bytes::from(text));
    set(&mut response, header::CONTENT_TYPE, OPEN_METRICS);
    set(&mut response, header::CACHE_CONTROL, "no-store");
    response
}
