//! The servers of the configuration: `[[peers]]`.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Deserializer};

use crate::config::read;
use crate::id::PeerKey;
use crate::limits::HOST_BYTES;
use crate::name::Name;

const ADDRESS: &str = "expected a host and a port, such as chat.example.org:8889, 192.0.2.7:8889 or [2001:db8::7]:8889";
const KEY: &str = "expected the 64 hexadecimal digits that `kabar realm key` prints there";

/// `[[peers]]`: another server. It has an address, or a key, or both.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Our name for it: unique among them, and not that of the home realm.
    pub name: Name,
    /// A host name or an IP address (of IPv6 without brackets), and its chat port. If absent, the peer must dial us.
    #[serde(default, deserialize_with = "address_field")]
    pub address: Option<(Box<str>, u16)>,
    /// Its public key; no two have the same. If absent, the first server that answers at the address is trusted.
    #[serde(default, deserialize_with = "key_field")]
    pub key: Option<PeerKey>,
}

impl Peer {
    pub(super) const SECTION: &'static str = "peers";
}

/// Checks what the sections of peers cannot be checked for one by one; a problem comes with its peer's position.
pub(super) fn check(peers: &[(usize, Peer)], home: &Name) -> Result<(), (usize, String)> {
    for (number, (at, peer)) in peers.iter().enumerate() {
        if peer.address.is_none() && peer.key.is_none() {
            return Err((*at, "[[peers]] expected an address or a key, or both".to_owned()));
        }
        if peer.name.is_reserved() {
            return Err((*at, format!("[[peers]] {} is reserved; expected another name", peer.name)));
        }
        if peer.name.is_same(home) {
            return Err((*at, format!("[[peers]] {} is the name of this server's own realm", peer.name)));
        }
        let same_key = |(_, other): &&(usize, Peer)| peer.key.is_some() && peer.key == other.key;
        if let Some((_, other)) = peers.iter().take(number).find(same_key) {
            let problem = format!("[[peers]] {} has the key of {}; expected different ones", peer.name, other.name);
            return Err((*at, problem));
        }
    }
    Ok(())
}

fn key_field<'de, D: Deserializer<'de>>(d: D) -> Result<Option<PeerKey>, D::Error> {
    read::text(d, |text| PeerKey::parse(text).ok_or(KEY)).map(Some)
}

fn address_field<'de, D: Deserializer<'de>>(d: D) -> Result<Option<(Box<str>, u16)>, D::Error> {
    read::text(d, |text| address(text).ok_or(ADDRESS)).map(Some)
}

fn address(text: &str) -> Option<(Box<str>, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port != 0)?;
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let valid = match inner {
        Some(literal) => literal.parse::<Ipv6Addr>().is_ok(),
        None => host.parse::<Ipv4Addr>().is_ok() || is_host_name(host),
    };
    valid.then(|| (inner.unwrap_or(host).into(), port))
}

/// Whether it is labels of letters, digits, hyphens and underscores. A last label of digits only makes it a malformed
/// IPv4 address.
fn is_host_name(text: &str) -> bool {
    let is_of_label = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    let is_label = |label: &str| !label.is_empty() && label.chars().all(is_of_label) && !label.starts_with('-');
    let mut labels = text.strip_suffix('.').unwrap_or(text).split('.');
    let ends_in_number = labels.clone().next_back().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    text.len() <= HOST_BYTES && labels.all(is_label) && !ends_in_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        let table = [
            ("chat.example.org:8889", Some(("chat.example.org", 8889))),
            ("chat.example.org.:8889", Some(("chat.example.org.", 8889))),
            ("localhost:1", Some(("localhost", 1))),
            ("kabar_2:65535", Some(("kabar_2", 65535))),
            ("3com.example:1", Some(("3com.example", 1))),
            ("192.0.2.7:8889", Some(("192.0.2.7", 8889))),
            ("[2001:db8::7]:8889", Some(("2001:db8::7", 8889))),
            ("[::1]:8889", Some(("::1", 8889))),
            ("", None),
            ("localhost", None),
            ("localhost:", None),
            ("localhost:0", None),
            ("localhost:65536", None),
            ("localhost:http", None),
            (":8889", None),
            (".:8889", None),
            ("::1:8889", None),
            ("[::1]", None),
            ("[localhost]:8889", None),
            ("[192.0.2.7]:8889", None),
            ("[::1:8889", None),
            ("192.0.2:8889", None),
            ("192.0.2.256:8889", None),
            ("two words:8889", None),
            ("a..b:8889", None),
            ("-a:8889", None),
            ("é:8889", None),
            ("http://localhost:8889", None),
        ];
        for (text, expected) in table {
            let expected = expected.map(|(host, port)| (Box::from(host), port));
            assert_eq!(address(text), expected, "{text}");
        }
        assert!(address(&format!("{}:1", "a".repeat(HOST_BYTES))).is_some());
        assert!(address(&format!("{}:1", "a".repeat(HOST_BYTES + 1))).is_none());
    }
}
