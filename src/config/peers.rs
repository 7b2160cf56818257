//! The servers of the configuration: `[[peers]]`.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::config::Peer;
use crate::config::error::ConfigError;
use crate::config::listed::{Listed, Section};
use crate::config::value::Value;
use crate::id::PeerKey;
use crate::limits::HOST_BYTES;
use crate::name::Name;

const ADDRESS: &str = "expected a host and a port, such as chat.example.org:8889, 192.0.2.7:8889 or [2001:db8::7]:8889";
const KEY: &str = "expected the 64 hexadecimal digits that `kabar realm key` prints there";

impl Listed for Peer {
    const SECTION: &'static str = "peers";
    const SEVERAL: &'static str = "servers";
    const FIELDS: &'static [&'static str] = &["name", "address", "key"];

    fn read(section: &Section<'_>) -> Result<Self, ConfigError> {
        let peer = Self {
            name: section.field("name", Value::name)?.ok_or_else(|| section.wrong("expected a name"))?,
            address: section.field("address", |value| value.parsed(|text| address(text).ok_or(ADDRESS)))?,
            key: section.field("key", |value| value.parsed(|text| PeerKey::parse(text).ok_or(KEY)))?,
        };
        if peer.address.is_none() && peer.key.is_none() {
            return Err(section.wrong("expected an address or a key, or both"));
        }
        Ok(peer)
    }

    fn name(&self) -> &Name {
        &self.name
    }
}

/// What the sections of peers cannot tell one by one: a peer is its key, so that no two may have the same; and no peer may
/// have the name that is ours.
pub(super) fn check(peers: &[(String, Peer)], home: &Name) -> Result<(), ConfigError> {
    for (number, (place, peer)) in peers.iter().enumerate() {
        let problem = if peer.name.folded() == home.folded() {
            format!("[[peers]] {} is the name of this server's own realm", peer.name)
        } else if let Some((_, other)) = peers.iter().take(number).find(|(_, other)| same_key(peer, other)) {
            format!("[[peers]] {} has the key of {}; expected different ones", peer.name, other.name)
        } else {
            continue;
        };
        return Err(ConfigError::new(place, problem));
    }
    Ok(())
}

fn same_key(one: &Peer, other: &Peer) -> bool {
    one.key.is_some() && one.key == other.key
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

/// Labels of letters, digits, hyphens and underscores. What ends in a number is meant as an address, and is none.
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
