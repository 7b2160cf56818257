//! A fuzz target: the head of a request for a WebSocket (`fuzz/README.md`).

use std::net::{IpAddr, Ipv4Addr};

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};

use crate::web::forwarded::Forwarded;
use crate::web::handshake::check;

const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// The page of another host opens no WebSocket, whatever stands in the head. Only a trusted proxy may name a client.
pub fn handshake(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = line.split_at(colon);
        let value = value.trim_ascii_start().strip_prefix(b":").unwrap_or_default().trim_ascii();
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    assert_eq!(Forwarded::read(&headers, PROXY, |_| false).client, PROXY);
    for is_trusted in [false, true] {
        let forwarded = Forwarded::read(&headers, PROXY, |address| is_trusted && address == PROXY);
        let Ok(accepted) = check(&Method::GET, &headers, &forwarded) else { continue };
        assert_eq!(accepted.status(), StatusCode::SWITCHING_PROTOCOLS);
        if let Some(origin) = headers.get(header::ORIGIN) {
            let host = forwarded.host.unwrap().to_ascii_lowercase();
            let origin = origin.to_str().unwrap().to_ascii_lowercase();
            let authority = origin.strip_prefix("http").unwrap().trim_start_matches('s').strip_prefix("://").unwrap();
            let without_port = |text: &str| text.trim_end_matches(":80").trim_end_matches(":443").to_owned();
            assert_eq!(without_port(authority), without_port(&host));
        }
    }
}
