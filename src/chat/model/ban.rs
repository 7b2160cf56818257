//! Bans and invites: what administrators decide about who may come (PROTOCOL §8).

use std::fmt;
use std::net::IpAddr;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BanSubject {
    User(Address),
    Network(Network),
    Realm(Name),
}

/// A network of addresses without host bits. An address of IPv6 stands for the network that its host can choose from.
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
        let longest = if address.is_ipv4() { 32 } else { BANNED_IPV6_PREFIX };
        let prefix = prefix.min(longest);
        let network = IpNet::new(address, prefix).map_or(address, |network| network.network());
        Self { address: network, prefix }
    }

    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && Self::of(address, self.prefix) == *self
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
            (IpAddr::V4(address), 32) => write!(f, "{address}"),
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
        ] {
            assert_eq!(Network::parse(text).unwrap().to_string(), shown, "{text}");
        }
        for bad in ["", "10.1.2", "10.1.2.3/33", "bob", "::ffff:10.0.0.0/8", "10.1.2.3/"] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_network_contains_the_addresses_of_its_family_only() {
        let network = |text| Network::parse(text).unwrap();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(network("10.0.0.0/8").contains(address("10.255.0.1")));
        assert!(network("10.0.0.0/8").contains(address("::ffff:10.255.0.1")));
        assert!(network("0.0.0.0/0").contains(address("192.0.2.7")));
        assert!(!network("0.0.0.0/0").contains(address("2001:db8::1")));
        assert!(!network("::/0").contains(address("192.0.2.7")));
        assert!(network("2001:db8::7").contains(address("2001:db8::8")), "the host can choose either");
    }
}
