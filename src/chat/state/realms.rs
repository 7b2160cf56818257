//! Realms in the state.

use crate::chat::error::CommandError;
use crate::chat::model::peer::Peer;
use crate::chat::model::realm::{Realm, RealmKind, Route};
use crate::chat::state::tables::State;
use crate::id::{PeerKey, RealmId};
use crate::limits::MAX_REALMS;
use crate::name::Name;

impl State {
    /// The name of the home realm.
    #[must_use]
    pub fn home(&self) -> Option<&Name> {
        self.realm(RealmId::HOME).map(|realm| &realm.name)
    }

    /// The realm of a name.
    #[must_use]
    pub fn realm_named(&self, name: &Name) -> Option<(RealmId, &Realm)> {
        let id = *self.realm_names.get(&name.folded())?;
        Some((id, self.realm(id)?))
    }

    /// All realms, removed ones included that are not forgotten, the home realm first.
    pub fn realms(&self) -> impl Iterator<Item = (RealmId, &Realm)> {
        self.realms.iter().map(|(id, realm)| (*id, realm))
    }

    /// The realm of a number, removed or not; `None` if it was forgotten.
    #[must_use]
    pub fn realm(&self, id: RealmId) -> Option<&Realm> {
        self.realms.get(&id)
    }

    /// The links to other servers.
    pub fn peers(&self) -> impl Iterator<Item = (RealmId, &Realm, &Peer)> {
        self.realms().filter_map(|(id, realm)| Some((id, realm, realm.peer()?)))
    }

    /// The link to another server.
    #[must_use]
    pub fn peer(&self, id: RealmId) -> Option<&Peer> {
        self.realm(id)?.peer()
    }

    /// The realm whose messages a name asks for: one of that name, or else this server as others call it.
    #[must_use]
    pub fn realm_to_read(&self, name: &Name) -> Option<RealmId> {
        let known = self.realm_named(name).map(|(id, _)| id);
        known.or_else(|| self.alias_names.get(&name.folded()).copied())
    }

    /// Whether a server was unlinked here, and not linked again.
    pub(in crate::chat) fn was_unlinked(&self, key: &PeerKey) -> bool {
        self.realms.values().any(|realm| realm.kind == RealmKind::Removed(Some(*key)))
    }

    pub(super) fn remove_realm(&mut self, id: RealmId) {
        let Some(realm) = self.realms.get_mut(&id) else { return };
        let key = realm.peer().and_then(|peer| peer.info.key);
        realm.kind = RealmKind::Removed(key);
        self.realm_names.retain(|_, known| *known != id);
        self.keys.retain(|_, known| *known != id);
    }

    /// The route of an address with this realm.
    pub(in crate::chat) fn route(&self, realm: Option<&Name>) -> Result<Route<'_>, CommandError> {
        let Some(name) = realm else { return Ok(Route::Local(None)) };
        let (id, realm) = self.realm_named(name).ok_or(CommandError::RealmNotFound)?;
        Ok(match realm.peer() {
            Some(peer) => Route::Remote(id, realm, peer),
            None => Route::Local(Some((id, realm.name.as_str()))),
        })
    }

    /// The next number, while there is room for one more realm.
    pub(in crate::chat) fn next_realm(&self) -> Result<RealmId, CommandError> {
        self.next_realm_after(0)
    }

    /// The number after that many others, while there is room for those and one more realm.
    pub(in crate::chat) fn next_realm_after(&self, others: usize) -> Result<RealmId, CommandError> {
        self.check_realm_places(others)?;
        Ok(RealmId(self.newest_realm().0 + 1 + others as u64))
    }

    /// Whether there is room for one more realm if that many places are kept.
    pub(in crate::chat) fn check_realm_places(&self, kept: usize) -> Result<(), CommandError> {
        let taken = self.realms.values().filter(|realm| realm.takes_place()).count();
        if taken + kept < MAX_REALMS { Ok(()) } else { Err(CommandError::RealmLimit) }
    }

    /// The next number, whether or not there is room: for the configuration.
    pub(in crate::chat) fn next_configured_realm(&self) -> RealmId {
        RealmId(self.newest_realm().0 + 1)
    }

    /// The realm with the greatest number. It is never forgotten, so that no number is given twice.
    pub(in crate::chat) fn newest_realm(&self) -> RealmId {
        self.realms.keys().next_back().copied().unwrap_or(RealmId::HOME)
    }

    /// Puts a realm at its number: the next one, or that of the name which it turns into something else.
    pub(super) fn put_realm(&mut self, id: RealmId, realm: Realm) {
        let before = self.realm(id).filter(|before| before.kind == RealmKind::Alias).map(|before| before.name.folded());
        self.alias_names.retain(|name, _| Some(*name) != before);
        let names = match &realm.kind {
            RealmKind::Own | RealmKind::Peer(_) => Some(&mut self.realm_names),
            RealmKind::Alias => Some(&mut self.alias_names),
            RealmKind::Removed(_) => None,
        };
        if let Some(names) = names {
            names.insert(realm.name.folded(), id);
        }
        self.realms.insert(id, realm);
    }

    pub(super) fn forget_realm(&mut self, id: RealmId) {
        self.realms.remove(&id);
    }
}
