//! The state of the link to each realm.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use tokio::sync::Notify;

use crate::chat::LinkStatus;
use crate::federation::link::{LinkEnd, LinkHandle};
use crate::hub::Hub;
use crate::id::RealmId;
use crate::time::Time;

pub(super) struct LinkTable {
    slots: Mutex<HashMap<RealmId, LinkSlot>>,
    /// Is told of each change, for the other nodes of a cluster.
    hub: Hub,
}

/// The link to one realm, up or down.
#[derive(Default)]
struct LinkSlot {
    up: Option<LinkHandle>,
    since: Option<Time>,
    problem: Option<Box<str>>,
    has_reconnect_loop: bool,
    /// Wakes the reconnect loop: the link came up or went down, or the realm was removed.
    changed: Arc<Notify>,
}

impl LinkSlot {
    fn status(&self) -> LinkStatus {
        let is_up = self.up.is_some();
        LinkStatus { is_up, since: self.since, problem: self.problem.clone().filter(|_| !is_up) }
    }
}

impl LinkTable {
    pub(super) fn new(hub: Hub) -> Self {
        Self { slots: Mutex::default(), hub }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<RealmId, LinkSlot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn status(&self, realm: RealmId) -> LinkStatus {
        self.slots().get(&realm).map(LinkSlot::status).unwrap_or_default()
    }

    /// Has every reconnect loop look at its target again.
    pub(super) fn wake_all(&self) {
        self.slots().values().for_each(|slot| slot.changed.notify_one());
    }

    /// The realms to which a link is up.
    pub(super) fn up(&self) -> Vec<RealmId> {
        self.slots().iter().filter(|(_, slot)| slot.up.is_some()).map(|(realm, _)| *realm).collect()
    }

    /// How many links are up.
    pub(super) fn up_count(&self) -> usize {
        self.slots().values().filter(|slot| slot.up.is_some()).count()
    }

    pub(super) fn current(&self, realm: RealmId) -> Option<LinkHandle> {
        self.slots().get(&realm)?.up.clone()
    }

    pub(super) fn set_problem(&self, realm: RealmId, problem: &str) {
        if let Some(slot) = self.slots().get_mut(&realm) {
            slot.problem = Some(problem.into());
            self.hub.set_link(realm, &slot.status());
        }
    }

    /// Returns what wakes the reconnect loop of a realm, or `None` if that loop already runs.
    pub(super) fn claim_reconnect_loop(&self, realm: RealmId) -> Option<Arc<Notify>> {
        let mut slots = self.slots();
        let slot = slots.entry(realm).or_default();
        let is_running = std::mem::replace(&mut slot.has_reconnect_loop, true);
        (!is_running).then(|| slot.changed.clone())
    }

    /// Makes a link the current one of its realm, and ends the one before it.
    pub(super) fn install(&self, realm: RealmId, link: LinkHandle) {
        let mut slots = self.slots();
        let slot = slots.entry(realm).or_default();
        if let Some(before) = slot.up.replace(link) {
            before.end(LinkEnd::Replaced);
        }
        slot.since = Some(Time::now());
        slot.problem = None;
        self.hub.set_link(realm, &slot.status());
        slot.changed.notify_one();
    }

    /// Records that a link has ended. Returns whether it was the current one.
    pub(super) fn record_end(&self, realm: RealmId, link: &LinkHandle, end: LinkEnd) -> bool {
        let mut slots = self.slots();
        let current = slots.get_mut(&realm).filter(|slot| slot.up.as_ref().is_some_and(|up| up.is_same(link)));
        let Some(slot) = current else { return false };
        slot.up = None;
        slot.since = Some(Time::now());
        slot.problem = Some(end.to_string().into());
        self.hub.set_link(realm, &slot.status());
        slot.changed.notify_one();
        true
    }

    pub(super) fn remove(&self, realm: RealmId, end: LinkEnd) {
        let Some(slot) = self.slots().remove(&realm) else { return };
        if let Some(up) = slot.up {
            up.end(end);
        }
        self.hub.set_link(realm, &LinkStatus::default());
        slot.changed.notify_one();
    }

    /// Ends the link of a realm if it is banned, and wakes the reconnect loop.
    pub(super) fn reconsider(&self, realm: RealmId, end: LinkEnd, is_banned: bool) {
        let slots = self.slots();
        let Some(slot) = slots.get(&realm) else { return };
        if let Some(up) = slot.up.as_ref().filter(|_| is_banned) {
            up.end(end);
        }
        slot.changed.notify_one();
    }

    pub(super) fn end_all(&self, end: LinkEnd) {
        for slot in self.slots().values() {
            if let Some(up) = &slot.up {
                up.end(end);
            }
            slot.changed.notify_one();
        }
    }
}
