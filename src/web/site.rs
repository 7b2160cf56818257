//! What the web listeners serve, and whom they believe.

use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use ipnet::IpNet;

use crate::web::files::Files;

/// What all connections of the web listeners share.
pub(crate) struct Web {
    pub(super) files: Files,
    trusted_proxies: ArcSwap<Vec<IpNet>>,
}

impl Web {
    pub(crate) fn new(trusted_proxies: Vec<IpNet>) -> Self {
        Self { files: Files::new(), trusted_proxies: ArcSwap::from_pointee(trusted_proxies) }
    }

    /// Changes whom the listeners believe.
    pub(crate) fn set_trusted_proxies(&self, trusted_proxies: Vec<IpNet>) {
        self.trusted_proxies.store(Arc::new(trusted_proxies));
    }

    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted_proxies.load().iter().any(|network| network.contains(&address))
    }
}
