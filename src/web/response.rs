//! Responses, each with the headers that keep a page from doing anything but chat.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

pub(super) type Reply = Response<Full<Bytes>>;

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
