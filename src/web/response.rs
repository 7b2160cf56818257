//! Responses, each with the headers that keep a page from doing anything but chat.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

pub(super) type Reply = Response<Full<Bytes>>;

/// For a connection that is not admitted: nothing of its request is read.
pub(super) const REFUSED: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n\
    content-length: 42\r\nretry-after: 30\r\nconnection: close\r\n\r\ntoo many connections: connect again later\n";

pub(super) const TOO_MANY: &str = "too many connections: connect again later\n";

/// For a connection from a banned address.
pub(super) const REFUSED_BANNED: &[u8] = b"HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain; charset=utf-8\r\n\
    content-length: 23\r\nconnection: close\r\n\r\nyour address is banned\n";

pub(super) const BANNED: &str = "your address is banned\n";

/// For a client that does not speak TLS at a listener for it.
pub(super) const NO_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n\
    content-length: 38\r\nconnection: close\r\n\r\nthis port speaks TLS: use https://...\n";

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Headers of every response.
const SNIFFING: (HeaderName, HeaderValue) = (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));

/// Headers of a response that may be shown by itself. On a script or a style sheet a browser ignores it, and the page
/// would be a tenth larger.
const OF_DOCUMENTS: [(HeaderName, HeaderValue); 3] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
];

/// A response with a body, or without one.
pub(super) fn reply(status: StatusCode, body: Bytes) -> Reply {
    let mut response = part(status, body);
    response.headers_mut().extend(OF_DOCUMENTS);
    response
}

/// A response that is only ever a part of a page.
pub(super) fn part(status: StatusCode, body: Bytes) -> Reply {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().extend([SNIFFING]);
    response
}

/// A response that is a sentence.
pub(super) fn sentence(status: StatusCode, sentence: &'static str) -> Reply {
    let mut response = reply(status, Bytes::from_static(sentence.as_bytes()));
    set(&mut response, header::CONTENT_TYPE, "text/plain; charset=utf-8");
    response
}

pub(super) fn set(response: &mut Reply, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}
