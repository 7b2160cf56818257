//! Which addresses count as one.

use std::net::IpAddr;

/// Whom an address stands for when connections and failures are counted: itself, or for IPv6 the network of 64 bits
/// that one subscriber holds.
pub(super) fn origin(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
    }
}
