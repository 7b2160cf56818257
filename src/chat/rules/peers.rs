//! Linking other servers (PROTOCOL §6).

#[cfg(test)]
mod tests;

use crate::chat::error::CommandError;
use crate::chat::event::Event;
use crate::chat::model::peer::{PeerAddress, PeerInfo};
use crate::chat::model::realm::{Realm, RealmKind};
use crate::chat::state::State;
use crate::id::{PeerKey, RealmId, UserId};
use crate::name::Name;

/// A server to be linked: by a user who has it dialled, or by the configuration.
pub(in crate::chat) struct NewPeer<'a> {
    pub(in crate::chat) by: Option<UserId>,
    pub(in crate::chat) name: &'a Name,
    pub(in crate::chat) key: Option<PeerKey>,
    pub(in crate::chat) address: Option<&'a PeerAddress>,
}

/// Links a server under the name that is given. A further name of this server may become a link, and so may the name
/// that the server gave itself when it came.
pub(in crate::chat) fn add(state: &State, new: &NewPeer<'_>) -> Result<Vec<Event>, CommandError> {
    let taken = state.realm_named(new.name);
    if let Some((id, realm, peer)) = new.key.and_then(|key| state.peer_of(&key)) {
        let is_free = taken.is_none_or(|(known, _)| known == id);
        if !peer.info.self_named || !is_free {
            return Err(CommandError::RealmExists);
        }
        let address = new.address.cloned().or_else(|| peer.info.address.clone());
        let info = PeerInfo { address, self_named: false, ..peer.info.clone() };
        let name = if taken.is_some() { &realm.name } else { new.name };
        return Ok(vec![Event::PeerChanged { realm: id, name: name.clone(), info }]);
    }
    let id = match taken {
        None => state.next_realm()?,
        Some((id, Realm { kind: RealmKind::Own, .. })) if id != RealmId::HOME => id,
        Some(_) => return Err(CommandError::RealmExists),
    };
    let info = PeerInfo { key: new.key, address: new.address.cloned(), self_named: false, our_alias: None };
    let added = Event::PeerAdded { realm: id, name: new.name.clone(), by: new.by, info };
    Ok(vec![added])
}

/// What the configuration says of a server goes before what is known of it.
pub(in crate::chat) fn configure(state: &State, new: &NewPeer<'_>) -> Result<Vec<Event>, CommandError> {
    let taken = state.realm_named(new.name);
    let of_name = || taken.and_then(|(id, realm)| Some((id, realm, realm.peer()?)));
    let known = new.key.and_then(|key| state.peer_of(&key)).or_else(of_name);
    let Some((id, realm, peer)) = known else { return add(state, new) };
    if taken.is_some_and(|(taken, _)| taken != id) {
        return Err(CommandError::RealmExists);
    }
    let address = new.address.cloned().or_else(|| peer.info.address.clone());
    let info = PeerInfo { key: new.key.or(peer.info.key), address, self_named: false, ..peer.info.clone() };
    if info == peer.info && realm.name == *new.name {
        return Ok(Vec::new());
    }
    Ok(vec![Event::PeerChanged { realm: id, name: new.name.clone(), info }])
}
