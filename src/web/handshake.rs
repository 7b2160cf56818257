//! The handshake of a WebSocket (RFC 6455, section 4.2).

use data_encoding::BASE64;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use ring::digest;

use crate::web::forwarded::Forwarded;
use crate::web::response::{Reply, reply, sentence, set};

/// The constant that a server appends to the client's key (RFC 6455 §4.2.2).
const SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const KEY_BYTES: usize = 16;

/// The response that makes the connection a WebSocket, or the one that refuses it.
pub(super) fn check(method: &Method, headers: &HeaderMap, forwarded: &Forwarded<'_>) -> Result<Reply, Box<Reply>> {
    let is_upgrade =
        has_word(headers, header::CONNECTION, "upgrade") && has_word(headers, header::UPGRADE, "websocket");
    if method != Method::GET || !is_upgrade {
        return Err(Box::new(upgrade_required("expected a WebSocket handshake\n")));
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(Box::new(upgrade_required("expected Sec-WebSocket-Version: 13\n")));
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
    if BASE64.decode(key).map_or(0, |key| key.len()) != KEY_BYTES {
        return Err(Box::new(sentence(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key: expected 16 bytes in Base64\n")));
    }
    if let Some(origin) = headers.get(header::ORIGIN)
        && !origin.to_str().is_ok_and(|origin| is_same_origin(origin, forwarded))
    {
        return Err(Box::new(sentence(StatusCode::FORBIDDEN, "Origin: expected the host of this server\n")));
    }
    Ok(accept(key))
}

fn accept(key: &[u8]) -> Reply {
    let mut response = reply(StatusCode::SWITCHING_PROTOCOLS, Bytes::new());
    set(&mut response, header::CONNECTION, "upgrade");
    set(&mut response, header::UPGRADE, "websocket");
    if let Ok(value) = HeaderValue::from_str(&accept_key(key)) {
        response.headers_mut().insert(header::SEC_WEBSOCKET_ACCEPT, value);
    }
    response
}

fn accept_key(key: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &[key, SUFFIX].concat());
    BASE64.encode(hash.as_ref())
}

fn upgrade_required(problem: &'static str) -> Reply {
    let mut response = sentence(StatusCode::UPGRADE_REQUIRED, problem);
    set(&mut response, header::CONNECTION, "upgrade");
    set(&mut response, header::UPGRADE, "websocket");
    set(&mut response, header::SEC_WEBSOCKET_VERSION, "13");
    response
}

fn has_word(headers: &HeaderMap, name: HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(word))
}

/// Whether the page that asks came from this server. Programs that are no browser send no origin.
fn is_same_origin(origin: &str, forwarded: &Forwarded<'_>) -> bool {
    let (Some((scheme, authority)), Some(host)) = (origin.split_once("://"), forwarded.host) else { return false };
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let is_scheme = forwarded.scheme.is_none_or(|expected| expected.eq_ignore_ascii_case(scheme));
    let host = host.strip_suffix(default_port).unwrap_or(host);
    let authority = authority.strip_suffix(default_port).unwrap_or(authority);
    is_scheme && !host.is_empty() && authority.eq_ignore_ascii_case(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_answered_as_the_rfc_shows() {
        assert_eq!(accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn an_origin_is_the_same_if_the_browser_asked_for_that_host() {
        let asked = |origin, host, scheme| {
            let client = [127, 0, 0, 1].into();
            is_same_origin(origin, &Forwarded { client, host: Some(host), scheme })
        };
        for (origin, host, scheme) in [
            ("http://127.0.0.1:8080", "127.0.0.1:8080", None),
            ("https://chat.example", "chat.example", None),
            ("https://chat.example", "chat.example:443", None),
            ("http://Chat.Example", "chat.example:80", Some("http")),
            ("http://[::1]:8080", "[::1]:8080", None),
        ] {
            assert!(asked(origin, host, scheme), "{origin} {host} {scheme:?}");
        }
        for (origin, host, scheme) in [
            ("http://evil.example", "chat.example", None),
            ("http://chat.example:81", "chat.example", None),
            ("http://chat.example.evil.example", "chat.example", None),
            ("http://chat.example", "chat.example", Some("https")),
            ("http://localhost:8080", "127.0.0.1:8080", None),
            ("null", "chat.example", None),
            ("file://", "", None),
            ("http://", "", None),
            ("chat.example", "chat.example", None),
        ] {
            assert!(!asked(origin, host, scheme), "{origin} {host} {scheme:?}");
        }
    }
}
