//! What the web listeners serve, and whom they believe.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::web::files::Files;

/// What all connections of the web listeners share.
pub(crate) struct Web {
    pub(super) files: Files,
    trusted_proxies: Vec<IpNet>,
}

impl Web {
    pub(crate) fn new(trusted_proxies: Vec<IpNet>) -> Self {
        Self { files: Files::new(), trusted_proxies }
    }

    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted_proxies.iter().any(|network| network.contains(&address))
    }
}
