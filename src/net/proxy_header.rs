//! The header of the PROXY protocol, version 1 or 2, with which a proxy names the client of a connection.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::net::TcpStream;

use crate::limits::PROXY_HEADER_BYTES;

/// How a header of version 2 begins.
const V2_SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// The least that tells the versions apart; no header is shorter.
const SIGNATURE: usize = 12;
/// The bytes of a version 2 header before the addresses: signature, version and command, family, length of the rest.
const V2_FIXED: usize = 16;
/// The longest header of version 1, which is a line.
const V1_MAX: usize = 107;

// Version and command, and the upper half of the family, of version 2.
const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;
const IPV4: u8 = 1;
const IPV6: u8 = 2;

/// The result of parsing the bytes received so far.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ProxyHeader {
    /// Bytes that may be read without reading past the header.
    Needs(usize),
    /// The client's address; `None` if the proxy speaks for itself, as in a health check, or does not know it.
    Client(Option<IpAddr>),
    Malformed,
}

/// Parses what was received of a header.
pub(crate) fn parse(received: &[u8]) -> ProxyHeader {
    if received.len() < SIGNATURE {
        return ProxyHeader::Needs(SIGNATURE - received.len());
    }
    if received.starts_with(V2_SIGNATURE) { parse_binary(received) } else { parse_line(received) }
}

fn parse_line(received: &[u8]) -> ProxyHeader {
    if !received.starts_with(b"PROXY ") || received.len() > V1_MAX {
        return ProxyHeader::Malformed;
    }
    if !received.ends_with(b"\n") {
        return ProxyHeader::Needs(1);
    }
    client_of_line(received).map_or(ProxyHeader::Malformed, ProxyHeader::Client)
}

/// `PROXY TCP4 SOURCE DESTINATION PORT PORT` or `PROXY UNKNOWN` with anything after it.
fn client_of_line(line: &[u8]) -> Option<Option<IpAddr>> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        ["PROXY", "UNKNOWN", ..] => Some(None),
        ["PROXY", "TCP4", source, _, _, _] => Some(Some(source.parse::<Ipv4Addr>().ok()?.into())),
        ["PROXY", "TCP6", source, _, _, _] => Some(Some(source.parse::<Ipv6Addr>().ok()?.into())),
        _ => None,
    }
}

fn parse_binary(received: &[u8]) -> ProxyHeader {
    let length = received.get(V2_FIXED - 2..V2_FIXED).and_then(|bytes| bytes.try_into().ok());
    let whole = length.map_or(V2_FIXED, |length| V2_FIXED + usize::from(u16::from_be_bytes(length)));
    if whole > PROXY_HEADER_BYTES {
        return ProxyHeader::Malformed;
    }
    if received.len() < whole {
        return ProxyHeader::Needs(whole - received.len());
    }
    client_of_binary(received).map_or(ProxyHeader::Malformed, ProxyHeader::Client)
}

fn client_of_binary(header: &[u8]) -> Option<Option<IpAddr>> {
    let (fixed, addresses) = header.split_at_checked(V2_FIXED)?;
    let (&command, &family) = (fixed.get(SIGNATURE)?, fixed.get(SIGNATURE + 1)?);
    match (command, family >> 4) {
        (LOCAL, _) => Some(None),
        (PROXY, IPV4) => Some(Some(Ipv4Addr::from(*addresses.first_chunk::<4>()?).into())),
        (PROXY, IPV6) => Some(Some(Ipv6Addr::from(*addresses.first_chunk::<16>()?).into())),
        (PROXY, _) => Some(None),
        _ => None,
    }
}

/// Reads a header, and not a byte after it.
///
/// # Errors
/// If the connection ended, or began with something else.
pub(super) async fn read(tcp: &TcpStream) -> io::Result<Option<IpAddr>> {
    let mut received = Vec::new();
    loop {
        let needed = match parse(&received) {
            ProxyHeader::Needs(bytes) => bytes,
            ProxyHeader::Client(client) => return Ok(client.map(|client| client.to_canonical())),
            ProxyHeader::Malformed => return Err(io::Error::new(io::ErrorKind::InvalidData, "no PROXY header")),
        };
        tcp.readable().await?;
        let begun = received.len();
        received.resize(begun + needed, 0);
        let read = match tcp.try_read(received.get_mut(begun..).unwrap_or_default()) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            read => read?,
        };
        received.truncate(begun + read);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_version_2(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
        let length = u16::try_from(addresses.len()).unwrap().to_be_bytes();
        [V2_SIGNATURE, &[0x20 | command, family], &length, addresses].concat()
    }

    /// Parses a header as it is read, and returns how much of the input it took.
    fn parse_stepwise(input: &[u8]) -> (ProxyHeader, usize) {
        let mut taken = 0;
        loop {
            match parse(&input[..taken]) {
                ProxyHeader::Needs(bytes) if taken + bytes <= input.len() => taken += bytes,
                parsed => return (parsed, taken),
            }
        }
    }

    #[test]
    fn the_client_is_read_and_no_byte_after_the_header() {
        let ipv6 = [[0; 15].as_slice(), &[1], &[0; 15], &[1], &[0, 7, 0, 9]].concat();
        let table: [(&[u8], Option<&str>); 7] = [
            (b"PROXY TCP4 192.0.2.7 10.0.0.1 5 8889\r\n", Some("192.0.2.7")),
            (b"PROXY TCP6 2001:db8::7 2001:db8::1 5 8889\r\n", Some("2001:db8::7")),
            (b"PROXY UNKNOWN\r\n", None),
            (&of_version_2(1, 0x11, &[192, 0, 2, 7, 10, 0, 0, 1, 0, 5, 0, 9]), Some("192.0.2.7")),
            (&of_version_2(1, 0x11, &[192, 0, 2, 7, 10, 0, 0, 1, 0, 5, 0, 9, 4, 0, 1, 0]), Some("192.0.2.7")),
            (&of_version_2(1, 0x21, &ipv6), Some("::1")),
            (&of_version_2(0, 0, &[]), None),
        ];
        for (header, client) in table {
            let input = [header, b"help\n"].concat();
            let client = client.map(|client| client.parse().unwrap());
            assert_eq!(parse_stepwise(&input), (ProxyHeader::Client(client), header.len()), "{header:?}");
        }
    }

    #[test]
    fn anything_else_is_malformed() {
        let too_long = of_version_2(1, 0x11, &[0; PROXY_HEADER_BYTES]);
        for input in [
            &b"auth messi surabaya\r\n"[..],
            b"PROXY TCP4 somewhere else 1 2\r\n",
            b"PROXY TCP4 2001:db8::7 ::1 1 2\r\n",
            &of_version_2(2, 0x11, &[0; 12]),
            &of_version_2(1, 0x11, &[0; 3]),
            b"PROXY TCP4 192.0.2.7 10.0.0.1 5 8889\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00",
            &too_long,
            &[b'P'; 200],
            &[&b"PROXY "[..], &[b'x'; 200]].concat(),
        ] {
            assert_eq!(parse_stepwise(input).0, ProxyHeader::Malformed, "{input:?}");
        }
    }

    #[test]
    fn part_of_a_header_needs_more() {
        let header = b"PROXY TCP4 192.0.2.7 10.0.0.1 5 8889\r\n";
        for end in 0..header.len() {
            assert!(matches!(parse(&header[..end]), ProxyHeader::Needs(1..)), "{end}");
        }
    }
}
