//! Registering a peer: what is recorded of a server that has proven its key, and under which name (PROTOCOL §6).

#[cfg(test)]
mod tests;

use crate::chat::error::CommandError;
use crate::chat::event::Event;
use crate::chat::model::peer::PeerInfo;
use crate::chat::model::realm::RealmKind;
use crate::chat::model::remote_message::PeerHello;
use crate::chat::rules::context::Context;
use crate::chat::state::State;
use crate::id::{Epoch, RealmId, Seq};
use crate::limits::{MAX_LOG_NUMBER, NAME_BYTES};
use crate::name::Name;

/// Registers another server that has proven its key.
pub(in crate::chat) fn register_peer(
    state: &State,
    context: &Context<'_>,
    hello: &PeerHello,
) -> Result<Vec<Event>, CommandError> {
    let is_banned = |realm| state.is_realm_banned(realm, context.paced);
    if state.is_key_banned(&hello.key, context.paced) || hello.dialled.is_some_and(is_banned) {
        return Err(CommandError::RealmRefused);
    }
    let known = state.peer_of(&hello.key).map(|(id, realm, peer)| (id, realm.name.clone(), peer.info.clone()));
    let mut events = Vec::new();
    let (id, name, before) = match (known, hello.dialled) {
        (Some((id, ..)), Some(dialled)) if id != dialled => return Err(CommandError::RealmKeyChanged),
        (Some(known), _) => (known.0, known.1, Some(known.2)),
        (None, Some(dialled)) => first_contact(state, dialled)?,
        (None, None) if !hello.welcome || state.was_unlinked(&hello.key) => return Err(CommandError::RealmRefused),
        (None, None) if is_address_of_another(state, hello) => return Err(CommandError::RealmKeyChanged),
        (None, None) => (state.next_realm()?, name_for(state, hello)?, None),
    };
    let (our_alias, added) = our_alias(state, before.as_ref(), hello.calls_us.as_ref());
    let old = before.clone().unwrap_or(PeerInfo { self_named: true, ..PeerInfo::default() });
    let address = hello.address.clone().filter(|_| old.self_named || old.address.is_none()).or(old.address);
    let info = PeerInfo { key: Some(hello.key), address, self_named: old.self_named, our_alias };
    match before {
        None => events.push(Event::PeerAdded { realm: id, name, by: None, info }),
        Some(before) if before == info => {}
        Some(_) => events.push(Event::PeerChanged { realm: id, name, info }),
    }
    events.extend(added);
    events.extend(first_number(state, id, hello.counts));
    Ok(events)
}

/// Records from which number another server counts at first contact: after a restore this server then knows that it has
/// lost later messages, and gets them again. Afterwards the last received number tells it.
fn first_number(state: &State, id: RealmId, (epoch, upto): (Epoch, Seq)) -> Option<Event> {
    // The store could not keep a greater number, and would try for ever.
    let upto = upto.min(Seq(MAX_LOG_NUMBER));
    let have_met = state.peer(id).is_some_and(|peer| !peer.received.is_empty());
    (!have_met).then_some(Event::PeerReceived { realm: id, epoch, upto, refused: Vec::new(), forgotten: None })
}

/// A first contact at the address of a known server is refused: either its key has changed, or another server took its
/// address.
fn is_address_of_another(state: &State, hello: &PeerHello) -> bool {
    let place = hello.address.as_ref();
    place.is_some() && state.peers().any(|(_, _, peer)| peer.info.address.as_ref() == place && peer.info.key.is_some())
}

/// A peer that was dialled and whose key is not known yet gets the key that it shows.
fn first_contact(state: &State, dialled: RealmId) -> Result<(RealmId, Name, Option<PeerInfo>), CommandError> {
    let realm = state.realm(dialled).ok_or(CommandError::RealmNotFound)?;
    let info = &realm.peer().ok_or(CommandError::RealmNotFound)?.info;
    if info.key.is_some() {
        return Err(CommandError::RealmKeyChanged);
    }
    Ok((dialled, realm.name.clone(), Some(info.clone())))
}

/// The realm by whose name the other server calls this one: one of our names, or an alias. Reuses an alias that no other
/// peer uses, so aliases stay bounded. If the table is full the alias is dropped; the link is kept.
fn our_alias(state: &State, before: Option<&PeerInfo>, name: Option<&Name>) -> (Option<RealmId>, Option<Event>) {
    let Some(name) = name else { return (None, None) };
    let own = state.realm_named(name).filter(|(_, realm)| realm.kind == RealmKind::Own).map(|(id, _)| id);
    if let Some(known) = own.or_else(|| state.alias_names.get(&name.folded()).copied()) {
        return (Some(known), None);
    }
    let callers = |id| state.peers().filter(|(_, _, peer)| peer.info.our_alias == Some(id)).count();
    let names = || state.alias_names.values().copied();
    let was_its_alone =
        before.and_then(|info| info.our_alias).filter(|id| names().any(|name| name == *id) && callers(*id) == 1);
    // Numbers are given in their order: a new link has the next one.
    let next = || state.next_realm_after(usize::from(before.is_none())).ok();
    let unused = || names().filter(|id| callers(*id) == 0).min();
    let Some(realm) = was_its_alone.or_else(unused).or_else(next) else { return (None, None) };
    (Some(realm), Some(Event::AliasAdded { realm, name: name.clone() }))
}

/// The peer's own name, or if that is taken, the name and the first letters of its key (PROTOCOL §6).
fn name_for(state: &State, hello: &PeerHello) -> Result<Name, CommandError> {
    let taken = |name: &Name| state.realm_named(name).is_some();
    if !taken(&hello.home) {
        return Ok(hello.home.clone());
    }
    let key = hello.key.to_string();
    let with_letters = |letters: usize| {
        let room = NAME_BYTES.saturating_sub(letters + 1);
        let home: String = hello.home.as_str().chars().take(room).collect();
        let letters = key.get(..letters)?;
        Name::parse(&format!("{home}-{letters}")).ok()
    };
    let free = [4, 8, 16].into_iter().filter_map(with_letters).find(|name| !taken(name));
    free.ok_or(CommandError::RealmExists)
}
