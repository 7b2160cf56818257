//! Which addresses count as one.

use std::net::{IpAddr, Ipv6Addr};

/// The address by which connections and failures are counted: an IPv4 address, or the IPv6 network of 64 bits that one
/// subscriber has; of this machine `::1` alone.
pub(crate) fn origin(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        itself @ (IpAddr::V4(_) | IpAddr::V6(Ipv6Addr::LOCALHOST)) => itself,
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
    }
}
