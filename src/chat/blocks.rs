//! Whom a user does not want to hear from (PROTOCOL §7): direct messages are refused at sending, what the same person
//! says to groups and to everyone is left out at reading.

use std::sync::Arc;

use crate::chat::accounts::User;
use crate::chat::error::{CommandError, Limit};
use crate::chat::event::Event;
use crate::chat::message::{Author, Destination, Message, RemoteName, UserRef};
use crate::chat::realms::Route;
use crate::chat::state::State;
use crate::id::UserId;
use crate::limits::BLOCKS_PER_USER;
use crate::name::Address;

pub(super) fn decide_block(state: &State, id: UserId, whom: &Address) -> Result<Vec<Event>, CommandError> {
    let user = state.active_user(id)?;
    let (blocked, person) = person(state, whom)?;
    if person == UserRef::Local(id) {
        return Err(CommandError::Oneself);
    }
    if user.has_blocked(&person) {
        return Ok(Vec::new());
    }
    if user.blocks.len() >= BLOCKS_PER_USER {
        return Err(CommandError::LimitReached(Limit::Blocks));
    }
    Ok(vec![Event::UserBlocked { user: id, blocked }])
}

pub(super) fn decide_unblock(state: &State, id: UserId, whom: &Address) -> Result<Vec<Event>, CommandError> {
    let user = state.active_user(id)?;
    let (blocked, person) = person(state, whom)?;
    if !user.has_blocked(&person) {
        return Ok(Vec::new());
    }
    Ok(vec![Event::UserUnblocked { user: id, blocked }])
}

/// Whom an address means, also where that person has unregistered: what was said before is still there to be left out.
/// Who lives in another realm is not asked for there.
fn person(state: &State, address: &Address) -> Result<(Author, UserRef), CommandError> {
    match state.route(address.realm.as_ref())? {
        Route::Local(_) => {
            let (id, _) = state.name_owner(&address.name).ok_or(CommandError::UserNotFound)?;
            Ok((Author::Local(id), UserRef::Local(id)))
        }
        Route::Remote(realm, ..) => {
            let person = UserRef::Remote(realm, address.name.folded());
            Ok((Author::Remote(RemoteName { realm, name: address.name.clone() }), person))
        }
    }
}

impl User {
    /// Whether the user does not want to hear from the other.
    pub(super) fn has_blocked(&self, other: &UserRef) -> bool {
        self.blocks.binary_search(other).is_ok()
    }
}

impl State {
    /// Who of a message's audience does not want to hear it, ascending; none where nobody blocks its author.
    #[must_use]
    pub fn recipients_blocking(&self, message: &Message) -> Option<Arc<Vec<UserId>>> {
        match message.to {
            Destination::Group(_) | Destination::Everyone => self.blockers.get(&message.from.person()?).cloned(),
            Destination::User(_) | Destination::RemoteUser(_) | Destination::RemoteGroup(_) => None,
        }
    }

    pub(super) fn block(&mut self, user: UserId, blocked: &Author) {
        let Some(blocked) = blocked.person() else { return };
        self.change_user(user, |user| insert(&mut user.blocks, blocked.clone()));
        insert(Arc::make_mut(self.blockers.entry(blocked).or_default()), user);
    }

    pub(super) fn unblock(&mut self, user: UserId, blocked: &Author) {
        let Some(blocked) = blocked.person() else { return };
        self.change_user(user, |user| user.blocks.retain(|other| *other != blocked));
        let Some(blockers) = self.blockers.get_mut(&blocked) else { return };
        Arc::make_mut(blockers).retain(|other| *other != user);
        if blockers.is_empty() {
            self.blockers.remove(&blocked);
        }
    }
}

fn insert<T: Ord>(ascending: &mut Vec<T>, item: T) {
    if let Err(place) = ascending.binary_search(&item) {
        ascending.insert(place, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::accounts::PasswordHash;
    use crate::chat::command::Command;
    use crate::chat::fixture::{MESSI, NEKO, PAFF, World, address, hash, name};
    use crate::chat::message::MessageBody;

    fn block(user: UserId, whom: &str) -> Command {
        Command::Block { user, whom: address(whom) }
    }

    fn unblock(user: UserId, whom: &str) -> Command {
        Command::Unblock { user, whom: address(whom) }
    }

    fn send(from: UserId, to: &str) -> Command {
        Command::SendDirect { from, to: address(to), text: "halo".into(), online: None }
    }

    fn blocked_by(world: &World, command: &Command) -> Option<Vec<UserId>> {
        let events = world.wants(command).unwrap();
        let [Event::MessageSent(message)] = &events[..] else { panic!("not one message: {events:?}") };
        world.state.recipients_blocking(message).map(|blocked_by| blocked_by.to_vec())
    }

    #[test]
    fn a_blocked_persons_direct_messages_are_refused_until_unblocked() {
        let mut world = World::new();
        world.does(&block(MESSI, "paff"));
        for to in ["messi", "messi@local"] {
            world.refuses(&send(PAFF, to), CommandError::Blocked);
            assert!(world.wants(&send(NEKO, to)).is_ok());
        }
        assert!(world.wants(&send(MESSI, "paff")).is_ok(), "who blocks may still write");
        world.does(&unblock(MESSI, "paff@local"));
        assert!(world.wants(&send(PAFF, "messi")).is_ok());
    }

    #[test]
    fn who_blocks_a_person_is_deaf_to_what_that_one_says_to_many() {
        let mut world = World::new();
        let broadcast = Command::Broadcast { from: PAFF, text: "halo".into() };
        let to_group = Command::SendGroup { from: PAFF, to: address("fans"), text: "halo".into() };
        assert_eq!(blocked_by(&world, &broadcast), None);
        world.does(&block(NEKO, "paff"));
        world.does(&block(MESSI, "PAFF@local"));
        assert_eq!(blocked_by(&world, &broadcast), Some(vec![MESSI, NEKO]));
        assert_eq!(blocked_by(&world, &to_group), Some(vec![MESSI, NEKO]));
        world.does(&unblock(MESSI, "paff"));
        world.does(&unblock(NEKO, "paff"));
        assert_eq!(blocked_by(&world, &broadcast), None);
    }

    #[test]
    fn people_of_other_realms_are_blocked_without_asking_there_and_told_apart_by_their_realm() {
        let mut world = World::new();
        let timur = world.links("timur", 2);
        let utara = world.links("utara", 3);
        world.does(&block(MESSI, "Bob@Timur"));
        assert_eq!(world.wants(&block(MESSI, "bob@timur")), Ok(vec![]));
        let to_group = |realm| {
            let from = Author::Remote(RemoteName { realm, name: name("BOB") });
            let to = Destination::Group(world.state.group_named(&name("fans")).unwrap().0);
            let message = Message { from, to, realm: Some(realm), body: MessageBody::default() };
            world.state.recipients_blocking(&message).map(|blocked_by| blocked_by.to_vec())
        };
        assert_eq!((to_group(timur), to_group(utara)), (Some(vec![MESSI]), None));
        world.does(&unblock(MESSI, "BOB@timur"));
        assert_eq!(world.wants(&unblock(MESSI, "bob@timur")), Ok(vec![]));
    }

    #[test]
    fn blocking_twice_changes_nothing() {
        let mut world = World::new();
        assert_eq!(world.wants(&unblock(MESSI, "paff")), Ok(vec![]));
        world.does(&block(MESSI, "paff"));
        assert_eq!(world.wants(&block(MESSI, "paff")), Ok(vec![]));
    }

    #[test]
    fn only_others_who_exist_can_be_blocked() {
        let world = World::new();
        for (whom, error) in [
            ("messi", CommandError::Oneself),
            ("Messi@local", CommandError::Oneself),
            ("nobody", CommandError::UserNotFound),
            ("paff@timur", CommandError::RealmNotFound),
        ] {
            world.refuses(&block(MESSI, whom), error);
        }
    }

    #[test]
    fn somebody_who_has_unregistered_can_still_be_unblocked() {
        let mut world = World::new();
        world.does(&block(MESSI, "paff"));
        world.does(&Command::Unregister { user: PAFF, verified: hash("old") });
        assert_eq!(world.does(&unblock(MESSI, "paff")).len(), 1);
    }

    #[test]
    fn the_list_of_blocked_people_is_bounded() {
        let mut world = World::new();
        for number in 0..=BLOCKS_PER_USER {
            world.does(&Command::Register {
                name: name(&format!("user{number}")),
                full_name: "".into(),
                country: "".into(),
                password: PasswordHash("".into()),
                session: None,
            });
        }
        (0..BLOCKS_PER_USER).for_each(|number| drop(world.does(&block(MESSI, &format!("user{number}")))));
        world.refuses(&block(MESSI, &format!("user{BLOCKS_PER_USER}")), CommandError::LimitReached(Limit::Blocks));
    }
}
