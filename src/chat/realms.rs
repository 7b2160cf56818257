//! Realms: the names that servers answer to (PROTOCOL §6).

use crate::chat::event::Event;
use crate::chat::refusal::{Limit, Refusal};
use crate::chat::state::State;
use crate::id::RealmId;
use crate::limits::MAX_REALMS;
use crate::name::Name;

/// A realm that this server knows: so far always a name of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realm {
    /// Its name here.
    pub name: Name,
}

pub(super) fn decide_add(state: &State, name: &Name) -> Result<Vec<Event>, Refusal> {
    if state.realm_named(name).is_some() {
        return Err(Refusal::RealmExists);
    }
    if state.realms.len() >= MAX_REALMS {
        return Err(Refusal::LimitReached(Limit::Realms));
    }
    let realm = RealmId(u32::try_from(state.realms.len()).map_err(|_| Refusal::LimitReached(Limit::Realms))?);
    Ok(vec![Event::RealmAdded { realm, name: name.clone() }])
}

/// The realm that was named, which must be a name of this server.
pub(super) fn own_realm<'a>(state: &'a State, realm: Option<&Name>) -> Result<Option<(RealmId, &'a str)>, Refusal> {
    let Some(name) = realm else { return Ok(None) };
    let (id, realm) = state.realm_named(name).ok_or(Refusal::RealmNotFound)?;
    Ok(Some((id, realm.name.as_str())))
}
