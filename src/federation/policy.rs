//! What the operator allows of links.

use std::net::IpAddr;

/// Which servers may link themselves to this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accept {
    /// Servers whose keys are known.
    Known,
    /// Known servers, and any server on this machine.
    Loopback,
    Any,
}

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
