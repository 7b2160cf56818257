//! Bans and invites: what administrators decide about who may come (PROTOCOL §8).

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::id::{RealmId, Seq, TokenHash, UserId};
use crate::limits::BANNED_IPV6_PREFIX;
use crate::name::{Address, FoldedName, Name};
use crate::time::Time;

/// The target of a ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum BanTarget {
    User(UserId),
    /// A user of another server, whose messages are refused.
    RemoteUser(RealmId, FoldedName),
    Network(Network),
    /// Another server, whose link is ended and refused.
    Realm(RealmId),
}

/// The same by name, as somebody asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BanSubject {
    User(Address),
    Network(Network),
    Realm(Name),
}

/// A network of addresses without host bits. An address of IPv6 stands for the network that its host can choose from,
/// except `::1`, which stands for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Reads an address, or a network such as `10.0.0.0/8`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
        let is_mapped = |address: &IpAddr| address.to_canonical() != *address;
        match network.addr() {
            mapped if is_mapped(&mapped) => {
                let prefix = network.prefix_len().checked_sub(96)?;
                Some(Self::of(mapped.to_canonical(), prefix))
            }
            address => Some(Self::of(address, network.prefix_len())),
        }
    }

    /// The network of that prefix which an address is in.
    #[must_use]
    pub fn of(address: IpAddr, prefix: u8) -> Self {
        let address = address.to_canonical();
        let prefix = match address {
            IpAddr::V4(_) => prefix.min(32),
            IpAddr::V6(Ipv6Addr::LOCALHOST) if prefix == 128 => prefix,
            IpAddr::V6(_) => prefix.min(BANNED_IPV6_PREFIX),
        };
        let network = IpNet::new(address, prefix).map_or(address, |network| network.network());
        Self { address: network, prefix }
    }

    /// Whether a ban of the network refuses connections from an address. A network that is not wholly within loopback does
    /// not reach loopback addresses, so that a ban of everybody can be undone on this machine.
    #[must_use]
    pub fn keeps_out(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let contains = address.is_ipv4() == self.address.is_ipv4() && Self::of(address, self.prefix) == *self;
        // The first address of a network that is larger than loopback is not loopback.
        contains && (!address.is_loopback() || self.address.is_loopback())
    }

    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    #[must_use]
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Its address family, and how many leading bits it fixes.
    pub(in crate::chat) fn shape(&self) -> (bool, u8) {
        (self.address.is_ipv4(), self.prefix)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.address, self.prefix) {
            (address @ IpAddr::V4(_), 32) | (address @ IpAddr::V6(_), 128) => write!(f, "{address}"),
            (address, prefix) => write!(f, "{address}/{prefix}"),
        }
    }
}

/// A ban, until it is lifted or expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// The log entry that made it.
    pub id: Seq,
    /// `None` for the operator at the server's own machine.
    pub by: Option<UserId>,
    pub since: Time,
    /// `None` for ever.
    pub until: Option<Time>,
    /// May be empty.
    pub reason: Box<str>,
}

impl Ban {
    #[must_use]
    pub fn is_over(&self, now: Time) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// A code with which new users may register. Only its hash is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    pub code: TokenHash,
    pub by: Option<UserId>,
    /// How many may still register with it; never 0.
    pub uses: u32,
    pub until: Time,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_shown_as_it_is_kept() {
        for (text, shown) in [
            ("10.1.2.3", "10.1.2.3"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:db8::7", "2001:db8::/64"),
            ("2001:db8::7/48", "2001:db8::/48"),
            ("::ffff:10.1.2.3", "10.1.2.3"),
            ("::ffff:10.1.2.3/120", "10.1.2.0/24"),
            ("::1", "::1"),
            ("::1/64", "::/64"),
            ("::1/127", "::/64"),
            ("127.0.0.9", "127.0.0.9"),
        ] {
            assert_eq!(Network::parse(text).unwrap().to_string(), shown, "{text}");
        }
        for bad in ["", "10.1.2", "10.1.2.3/33", "bob", "::ffff:10.0.0.0/8", "10.1.2.3/"] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_network_keeps_out_the_addresses_of_its_family_only() {
        for (network, address, keeps_out) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "::ffff:10.255.0.1", true),
            ("0.0.0.0/0", "192.0.2.7", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "192.0.2.7", false),
            // The host can choose either.
            ("2001:db8::7", "2001:db8::8", true),
        ] {
            assert_eq!(keeps(network, address), keeps_out, "{network} {address}");
        }
    }

    #[test]
    fn only_a_network_of_this_machine_keeps_out_this_machine() {
        for (network, address, keeps_out) in [
            ("127.0.0.9", "127.0.0.9", true),
            ("127.0.0.9", "127.0.0.1", false),
            ("127.0.0.0/8", "127.255.0.1", true),
            ("127.0.0.0/8", "::1", false),
            ("::ffff:127.0.0.9", "127.0.0.9", true),
            ("127.0.0.9", "::ffff:127.0.0.9", true),
            ("::ffff:127.0.0.0/104", "127.0.0.9", true),
            ("126.0.0.0/7", "127.0.0.9", false),
            ("126.0.0.0/7", "126.0.0.9", true),
            ("0.0.0.0/0", "127.0.0.9", false),
            ("::ffff:0:0/96", "127.0.0.9", false),
            ("::1", "::1", true),
            ("::1", "::2", false),
            ("::2", "::1", false),
            ("::/64", "::1", false),
            ("::/64", "::2", true),
            ("::/0", "::1", false),
        ] {
            assert_eq!(keeps(network, address), keeps_out, "{network} {address}");
        }
    }

    fn keeps(network: &str, address: &str) -> bool {
        Network::parse(network).unwrap().keeps_out(address.parse().unwrap())
    }
}
