//! Linking other servers (PROTOCOL §6).

#[cfg(test)]
mod tests;

use crate::chat::error::CommandError;
use crate::chat::event::Event;
use crate::chat::model::peer::{PeerAddress, PeerInfo};
use crate::chat::model::realm::{Realm, RealmKind};
use crate::chat::rules::context::Context;
use crate::chat::state::State;
use crate::id::{PeerKey, RealmId, UserId};
use crate::limits::{MAX_REALMS, NAME_BYTES};
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
pub(in crate::chat) fn add(
    state: &State,
    context: &Context<'_>,
    new: &NewPeer<'_>,
) -> Result<Vec<Event>, CommandError> {
    if new.key.is_some_and(|key| state.is_key_banned(&key, context.paced)) {
        return Err(CommandError::RealmRefused);
    }
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
    let next = if taken.is_none() { state.next_realm()? } else { RealmId::HOME };
    Ok(vec![added(next, taken, new)?])
}

/// The event that adds a peer, under the next number or that of the name of this server which it becomes.
fn added(next: RealmId, taken: Option<(RealmId, &Realm)>, new: &NewPeer<'_>) -> Result<Event, CommandError> {
    let id = match taken {
        None => next,
        Some((id, Realm { kind: RealmKind::Own, .. })) if id != RealmId::HOME => id,
        Some(_) => return Err(CommandError::RealmExists),
    };
    let info = PeerInfo { key: new.key, address: new.address.cloned(), self_named: false, our_alias: None };
    Ok(Event::PeerAdded { realm: id, name: new.name.clone(), by: new.by, info })
}

/// The configuration overrides what is known of a server.
pub(in crate::chat) fn configure(state: &State, new: &NewPeer<'_>) -> Result<Vec<Event>, CommandError> {
    let taken = state.realm_named(new.name);
    let of_name = || taken.and_then(|(id, realm)| Some((id, realm, realm.peer()?)));
    let known = new.key.and_then(|key| state.peer_of(&key)).or_else(of_name);
    let Some((id, realm, peer)) = known else { return Ok(vec![added(state.next_configured_realm(), taken, new)?]) };
    let mut events =
        taken.filter(|(taken, _)| *taken != id).map_or_else(|| Ok(Vec::new()), |taken| yield_name(state, taken))?;
    let address = new.address.cloned().or_else(|| peer.info.address.clone());
    let info = PeerInfo { key: new.key.or(peer.info.key), address, self_named: false, ..peer.info.clone() };
    if info != peer.info || realm.name != *new.name {
        events.push(Event::PeerChanged { realm: id, name: new.name.clone(), info });
    }
    Ok(events)
}

/// Frees a name that the configuration gives to another realm: nothing that users did keeps the server from starting. A
/// further name of this server is removed, and a linked server renamed.
fn yield_name(state: &State, (id, realm): (RealmId, &Realm)) -> Result<Vec<Event>, CommandError> {
    match &realm.kind {
        RealmKind::Own if id != RealmId::HOME => Ok(vec![Event::RealmRemoved { realm: id }]),
        RealmKind::Peer(peer) => {
            let name = free_name(state, &realm.name, id).ok_or(CommandError::RealmExists)?;
            Ok(vec![Event::PeerChanged { realm: id, name, info: peer.info.clone() }])
        }
        _ => Err(CommandError::RealmExists),
    }
}

/// A name like this one that no realm has: with the number of the realm, and some further digits if need be.
fn free_name(state: &State, name: &Name, RealmId(number): RealmId) -> Option<Name> {
    (0..MAX_REALMS).find_map(|attempt| {
        let ending = if attempt == 0 { format!("-{number}") } else { format!("-{number}-{attempt}") };
        let start: String = name.as_str().chars().take(NAME_BYTES.saturating_sub(ending.len())).collect();
        Name::parse(&(start + &ending)).ok().filter(|name| state.realm_named(name).is_none())
    })
}
