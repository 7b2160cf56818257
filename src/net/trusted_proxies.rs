//! The proxies that may name their clients.

use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use ipnet::IpNet;

/// The networks of the proxies that may name their clients, by a header of HTTP or of the PROXY protocol.
#[derive(Default)]
pub(crate) struct TrustedProxies(ArcSwap<Vec<IpNet>>);

impl TrustedProxies {
    /// Changes the networks that the listeners trust.
    pub(crate) fn set(&self, networks: Vec<IpNet>) {
        self.0.store(Arc::new(networks));
    }

    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.load().iter().any(|network| network.contains(&address))
    }
}
