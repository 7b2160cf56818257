//! Further names of this server, and forgetting realms (PROTOCOL §6).

use std::collections::BTreeSet;

use crate::chat::error::CommandError;
use crate::chat::event::Event;
use crate::chat::model::ban::BanTarget;
use crate::chat::model::realm::{Realm, RealmKind};
use crate::chat::rules::context::Context;
use crate::chat::rules::system_message::system_message;
use crate::chat::state::State;
use crate::id::{RealmId, UserId};
use crate::limits::{FORGOTTEN_AT_ONCE, UNLINKED_REMEMBERED};
use crate::name::Name;

pub(in crate::chat) fn add(state: &State, context: &Context<'_>, name: &Name) -> Result<Vec<Event>, CommandError> {
    let (by, _) = context.active_user(state)?;
    context.may_add_realms(state)?;
    if state.realm_named(name).is_some() {
        return Err(CommandError::RealmExists);
    }
    Ok(vec![Event::RealmAdded { realm: state.next_realm()?, name: name.clone(), by: Some(by) }])
}

/// The user who added a realm may remove it, and an administrator any but the home realm. Users with messages in its
/// outbox get `lost` in their inbox.
pub(in crate::chat) fn remove(
    state: &State,
    context: &Context<'_>,
    name: &Name,
    lost: &str,
) -> Result<Vec<Event>, CommandError> {
    let (by, user) = context.active_user(state)?;
    let (id, realm) = state.realm_named(name).ok_or(CommandError::RealmNotFound)?;
    let is_allowed = realm.by == Some(by) || context.policy.is_administrator(&user.name);
    if id == RealmId::HOME || !is_allowed {
        return Err(CommandError::Forbidden);
    }
    let waiting = realm.peer().into_iter().flat_map(|peer| peer.queue.iter());
    let senders: BTreeSet<UserId> = waiting.map(|entry| entry.from).collect();
    let told = senders.into_iter().filter_map(|user| system_message(state, user, (id, realm.name.as_str()), lost));
    Ok(told.chain([Event::RealmRemoved { realm: id }]).chain(forgetting(state, id)).collect())
}

/// The removed realms that are not needed any more once another one is removed: those without a key, and the
/// oldest of too many servers that must not come back by themselves.
fn forgetting(state: &State, removed: RealmId) -> impl Iterator<Item = Event> {
    let newest = state.newest_realm();
    let gone = |realm: &Realm| matches!(realm.kind, RealmKind::Removed(_));
    let unlinked = state.realms().filter(|(_, realm)| matches!(realm.kind, RealmKind::Removed(Some(_)))).count();
    let mut too_many = unlinked.saturating_sub(UNLINKED_REMEMBERED);
    let is_needless = move |id: RealmId, realm: &Realm| match realm.kind {
        RealmKind::Own => id == removed,
        RealmKind::Removed(None) => true,
        RealmKind::Removed(Some(_)) if too_many > 0 => {
            too_many -= 1;
            true
        }
        _ => false,
    };
    // The key of a server that is banned must not be forgotten.
    let is_banned = |id| state.bans().get(&BanTarget::Realm(id)).is_some();
    let candidates =
        state.realms().filter(move |(id, realm)| *id != newest && (gone(realm) || *id == removed) && !is_banned(*id));
    let mut is_needless = is_needless;
    let needless = candidates.filter(move |(id, realm)| is_needless(*id, realm)).map(|(realm, _)| realm);
    needless.take(FORGOTTEN_AT_ONCE).map(|realm| Event::RealmForgotten { realm })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::command::Command;
    use crate::chat::fixture::{Fixture, MESSI, NEKO, PAFF, key, name, text};
    use crate::chat::model::message::{Author, Destination};
    use crate::chat::rules::context::{Policy, Quotas};
    use crate::limits::{ADMINISTRATORS_REALMS, MAX_REALMS};
    use crate::time::Time;

    fn add(realm: &str) -> Command {
        Command::AddRealm { name: name(realm) }
    }

    fn remove(realm: &str) -> Command {
        Command::RemoveRealm { name: name(realm), lost: "hilang".into() }
    }

    /// Decides a command of a user; paff is the only administrator, if there is one.
    fn decide(
        fixture: &Fixture,
        user: UserId,
        command: &Command,
        (has_administrator, realms_restricted): (bool, bool),
    ) -> Result<(), CommandError> {
        let administrators = has_administrator.then(|| name("Paff").folded()).into_iter().collect();
        let policy = Policy { administrators, realms_restricted, ..Policy::default() };
        let context = Context { policy: &policy, ..Context::on_behalf_of(user, Time(0)) };
        fixture.decide_in(&context, command).map(drop)
    }

    #[test]
    fn a_server_may_have_further_names_but_none_twice() {
        let mut fixture = Fixture::new();
        fixture.links("timur", 2);
        fixture.does(MESSI, &add("barat"));
        assert_eq!(fixture.state.realm(fixture.realm("BARAT")).map(|realm| &realm.kind), Some(&RealmKind::Own));
        for taken in ["barat", "Barat", "local", "timur"] {
            fixture.refuses(MESSI, &add(taken), CommandError::RealmExists);
        }
    }

    #[test]
    fn only_an_administrator_adds_a_realm_if_that_is_restricted() {
        let fixture = Fixture::new();
        let (may, may_not) = (Ok(()), Err(CommandError::Forbidden));
        for (user, has_administrator, restricted, expected) in [
            (MESSI, true, false, may),
            (MESSI, true, true, may_not),
            (PAFF, true, true, may),
            (PAFF, false, true, may_not),
        ] {
            let added = decide(&fixture, user, &add("barat"), (has_administrator, restricted));
            assert_eq!(added, expected, "by {user}, paff is an administrator: {has_administrator}, {restricted}");
        }
    }

    #[test]
    fn the_number_of_realms_is_bounded() {
        let mut fixture = Fixture::new();
        (1..MAX_REALMS).for_each(|number| drop(fixture.does(MESSI, &add(&format!("r{number}")))));
        fixture.refuses(MESSI, &add("barat"), CommandError::RealmLimit);
        fixture.does(MESSI, &remove("r1"));
        assert!(fixture.decide(MESSI, &add("barat")).is_ok());
    }

    #[test]
    fn the_last_places_are_kept_for_administrators_if_there_are_any() {
        let mut fixture = Fixture::new();
        let others = MAX_REALMS - ADMINISTRATORS_REALMS;
        (1..others).for_each(|number| drop(fixture.does(MESSI, &add(&format!("r{number}")))));
        assert_eq!(decide(&fixture, NEKO, &add("barat"), (false, false)), Ok(()), "there is no administrator");
        assert_eq!(decide(&fixture, NEKO, &add("barat"), (true, false)), Err(CommandError::RealmLimit));
        assert_eq!(decide(&fixture, PAFF, &add("barat"), (true, false)), Ok(()), "of an administrator");
    }

    #[test]
    fn realms_that_are_added_and_removed_for_ever_take_no_more_room() {
        let mut fixture = Fixture::new();
        for _ in 0..100_000 {
            fixture.does(MESSI, &add("x"));
            fixture.does(MESSI, &remove("x"));
        }
        assert!(fixture.state.realms().count() <= 2, "{}", fixture.state.realms().count());
        fixture.does(MESSI, &add("x"));
        assert_eq!(fixture.realm("x"), RealmId(100_001), "no number is given twice");
    }

    #[test]
    fn a_server_that_was_unlinked_is_remembered_when_other_realms_are_forgotten() {
        let mut fixture = Fixture::new();
        fixture.links("timur", 2);
        fixture.does(MESSI, &remove("timur"));
        for _ in 0..10 {
            fixture.does(MESSI, &add("x"));
            fixture.does(MESSI, &remove("x"));
        }
        assert!(fixture.state.was_unlinked(&key(2)));
    }

    #[test]
    fn a_user_may_add_only_so_many_realms_at_a_time() {
        let mut fixture = Fixture::new();
        let policy = Policy { quotas: Quotas { realms: Some(2), ..Quotas::default() }, ..Policy::default() };
        let context = Context { policy: &policy, ..Context::on_behalf_of(MESSI, Time(0)) };
        ["r1", "r2"].iter().for_each(|realm| drop(fixture.does_in(&context, &add(realm))));
        assert_eq!(fixture.decide_in(&context, &add("r3")), Err(CommandError::RealmQuota(2)));
        fixture.does(PAFF, &add("r3"));
        fixture.does_in(&context, &remove("r1"));
        assert!(fixture.decide_in(&context, &add("r4")).is_ok());
    }

    #[test]
    fn a_removed_realm_frees_its_name_and_not_its_number() {
        let mut fixture = Fixture::new();
        let before = fixture.links("timur", 2);
        fixture.does(MESSI, &remove("timur"));
        assert_eq!((fixture.state.peer_of(&key(2)), fixture.state.realm_to_read(&name("timur"))), (None, None));
        fixture.does(MESSI, &add("timur"));
        assert_ne!(fixture.realm("timur"), before);
    }

    #[test]
    fn the_user_who_added_a_realm_may_remove_it_and_an_administrator_any_except_home() {
        let mut fixture = Fixture::new();
        fixture.does(MESSI, &add("barat"));
        fixture.links("timur", 2);
        let (may, may_not) = (Ok(()), Err(CommandError::Forbidden));
        for (user, realm, has_administrator, expected) in [
            (MESSI, "barat", false, may),
            (MESSI, "timur", false, may),
            (MESSI, "timur", true, may),
            (MESSI, "local", true, may_not),
            (PAFF, "barat", false, may_not),
            (PAFF, "timur", false, may_not),
            (PAFF, "timur", true, may),
            (PAFF, "local", true, may_not),
            (PAFF, "utara", true, Err(CommandError::RealmNotFound)),
            (MESSI, "utara", true, Err(CommandError::RealmNotFound)),
            (NEKO, "timur", true, may_not),
        ] {
            let removed = decide(&fixture, user, &remove(realm), (has_administrator, false));
            assert_eq!(removed, expected, "{realm} by {user}, paff is an administrator: {has_administrator}");
        }
    }

    #[test]
    fn each_user_with_messages_in_the_outbox_of_a_removed_realm_gets_one_message() {
        let mut fixture = Fixture::new();
        let timur = fixture.links("timur", 2);
        for sender in [PAFF, MESSI, PAFF] {
            fixture.sends(sender, "bob@timur", "halo");
        }
        let upto = fixture.sends(NEKO, "bob@timur", "has arrived");
        fixture.server_does(&Command::AcknowledgeOutbox { realm: timur, upto, bounces: vec![] });
        for sender in [PAFF, MESSI, PAFF] {
            fixture.sends(sender, "bob@timur", "waits");
        }
        let events = fixture.does(MESSI, &remove("timur"));
        let told = events.iter().filter_map(|event| match event {
            Event::MessageSent(message) => Some((&message.from, &message.to, text(&message.body))),
            _ => None,
        });
        let expected = [MESSI, PAFF].map(|user| (Author::Server, Destination::User(user), "hilang".to_owned()));
        assert!(told.eq(expected.iter().map(|(from, to, text)| (from, to, text.clone()))));
    }
}
