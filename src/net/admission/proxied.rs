//! Connections of proxies, which name their clients or speak for themselves.

use std::net::IpAddr;

use crate::net::admission::{Admitted, Connected, Holder, Permit};
use crate::net::origin::origin;
use crate::wire::DisconnectReason;

impl Permit {
    /// Counts a proxy's connection under the address of its client.
    ///
    /// # Errors
    /// Why the client is not admitted, to be sent to it.
    pub(crate) fn set_client(&mut self, client: IpAddr) -> Result<(), DisconnectReason> {
        let check = || self.admission.check_address(client);
        check()?;
        let client = origin(client);
        let mut admitted = self.admission.admitted();
        let is_known = |connected: &Connected| connected.counted() == Some(client);
        if admitted.connections.get(&self.number).is_some_and(is_known) {
            return Ok(());
        }
        let per_address = admitted.places.per_address;
        admitted.count(client, per_address).inspect_err(|reason| {
            admitted.counts.record_ended(*reason);
            admitted.refused.connection(client, "connection_limit");
        })?;
        admitted.set_address(self.number, client, false);
        drop(admitted);
        // As in [`Admission::admit`].
        check()
    }

    /// The proxy speaks for itself, to learn whether the server is well: if it were refused for a ban or for the other
    /// connections from there, the proxy would take the server from everybody behind it.
    pub(in crate::net) fn set_proxy(&mut self, proxy: IpAddr) {
        self.admission.admitted().set_address(self.number, origin(proxy), true);
    }
}

impl Admitted {
    /// A proxy has named the client of a connection, which was counted, or itself.
    fn set_address(&mut self, number: u64, address: IpAddr, is_proxy: bool) {
        let Some(connected) = self.connections.get_mut(&number) else { return };
        let (before, holder) = (connected.counted(), connected.holder);
        if matches!(holder, Holder::Proxy | Holder::Address) {
            self.set_holder(number, Holder::Proxy);
        }
        if let Some(connected) = self.connections.get_mut(&number) {
            connected.address = Some(address);
            connected.is_proxy = is_proxy;
        }
        before.into_iter().for_each(|before| self.discount(before));
        if matches!(holder, Holder::Proxy | Holder::Address) {
            self.set_holder(number, Holder::Address);
        }
    }
}
