//! Fuzz targets: what comes before the first request (`fuzz/README.md`).

use bytes::BytesMut;
use tokio_util::codec::Decoder;

use crate::limits::{LINE_BYTES_MAX, PROXY_HEADER_BYTES};
use crate::net::opening::begins_tls;
use crate::net::proxy_header::{ProxyHeader, parse};
use crate::wire::{Line, LineCodec};

/// What begins as TLS is no request of a listener without TLS, and what is a request does not begin as TLS.
pub fn tls_sniffing(bytes: &[u8]) {
    let first = LineCodec::new(LINE_BYTES_MAX).decode_eof(&mut BytesMut::from(bytes)).unwrap();
    assert!(!begins_tls(bytes) || !matches!(first, Some(Line::Text(_))));
    // What a TLS listener does with it.
    if begins_tls(bytes) {
        let mut acceptor = rustls::server::Acceptor::default();
        while let Ok(1..) = acceptor.read_tls(&mut &*bytes) {
            if !matches!(acceptor.accept(), Ok(None)) {
                break;
            }
        }
    }
}

/// A header is read to its end, whatever follows it, and never past it.
pub fn proxy_header(bytes: &[u8]) {
    let mut taken = 0;
    let parsed = loop {
        let received = bytes.get(..taken).unwrap();
        match parse(received) {
            ProxyHeader::Needs(more) => {
                assert!(more > 0 && taken + more <= PROXY_HEADER_BYTES);
                taken += more;
            }
            parsed => break parsed,
        }
        if taken > bytes.len() {
            return;
        }
    };
    if let ProxyHeader::Client(_) = parsed {
        let header = bytes.get(..taken).unwrap();
        assert!(header.ends_with(b"\r\n") || header.starts_with(b"\r\n\r\n\0\r\nQUIT\n"));
    }
}
