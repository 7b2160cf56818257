//! The client behind a proxy, if the proxy is trusted to name it.

use std::net::IpAddr;

use hyper::header::{self, HeaderMap};

/// The client that a request's headers name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Forwarded<'a> {
    pub(super) client: IpAddr,
    /// The host that the client asked for.
    pub(super) host: Option<&'a str>,
    /// `http` or `https`, if that is known.
    pub(super) scheme: Option<&'a str>,
}

impl<'a> Forwarded<'a> {
    /// Reads the headers of a proxy, and none of anybody else.
    pub(super) fn read(headers: &'a HeaderMap, peer: IpAddr, is_trusted: impl Fn(IpAddr) -> bool) -> Self {
        let host = text(headers, header::HOST.as_str());
        if !is_trusted(peer) {
            return Self { client: peer, host, scheme: None };
        }
        Self {
            client: client(headers, peer, is_trusted),
            host: first(headers, "x-forwarded-host").or(host),
            scheme: first(headers, "x-forwarded-proto"),
        }
    }
}

/// The last address that no trusted proxy has: what stands before it was written by the client.
fn client(headers: &HeaderMap, peer: IpAddr, is_trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    let mut client = peer;
    for hop in hops.iter().rev() {
        let Ok(address) = hop.parse::<IpAddr>() else { break };
        client = address.to_canonical();
        if !is_trusted(client) {
            break;
        }
    }
    client
}

fn first<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    text(headers, name)?.split(',').next().map(str::trim)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn client_of(peer: &str, forwarded: &[(&'static str, &'static str)]) -> String {
        let is_trusted = |address: IpAddr| address.to_string().starts_with("10.");
        Forwarded::read(&headers(forwarded), peer.parse().unwrap(), is_trusted).client.to_string()
    }

    #[test]
    fn the_client_is_the_last_address_that_is_no_proxy() {
        for (lines, expected) in [
            (&[("x-forwarded-for", "192.0.2.7")][..], "192.0.2.7"),
            (&[("x-forwarded-for", "6.6.6.6, 192.0.2.7, 10.0.0.2")], "192.0.2.7"),
            (&[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "192.0.2.7")], "192.0.2.7"),
            (&[("x-forwarded-for", "192.0.2.7, nonsense")], PROXY),
            (&[("x-forwarded-for", "10.0.0.3")], "10.0.0.3"),
            (&[("x-forwarded-for", "::ffff:192.0.2.7")], "192.0.2.7"),
            (&[], PROXY),
        ] {
            assert_eq!(client_of(PROXY, lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn nobody_else_can_claim_an_address_or_a_host() {
        let headers = headers(&[
            ("host", "chat.example"),
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "https"),
        ]);
        let peer = "192.0.2.7".parse().unwrap();
        let read = Forwarded::read(&headers, peer, |_| false);
        assert_eq!(read, Forwarded { client: peer, host: Some("chat.example"), scheme: None });
        let trusted = Forwarded::read(&headers, peer, |address| address == peer);
        assert_eq!(trusted.client.to_string(), "6.6.6.6");
        assert_eq!((trusted.host, trusted.scheme), (Some("evil.example"), Some("https")));
    }
}
