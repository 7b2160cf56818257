//! Ports for servers that come back where they were.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ephemeral ports, so that the system gives the port to no other socket while its server is down.
const FIRST: u16 = 10_000;
const LAST: u16 = 30_000;

/// A local address without a listener. This process returns each only once.
pub(crate) fn free_address() -> SocketAddr {
    static NEXT: OnceLock<AtomicU16> = OnceLock::new();
    let next = NEXT.get_or_init(|| AtomicU16::new(fastrand::u16(FIRST..LAST / 2)));
    loop {
        let port = next.fetch_add(1, Ordering::Relaxed);
        assert!(port < LAST, "no port is free");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
