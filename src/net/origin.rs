//! Which addresses count as one.

use std::net::IpAddr;

/// The address by which connections and failures are counted: an IPv4 address, or the IPv6 network of 64 bits that one
/// subscriber has.
pub(super) fn origin(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
    }
}
