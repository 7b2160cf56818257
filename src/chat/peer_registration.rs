//! Two servers meet: what is noted of the other one, and under which name (PROTOCOL §6).

#[cfg(test)]
mod tests;

use crate::chat::error::CommandError;
use crate::chat::event::Event;
use crate::chat::peer::{PeerAddress, PeerInfo};
use crate::chat::realms::RealmKind;
use crate::chat::state::State;
use crate::id::{Incarnation, PeerKey, RealmId, Seq};
use crate::limits::{MAX_LOG_NUMBER, NAME_BYTES};
use crate::name::Name;

/// What another server says of itself once its key is proven.
#[derive(Clone, Debug)]
pub struct PeerHello {
    /// Its key.
    pub key: PeerKey,
    /// What it calls itself.
    pub home: Name,
    /// What it calls this server, where it has a name for it.
    pub calls_us: Option<Name>,
    /// Where it says that it can be dialled.
    pub address: Option<PeerAddress>,
    /// The link that was dialled, where one was.
    pub dialled: Option<RealmId>,
    /// It may come though it is not known.
    pub welcome: bool,
    /// How it counts now, and what this server has acknowledged to it so far: what it sends comes after that.
    pub counts: (Incarnation, Seq),
}

/// Takes note of another server that has proven its key.
pub(super) fn decide_meet(state: &State, meeting: &PeerHello) -> Result<Vec<Event>, CommandError> {
    let known = state.peer_of(&meeting.key).map(|(id, realm, peer)| (id, realm.name.clone(), peer.info.clone()));
    let mut events = Vec::new();
    let (id, name, before) = match (known, meeting.dialled) {
        (Some((id, ..)), Some(dialled)) if id != dialled => return Err(CommandError::RealmKeyChanged),
        (Some(known), _) => (known.0, known.1, Some(known.2)),
        (None, Some(dialled)) => first_contact(state, dialled)?,
        (None, None) if !meeting.welcome || state.was_unlinked(&meeting.key) => return Err(CommandError::RealmRefused),
        (None, None) if is_somebody_elses_place(state, meeting) => return Err(CommandError::RealmKeyChanged),
        (None, None) => (state.next_realm()?, name_for(state, meeting)?, None),
    };
    let (called, noted) = called(state, before.as_ref(), meeting.calls_us.as_ref());
    let old = before.clone().unwrap_or(PeerInfo { self_named: true, ..PeerInfo::default() });
    let address = meeting.address.clone().filter(|_| old.self_named || old.address.is_none()).or(old.address);
    let info = PeerInfo { key: Some(meeting.key), address, self_named: old.self_named, our_alias: called };
    match before {
        None => events.push(Event::PeerAdded { realm: id, name, by: None, info }),
        Some(before) if before == info => {}
        Some(_) => events.push(Event::PeerChanged { realm: id, name, info }),
    }
    events.extend(noted);
    events.extend(first_number(state, id, meeting.counts));
    Ok(events)
}

/// From where another server counts is noted when the two first meet: so this one knows after a restore, too, that it has
/// lost what came since, and is sent it again. Later on that follows from what came last.
fn first_number(state: &State, id: RealmId, (incarnation, upto): (Incarnation, Seq)) -> Option<Event> {
    // The store could not keep a greater number, and would try for ever.
    let upto = upto.min(Seq(MAX_LOG_NUMBER));
    let have_met = state.peer(id).is_some_and(|peer| !peer.received.is_empty());
    (!have_met).then_some(Event::PeerReceived { realm: id, incarnation, upto, refused: Vec::new(), forgotten: None })
}

/// Where a known server is dialled nobody else is met for the first time: its key has changed, or somebody took its place.
fn is_somebody_elses_place(state: &State, meeting: &PeerHello) -> bool {
    let place = meeting.address.as_ref();
    place.is_some() && state.peers().any(|(_, _, peer)| peer.info.address.as_ref() == place && peer.info.key.is_some())
}

/// A link that was dialled and whose key is not known yet gets the key that is met there.
fn first_contact(state: &State, dialled: RealmId) -> Result<(RealmId, Name, Option<PeerInfo>), CommandError> {
    let realm = state.realm(dialled).ok_or(CommandError::RealmNotFound)?;
    let info = &realm.peer().ok_or(CommandError::RealmNotFound)?.info;
    if info.key.is_some() {
        return Err(CommandError::RealmKeyChanged);
    }
    Ok((dialled, realm.name.clone(), Some(info.clone())))
}

/// What the other server calls this one: one of its own names, or a name that is noted for reading. A name that nobody
/// else has for it becomes the new one, so that nobody fills the table with names; a full table costs the name, not the
/// link.
fn called(state: &State, before: Option<&PeerInfo>, name: Option<&Name>) -> (Option<RealmId>, Option<Event>) {
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
    let nobodys = || names().filter(|id| callers(*id) == 0).min();
    let Some(realm) = was_its_alone.or_else(nobodys).or_else(next) else { return (None, None) };
    (Some(realm), Some(Event::AliasAdded { realm, name: name.clone() }))
}

/// The peer's own name, or where that is taken, the name and the first letters of its key (PROTOCOL §6).
fn name_for(state: &State, meeting: &PeerHello) -> Result<Name, CommandError> {
    let taken = |name: &Name| state.realm_named(name).is_some();
    if !taken(&meeting.home) {
        return Ok(meeting.home.clone());
    }
    let key = meeting.key.to_string();
    let with_letters = |letters: usize| {
        let room = NAME_BYTES.saturating_sub(letters + 1);
        let home: String = meeting.home.as_str().chars().take(room).collect();
        let letters = key.get(..letters)?;
        Name::parse(&format!("{home}-{letters}")).ok()
    };
    let free = [4, 8, 16].into_iter().filter_map(with_letters).find(|name| !taken(name));
    free.ok_or(CommandError::RealmExists)
}
