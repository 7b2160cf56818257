//! Realms: the names that servers answer to (PROTOCOL §6).

use std::collections::BTreeMap;

use crate::chat::error::{CommandError, Limit};
use crate::chat::event::Event;
use crate::chat::peer::{Peer, system_message};
use crate::chat::state::State;
use crate::id::{PeerKey, RealmId, UserId};
use crate::limits::{MAX_REALM_NUMBERS, MAX_REALMS};
use crate::name::Name;

/// A realm that this server knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realm {
    /// Its name here.
    pub name: Name,
    /// Who added it; nobody where that was the configuration, or a server that came by itself.
    pub by: Option<UserId>,
    /// What stands behind the name.
    pub kind: RealmKind,
}

/// What stands behind a realm's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RealmKind {
    /// This server: the home realm, or a further name of it.
    Own,
    /// Another server.
    Peer(Box<Peer>),
    /// This server, as another one calls it: a name to read what came under it, and nothing else.
    Alias,
    /// Nothing any more. The number is not used again, and a server that was there does not come back by itself.
    Removed(Option<PeerKey>),
}

/// Where an address leads.
pub(super) enum Route<'a> {
    /// To this server, by one of its names where one was given.
    Local(Option<(RealmId, &'a str)>),
    /// To another server.
    Remote(RealmId, &'a Realm, &'a Peer),
}

impl Realm {
    /// The link, where the realm is another server.
    #[must_use]
    pub fn peer(&self) -> Option<&Peer> {
        match &self.kind {
            RealmKind::Peer(peer) => Some(peer),
            RealmKind::Own | RealmKind::Alias | RealmKind::Removed(_) => None,
        }
    }
}

impl State {
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
    pub(super) fn was_unlinked(&self, key: &PeerKey) -> bool {
        self.realms.iter().any(|realm| realm.kind == RealmKind::Removed(Some(*key)))
    }

    pub(super) fn remove_realm(&mut self, id: RealmId) {
        let Some(realm) = self.realms.get_mut(id.0 as usize) else { return };
        let key = realm.peer().and_then(|peer| peer.info.key);
        realm.kind = RealmKind::Removed(key);
        self.realm_names.retain(|_, known| *known != id);
        self.keys.retain(|_, known| *known != id);
    }

    /// Where an address with this realm leads.
    pub(super) fn route(&self, realm: Option<&Name>) -> Result<Route<'_>, CommandError> {
        let Some(name) = realm else { return Ok(Route::Local(None)) };
        let (id, realm) = self.realm_named(name).ok_or(CommandError::RealmNotFound)?;
        Ok(match realm.peer() {
            Some(peer) => Route::Remote(id, realm, peer),
            None => Route::Local(Some((id, realm.name.as_str()))),
        })
    }

    /// The next free number, while there is room for one more realm.
    pub(super) fn next_realm(&self) -> Result<RealmId, CommandError> {
        self.next_realm_after(0)
    }

    /// The free number after that many others, while there is room for those and one more realm.
    pub(super) fn next_realm_after(&self, others: usize) -> Result<RealmId, CommandError> {
        let full = CommandError::LimitReached(Limit::Realms);
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

pub(super) fn decide_add(state: &State, by: UserId, name: &Name) -> Result<Vec<Event>, CommandError> {
    state.active_user(by)?;
    if state.realm_named(name).is_some() {
        return Err(CommandError::RealmExists);
    }
    Ok(vec![Event::RealmAdded { realm: state.next_realm()?, name: name.clone(), by: Some(by) }])
}

/// Whoever added a realm may remove it, and an administrator any but the home realm. Who has messages that did not leave
/// is told so.
pub(super) fn decide_remove(
    state: &State,
    by: UserId,
    name: &Name,
    is_administrator: bool,
    lost: &str,
) -> Result<Vec<Event>, CommandError> {
    state.active_user(by)?;
    let (id, realm) = state.realm_named(name).ok_or(CommandError::RealmNotFound)?;
    let may = id != RealmId::HOME && (is_administrator || realm.by == Some(by));
    if !may {
        return Err(CommandError::Forbidden);
    }
    let waiting = realm.peer().into_iter().flat_map(|peer| peer.queue.iter());
    let senders: BTreeMap<UserId, ()> = waiting.map(|queued| (queued.from, ())).collect();
    let told = senders.into_keys().filter_map(|user| system_message(state, user, (id, realm), lost));
    Ok(told.chain([Event::RealmRemoved { realm: id }]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::command::Command;
    use crate::chat::fixture::{MESSI, NEKO, PAFF, World, key, name, text};
    use crate::chat::message::{Author, Destination};

    fn add(realm: &str) -> Command {
        Command::AddRealm { by: MESSI, name: name(realm) }
    }

    fn remove(by: UserId, realm: &str, is_administrator: bool) -> Command {
        Command::RemoveRealm { by, name: name(realm), is_administrator, lost: "hilang".into() }
    }

    #[test]
    fn a_server_may_have_further_names_but_none_twice() {
        let mut world = World::new();
        world.links("timur", 2);
        world.does(&add("barat"));
        assert_eq!(world.state.realm(world.realm("BARAT")).map(|realm| &realm.kind), Some(&RealmKind::Own));
        for taken in ["barat", "Barat", "local", "timur"] {
            world.refuses(&add(taken), CommandError::RealmExists);
        }
    }

    #[test]
    fn there_are_no_more_realms_than_there_may_be() {
        let mut world = World::new();
        (1..MAX_REALMS).for_each(|number| drop(world.does(&add(&format!("r{number}")))));
        world.refuses(&add("barat"), CommandError::LimitReached(Limit::Realms));
        world.does(&remove(MESSI, "r1", false));
        assert!(world.wants(&add("barat")).is_ok());
    }

    #[test]
    fn a_removed_realm_gives_up_its_name_and_not_its_number() {
        let mut world = World::new();
        let before = world.links("timur", 2);
        world.does(&remove(MESSI, "timur", false));
        assert_eq!((world.state.peer_of(&key(2)), world.state.realm_to_read(&name("timur"))), (None, None));
        world.does(&add("timur"));
        assert_ne!(world.realm("timur"), before);
    }

    #[test]
    fn whoever_added_a_realm_may_remove_it_and_an_administrator_any_but_home() {
        let mut world = World::new();
        world.does(&add("barat"));
        world.links("timur", 2);
        let (may, may_not) = (Ok(()), Err(CommandError::Forbidden));
        for (by, realm, is_administrator, expected) in [
            (MESSI, "barat", false, may),
            (MESSI, "timur", false, may),
            (PAFF, "barat", false, may_not),
            (PAFF, "timur", false, may_not),
            (PAFF, "timur", true, may),
            (PAFF, "local", true, may_not),
            (MESSI, "utara", true, Err(CommandError::RealmNotFound)),
        ] {
            let removed = world.wants(&remove(by, realm, is_administrator)).map(drop);
            assert_eq!(removed, expected, "{realm} by {by}, an administrator: {is_administrator}");
        }
    }

    #[test]
    fn whose_messages_still_wait_for_a_removed_realm_is_told_once() {
        let mut world = World::new();
        let timur = world.links("timur", 2);
        for sender in [PAFF, MESSI, PAFF] {
            world.sends(sender, "bob@timur", "halo");
        }
        let upto = world.sends(NEKO, "bob@timur", "has arrived");
        world.does(&Command::AcknowledgeOutbox { realm: timur, upto, bounces: vec![] });
        for sender in [PAFF, MESSI, PAFF] {
            world.sends(sender, "bob@timur", "waits");
        }
        let events = world.does(&remove(MESSI, "timur", false));
        let told = events.iter().filter_map(|event| match event {
            Event::MessageSent(message) => Some((&message.from, &message.to, text(&message.body))),
            _ => None,
        });
        let expected = [MESSI, PAFF].map(|user| (Author::Server, Destination::User(user), "hilang".to_owned()));
        assert!(told.eq(expected.iter().map(|(from, to, text)| (from, to, text.clone()))));
    }
}
