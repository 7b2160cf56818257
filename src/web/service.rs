//! From a request to its response.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use hyper::body::Incoming;
use hyper::header::{self, HeaderMap};
use hyper::service::Service;
use hyper::{Method, Request, StatusCode};

use crate::net::{Permit, ServerContext};
use crate::web::forwarded::Forwarded;
use crate::web::handshake;
use crate::web::refusal::Refusal;
use crate::web::response::{Reply, sentence, set};
use crate::web::site::Web;

/// The path of the WebSocket. The page asks for it relative to its own address, so that a proxy may put both anywhere.
const WEBSOCKET: &str = "/ws";

/// Answers the requests of one connection.
pub(super) struct HttpService {
    web: Arc<Web>,
    context: Arc<ServerContext>,
    peer: IpAddr,
    permit: Mutex<Permit>,
    /// The client's address, once the connection is a WebSocket.
    client: OnceLock<IpAddr>,
}

impl HttpService {
    pub(super) fn new(web: Arc<Web>, context: Arc<ServerContext>, peer: IpAddr, permit: Permit) -> Self {
        Self { web, context, peer, permit: Mutex::new(permit), client: OnceLock::new() }
    }

    /// Whether the connection is a WebSocket now.
    pub(super) fn is_upgraded(&self) -> bool {
        self.client.get().is_some()
    }

    /// The client of a connection that is a WebSocket now.
    pub(super) fn into_client(self) -> Option<(IpAddr, Permit)> {
        let permit = self.permit.into_inner().unwrap_or_else(PoisonError::into_inner);
        Some((self.client.into_inner()?, permit))
    }

    fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Reply {
        if path == WEBSOCKET {
            return self.upgrade(method, headers);
        }
        let Some(file) = self.web.files.find(path) else {
            return sentence(StatusCode::NOT_FOUND, "not found\n");
        };
        if method != Method::GET && method != Method::HEAD {
            let mut response = sentence(StatusCode::METHOD_NOT_ALLOWED, "expected GET or HEAD\n");
            set(&mut response, header::ALLOW, "GET, HEAD");
            return response;
        }
        file.respond(headers)
    }

    fn upgrade(&self, method: &Method, headers: &HeaderMap) -> Reply {
        let forwarded = Forwarded::read(headers, self.peer, |address| self.context.trusted_proxies.contain(address));
        let accepted = match handshake::check(method, headers, &forwarded) {
            Ok(accepted) => accepted,
            Err(refusal) => return *refusal,
        };
        let mut permit = self.permit.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(reason) = permit.set_client(forwarded.client) {
            return Refusal::of(reason).to_reply();
        }
        self.client.get_or_init(|| forwarded.client);
        accepted
    }
}

impl Service<Request<Incoming>> for HttpService {
    type Response = Reply;
    type Error = Infallible;
    type Future = Ready<Result<Reply, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        ready(Ok(self.answer(request.method(), request.uri().path(), request.headers())))
    }
}
