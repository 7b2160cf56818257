//! Realms in the state.

use crate::chat::error::CommandError;
use crate::chat::model::peer::Peer;
use crate::chat::model::realm::{Realm, RealmKind, Route};
use crate::chat::state::tables::State;
use crate::id::{PeerKey, RealmId};
use crate::limits::{MAX_REALM_NUMBERS, MAX_REALMS};
use crate::name::Name;

impl State {
    /// The name of the home realm.
    #[must_use]
    pub fn home(&self) -> Option<&Name> {
        self.realms.first().map(|realm| &realm.name)
    }

    /// The realm of a name.
    #[must_use]
    pub fn realm_named(&self, name: &Name) -> Option<(RealmId, &Realm)> {
        let id = *self.realm_names.get(&name.folded())?;
        Some((id, self.realms.get(id.0 as usize)?))
    }

    /// All realms, the home realm first.
    #[must_use]
    pub fn realms(&self) -> &[Realm] {
        &self.realms
    }

    /// The realm of a number, removed or not.
    #[must_use]
    pub fn realm(&self, id: RealmId) -> Option<&Realm> {
        self.realms.get(id.0 as usize)
    }

    /// The links to other servers.
    pub fn peers(&self) -> impl Iterator<Item = (RealmId, &Realm, &Peer)> {
        self.realms.iter().zip(0..).filter_map(|(realm, id)| Some((RealmId(id), realm, realm.peer()?)))
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
        self.realms.iter().any(|realm| realm.kind == RealmKind::Removed(Some(*key)))
    }

    pub(super) fn remove_realm(&mut self, id: RealmId) {
        let Some(realm) = self.realms.get_mut(id.0 as usize) else { return };
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

    /// The next free number, while there is room for one more realm.
    pub(in crate::chat) fn next_realm(&self) -> Result<RealmId, CommandError> {
        self.next_realm_after(0)
    }

    /// The free number after that many others, while there is room for those and one more realm.
    pub(in crate::chat) fn next_realm_after(&self, others: usize) -> Result<RealmId, CommandError> {
        let full = CommandError::RealmLimit;
        let standing = self.realms.iter().filter(|realm| !matches!(realm.kind, RealmKind::Removed(_))).count();
        let number = self.realms.len() + others;
        if standing + others >= MAX_REALMS || number >= MAX_REALM_NUMBERS {
            return Err(full);
        }
        Ok(RealmId(u32::try_from(number).map_err(|_| full)?))
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
        match self.realms.get_mut(id.0 as usize) {
            Some(known) => *known = realm,
            None => self.realms.push(realm),
        }
    }
}
