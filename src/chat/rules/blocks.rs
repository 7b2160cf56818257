//! Blocking (PROTOCOL §7): a blocked user's direct messages are refused at sending, the same user's group messages and
//! broadcasts are left out at reading.

use crate::chat::error::CommandError;
use crate::chat::event::Event;
use crate::chat::model::message::{Author, RemoteName, UserRef};
use crate::chat::model::realm::{RealmKind, Route};
use crate::chat::rules::context::Context;
use crate::chat::state::State;
use crate::id::UserId;
use crate::limits::BLOCKS_PER_USER;
use crate::name::{Address, Name};

pub(in crate::chat) fn block(state: &State, context: &Context<'_>, whom: &Address) -> Result<Vec<Event>, CommandError> {
    let (id, user) = context.active_user(state)?;
    let (blocked, user_ref) = user_ref(state, whom)?;
    if user_ref == UserRef::Local(id) {
        return Err(CommandError::Oneself);
    }
    if user.has_blocked(&user_ref) {
        return Ok(Vec::new());
    }
    if user.blocks.len() < BLOCKS_PER_USER {
        return Ok(vec![Event::UserBlocked { user: id, blocked }]);
    }
    // Nobody of a realm that is gone can be heard any more, nor be named to be unblocked.
    let mut events: Vec<_> = user.blocks.iter().filter_map(|blocked| unblocking_gone(state, id, blocked)).collect();
    if events.is_empty() {
        return Err(CommandError::BlockLimit);
    }
    events.push(Event::UserBlocked { user: id, blocked });
    Ok(events)
}

fn unblocking_gone(state: &State, user: UserId, blocked: &UserRef) -> Option<Event> {
    let UserRef::Remote(realm, name) = blocked else { return None };
    let is_gone = state.realm(*realm).is_none_or(|realm| matches!(realm.kind, RealmKind::Removed(_)));
    let name = Name::parse(&name.to_string()).ok().filter(|_| is_gone)?;
    Some(Event::UserUnblocked { user, blocked: Author::Remote(RemoteName { realm: *realm, name }) })
}

pub(in crate::chat) fn unblock(
    state: &State,
    context: &Context<'_>,
    whom: &Address,
) -> Result<Vec<Event>, CommandError> {
    let (id, user) = context.active_user(state)?;
    let (blocked, user_ref) = user_ref(state, whom)?;
    if !user.has_blocked(&user_ref) {
        return Ok(Vec::new());
    }
    Ok(vec![Event::UserUnblocked { user: id, blocked }])
}

/// The user of an address, also one who has unregistered: earlier messages are still there to be hidden. A user of
/// another realm is taken as written: that server is not asked.
fn user_ref(state: &State, address: &Address) -> Result<(Author, UserRef), CommandError> {
    match state.route(address.realm.as_ref())? {
        Route::Local(_) => {
            let (id, _) = state.name_owner(&address.name).ok_or(CommandError::UserNotFound)?;
            Ok((Author::Local(id), UserRef::Local(id)))
        }
        Route::Remote(realm, ..) => {
            let user_ref = UserRef::Remote(realm, address.name.folded());
            Ok((Author::Remote(RemoteName { realm, name: address.name.clone() }), user_ref))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::command::Command;
    use crate::chat::fixture::{Fixture, MESSI, NEKO, PAFF, address, hash, name};
    use crate::chat::model::body::MessageBody;
    use crate::chat::model::message::{Destination, Message};

    fn block(whom: &str) -> Command {
        Command::Block { whom: address(whom) }
    }

    fn unblock(whom: &str) -> Command {
        Command::Unblock { whom: address(whom) }
    }

    fn send(to: &str) -> Command {
        Command::SendDirect { to: address(to), text: "halo".into() }
    }

    /// The recipients who block the author of the message that paff sends by a command.
    fn blocking_paff(fixture: &Fixture, command: &Command) -> Option<Vec<UserId>> {
        let events = fixture.decide(PAFF, command).unwrap();
        let [Event::MessageSent(message)] = &events[..] else { panic!("not one message: {events:?}") };
        fixture.state.recipients_blocking(message).map(|blocking| blocking.to_vec())
    }

    #[test]
    fn direct_messages_of_a_blocked_user_are_refused_until_unblocked() {
        let mut fixture = Fixture::new();
        fixture.does(MESSI, &block("paff"));
        for to in ["messi", "messi@local"] {
            fixture.refuses(PAFF, &send(to), CommandError::Blocked);
            assert!(fixture.decide(NEKO, &send(to)).is_ok());
        }
        assert!(fixture.decide(MESSI, &send("paff")).is_ok(), "a user may write to one who is blocked");
        fixture.does(MESSI, &unblock("paff@local"));
        assert!(fixture.decide(PAFF, &send("messi")).is_ok());
    }

    #[test]
    fn recipients_of_group_messages_and_broadcasts_who_block_the_author_are_found() {
        let mut fixture = Fixture::new();
        let broadcast = Command::Broadcast { text: "halo".into() };
        let to_group = Command::SendGroup { to: address("fans"), text: "halo".into() };
        assert_eq!(blocking_paff(&fixture, &broadcast), None);
        fixture.does(NEKO, &block("paff"));
        fixture.does(MESSI, &block("PAFF@local"));
        assert_eq!(blocking_paff(&fixture, &broadcast), Some(vec![MESSI, NEKO]));
        assert_eq!(blocking_paff(&fixture, &to_group), Some(vec![MESSI, NEKO]));
        fixture.does(MESSI, &unblock("paff"));
        fixture.does(NEKO, &unblock("paff"));
        assert_eq!(blocking_paff(&fixture, &broadcast), None);
    }

    #[test]
    fn users_of_other_realms_are_blocked_unchecked_and_told_apart_by_their_realm() {
        let mut fixture = Fixture::new();
        let timur = fixture.links("timur", 2);
        let utara = fixture.links("utara", 3);
        fixture.does(MESSI, &block("Bob@Timur"));
        assert_eq!(fixture.decide(MESSI, &block("bob@timur")), Ok(vec![]));
        let to_group = |realm| {
            let from = Author::Remote(RemoteName { realm, name: name("BOB") });
            let to = Destination::Group(fixture.state.group_named(&name("fans")).unwrap().0);
            let message = Message { from, to, realm: Some(realm), body: MessageBody::default() };
            fixture.state.recipients_blocking(&message).map(|blocking| blocking.to_vec())
        };
        assert_eq!((to_group(timur), to_group(utara)), (Some(vec![MESSI]), None));
        fixture.does(MESSI, &unblock("BOB@timur"));
        assert_eq!(fixture.decide(MESSI, &unblock("bob@timur")), Ok(vec![]));
    }

    #[test]
    fn blocking_twice_changes_nothing() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.decide(MESSI, &unblock("paff")), Ok(vec![]));
        fixture.does(MESSI, &block("paff"));
        assert_eq!(fixture.decide(MESSI, &block("paff")), Ok(vec![]));
    }

    #[test]
    fn only_other_existing_users_can_be_blocked() {
        let fixture = Fixture::new();
        for (whom, error) in [
            ("messi", CommandError::Oneself),
            ("Messi@local", CommandError::Oneself),
            ("nobody", CommandError::UserNotFound),
            ("paff@timur", CommandError::RealmNotFound),
        ] {
            fixture.refuses(MESSI, &block(whom), error);
        }
    }

    #[test]
    fn an_unregistered_user_can_still_be_unblocked() {
        let mut fixture = Fixture::new();
        fixture.does(MESSI, &block("paff"));
        fixture.does(PAFF, &Command::Unregister { verified: hash("old") });
        assert_eq!(fixture.does(MESSI, &unblock("paff")).len(), 1);
    }

    #[test]
    fn the_list_of_blocked_users_is_bounded() {
        let mut fixture = Fixture::new();
        for number in 0..=BLOCKS_PER_USER {
            fixture.server_does(&Command::Register {
                name: name(&format!("user{number}")),
                full_name: "".into(),
                country: "".into(),
                password: hash(""),
                session: None,
                invite: None,
            });
        }
        (0..BLOCKS_PER_USER).for_each(|number| drop(fixture.does(MESSI, &block(&format!("user{number}")))));
        fixture.refuses(MESSI, &block(&format!("user{BLOCKS_PER_USER}")), CommandError::BlockLimit);
    }
}
