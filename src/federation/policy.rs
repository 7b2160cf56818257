//! The operator's policy for links.

use std::net::IpAddr;

use crate::settings::Accept;

#[derive(Clone, Debug)]
pub(crate) struct LinkPolicy {
    pub(crate) accept: Accept,
    /// The chat port that other servers can dial, if there is one.
    pub(crate) port: Option<u16>,
    /// The longest text of a received message, in bytes.
    pub(crate) text_bytes: usize,
}

impl LinkPolicy {
    /// Whether a server with an unknown key may link itself from this address.
    pub(super) fn accepts_unknown(&self, address: IpAddr) -> bool {
        match self.accept {
            Accept::Known => false,
            Accept::Loopback => address.to_canonical().is_loopback(),
            Accept::Any => true,
        }
    }
}
