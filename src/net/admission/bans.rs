//! Banned addresses, and how the log names what was refused.

use std::net::IpAddr;

use crate::chat::Network;
use crate::net::admission::{Admission, Connected};
use crate::wire::DisconnectReason;

impl Admission {
    /// Refuses an address that is banned.
    pub(super) fn check_address(&self, address: IpAddr) -> Result<(), DisconnectReason> {
        if !(self.is_banned)(address) {
            return Ok(());
        }
        let mut admitted = self.admitted();
        admitted.refused.connection(address, "banned");
        admitted.counts.record_ended(DisconnectReason::AddressBanned);
        Err(DisconnectReason::AddressBanned)
    }

    /// Ends the connections from the addresses of a network.
    pub(crate) fn end_network(&self, network: &Network) {
        let mut admitted = self.admitted();
        let is_there = |connected: &Connected| connected.counted().is_some_and(|address| network.keeps_out(address));
        let there = admitted.connections.iter().filter(|(_, connected)| is_there(connected));
        let numbers: Vec<u64> = there.map(|(number, _)| *number).collect();
        numbers.into_iter().for_each(|number| admitted.end(number, DisconnectReason::AddressBanned));
    }
}
