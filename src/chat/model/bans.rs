//! The table of bans.

use std::collections::BTreeMap;
use std::net::IpAddr;

use hashbrown::HashMap;

use crate::chat::model::ban::{Ban, BanTarget, Network};
use crate::id::RealmId;
use crate::time::Time;

/// All bans, by their target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bans {
    bans: HashMap<BanTarget, Ban>,
    /// How many banned networks there are of each shape: an address is looked up once for each.
    shapes: BTreeMap<(bool, u8), usize>,
}

impl Bans {
    pub(in crate::chat) fn put(&mut self, target: BanTarget, ban: Ban) {
        let before = self.bans.insert(target, ban);
        if let (BanTarget::Network(network), None) = (target, before) {
            *self.shapes.entry(network.shape()).or_default() += 1;
        }
    }

    pub(in crate::chat) fn remove(&mut self, target: &BanTarget) {
        if self.bans.remove(target).is_none() {
            return;
        }
        if let BanTarget::Network(network) = target
            && let Some(count) = self.shapes.get_mut(&network.shape())
        {
            *count -= 1;
            if *count == 0 {
                self.shapes.remove(&network.shape());
            }
        }
    }

    /// Removes the bans of users of a realm that is not known any more. The realm itself is not banned.
    pub(in crate::chat) fn forget_realm(&mut self, realm: RealmId) {
        let is_of_realm = |target: &BanTarget| match target {
            BanTarget::RemoteUser(of, _) | BanTarget::Realm(of) => *of == realm,
            BanTarget::User(_) | BanTarget::Network(_) => false,
        };
        self.bans.retain(|target, _| !is_of_realm(target));
    }

    #[must_use]
    pub fn count(&self) -> usize {
        self.bans.len()
    }

    #[must_use]
    pub fn get(&self, target: &BanTarget) -> Option<&Ban> {
        self.bans.get(target)
    }

    /// In no order.
    pub fn iter(&self) -> impl Iterator<Item = (&BanTarget, &Ban)> {
        self.bans.iter()
    }

    /// Whether a network is banned that holds the address.
    pub(in crate::chat) fn keep_out_address(&self, address: IpAddr, now: Time) -> bool {
        let address = address.to_canonical();
        let of_family = self.shapes.keys().filter(|(is_ipv4, _)| *is_ipv4 == address.is_ipv4());
        let networks = of_family.map(|(_, prefix)| Network::of(address, *prefix));
        let mut relevant = networks.filter(|network| network.keeps_out(address));
        relevant.any(|network| self.keep_out(&BanTarget::Network(network), now))
    }

    pub(in crate::chat) fn keep_out(&self, target: &BanTarget, now: Time) -> bool {
        !self.bans.is_empty() && self.get(target).is_some_and(|ban| !ban.is_over(now))
    }
}

impl FromIterator<(BanTarget, Ban)> for Bans {
    fn from_iter<T: IntoIterator<Item = (BanTarget, Ban)>>(bans: T) -> Self {
        let mut all = Self::default();
        bans.into_iter().for_each(|(target, ban)| all.put(target, ban));
        all
    }
}
