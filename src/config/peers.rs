//! The servers of the configuration: `[[peers]]`.

use serde::{Deserialize, Deserializer};

use crate::config::host_port::HostPort;
use crate::config::read;
use crate::id::PeerKey;
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
    let HostPort { host, port } = text.parse().ok()?;
    (port != 0).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_port_to_dial() {
        assert_eq!(address("[::1]:8889"), Some(("::1".into(), 8889)));
        assert_eq!(address("localhost:0"), None);
        assert_eq!(address("localhost"), None);
    }
}
