//! How the links to other realms are. Only the node of a cluster that leads has links; the others show what it tells them.

use std::collections::HashMap;

use crate::chat::LinkStatus;
use crate::id::RealmId;

/// The link to a realm, as the leader tells it.
pub type NodeLink = (RealmId, LinkStatus);

/// As the leader has them here, or another one has told.
#[derive(Default)]
pub(super) struct LinkStates {
    links: HashMap<RealmId, LinkStatus>,
    /// As a follower: the leader of the current channel has told of its links.
    is_told: bool,
}

impl LinkStates {
    pub(super) fn realms(&self) -> impl Iterator<Item = RealmId> {
        self.links.keys().copied()
    }

    pub(super) fn status(&self, realm: RealmId) -> LinkStatus {
        self.links.get(&realm).cloned().unwrap_or_default()
    }

    pub(super) fn set(&mut self, realm: RealmId, status: LinkStatus) {
        if status == LinkStatus::default() {
            // Of a realm that was removed.
            self.links.remove(&realm);
        } else {
            self.links.insert(realm, status);
        }
    }

    pub(super) fn note(&mut self, told: Vec<NodeLink>) {
        told.into_iter().for_each(|(realm, status)| self.set(realm, status));
        self.is_told = true;
    }

    /// How many are up, as another leader has told it; `None` if it has not.
    pub(super) fn told_up(&self) -> Option<usize> {
        self.is_told.then(|| self.links.values().filter(|link| link.is_up).count())
    }

    /// Forgets what the leader has told: it is another one, or there is no channel to it.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}
