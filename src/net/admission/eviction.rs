//! Who makes room near the bound of all connections.

use std::net::IpAddr;

use crate::hub::ConnectionEnd;
use crate::limits::PLACES_KEPT;
use crate::net::admission::holders::Holders;
use crate::net::admission::{Admitted, Holder};
use crate::net::refused_log;
use crate::wire::DisconnectReason;

impl Admitted {
    /// Ends a connection of the largest holder: of an address with many that have not logged in, of a user with many, or
    /// of any address. At each step the connections that wait for a password go last.
    pub(super) fn evict(&mut self) {
        let (idle, authenticating) =
            (oldest_of_largest(&self.unauthenticated), oldest_of_largest(&self.authenticating));
        let user = self.users.largest().and_then(|(size, user)| Some((size, self.users.oldest(user)?)));
        let is_many = |(size, oldest)| (size > PLACES_KEPT).then_some(oldest);
        let of_addresses = idle.and_then(is_many).or_else(|| authenticating.and_then(is_many));
        let of_any = || idle.or(authenticating).map(|(_, oldest)| oldest);
        if let Some(oldest) = of_addresses {
            self.end(oldest, DisconnectReason::Evicted);
        } else if let Some(oldest) = user.and_then(is_many) {
            self.end(oldest, DisconnectReason::TooManyOfUser);
        } else if let Some(oldest) = of_any() {
            self.end(oldest, DisconnectReason::Evicted);
        }
    }

    pub(super) fn end(&mut self, number: u64, reason: DisconnectReason) {
        self.set_holder(number, Holder::Nobody);
        if let Some(connected) = self.connections.get(&number) {
            if let (Some(address), Some(reason)) = (connected.address, refused_log::refusal(reason)) {
                self.refused.connection(address, reason);
            }
            self.ending.insert(number);
            self.counts.record_ended(reason);
            connected.send_queue.close(ConnectionEnd::Disconnected(reason));
        }
    }

    /// Changes the holder of a place if it is this one.
    pub(super) fn change_holder(&mut self, number: u64, from: Holder, to: Holder) {
        if self.connections.get(&number).is_some_and(|connected| connected.holder == from) {
            self.set_holder(number, to);
        }
    }

    /// Changes the holder of a place. The place of a connection that is being ended stays without one.
    pub(super) fn set_holder(&mut self, number: u64, holder: Holder) {
        let Some(connected) = self.connections.get_mut(&number) else { return };
        let (before, address) = (connected.holder, connected.address);
        if before == Holder::Nobody || before == holder {
            return;
        }
        connected.holder = holder;
        match (before, address) {
            (Holder::Address, Some(address)) => self.unauthenticated.remove(address, number),
            (Holder::Authenticating, Some(address)) => self.authenticating.remove(address, number),
            (Holder::User(user), _) => self.users.remove(user, number),
            _ => {}
        }
        match (holder, address) {
            (Holder::Address, Some(address)) => self.unauthenticated.add(address, number),
            (Holder::Authenticating, Some(address)) => self.authenticating.add(address, number),
            (Holder::User(user), _) => self.users.add(user, number),
            _ => {}
        }
    }
}

/// How many places the address with the most has, and the oldest of them.
fn oldest_of_largest(holders: &Holders<IpAddr>) -> Option<(usize, u64)> {
    let (size, address) = holders.largest()?;
    Some((size, holders.oldest(address)?))
}
