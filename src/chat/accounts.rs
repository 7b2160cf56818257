//! Accounts: made, kept safe, given up (PROTOCOL §3, §7).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::chat::command::NewSession;
use crate::chat::error::{CommandError, Limit};
use crate::chat::event::Event;
use crate::chat::groups::{self, Membership};
use crate::chat::idempotency::CompletedRequests;
use crate::chat::message::UserRef;
use crate::chat::sessions;
use crate::chat::state::State;
use crate::id::{RealmId, Seq, SessionId, UserId};
use crate::limits::MAX_USERS;
use crate::name::Name;
use crate::time::Time;

/// A salted password hash in PHC form (`$argon2id$…`). Opaque here: nothing in the domain can afford to check one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordHash(pub Box<str>);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(hidden)")
    }
}

/// An account. What a message to the user looks at stands together, so that it is in one line of the processor's caches:
/// of very many accounts hardly any is there already.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct User {
    /// As registered.
    pub name: Name,
    /// The person gave the account up. Only its name is still somebody's, and what was said with it.
    pub unregistered: bool,
    /// The person's name; may be empty, then the name stands for it.
    pub full_name: Box<str>,
    /// The newest entry of the user's own timeline.
    pub last: Seq,
    /// Whom the user does not want to hear from, ascending.
    pub blocks: Vec<UserRef>,
    /// May be empty.
    pub country: Box<str>,
    /// Of the password.
    pub password: PasswordHash,
    /// The log entry of the registration: older broadcasts are not for this user.
    pub registered: Seq,
    /// When a session of the user was last opened, noted as used, or closed.
    pub seen: Option<Time>,
    /// The inbox is read up to here.
    pub cursor: Seq,
    /// Intervals past the cursor that were pushed live, ascending, apart from one another: (after, upto].
    pub read_ranges: Vec<(Seq, Seq)>,
    /// How far the views of realms are read.
    pub realm_cursors: Vec<(RealmId, Seq)>,
    /// Open sessions, in the order of opening.
    pub sessions: Vec<SessionId>,
    /// In the order of (group, joined).
    pub memberships: Vec<Membership>,
    /// The tagged requests that were done of late.
    pub done: CompletedRequests,
}

impl User {
    /// The full name, or the name where none is known.
    #[must_use]
    pub fn shown_name(&self) -> &str {
        if self.full_name.is_empty() { self.name.as_str() } else { &self.full_name }
    }

    /// Whether the hash that a password was verified against is still the account's.
    pub(super) fn check_password(&self, verified: &PasswordHash) -> Result<(), CommandError> {
        if self.password == *verified { Ok(()) } else { Err(CommandError::WrongPassword) }
    }
}

/// The parts of an account to be made.
pub(super) struct Registration<'a> {
    pub(super) name: &'a Name,
    pub(super) full_name: &'a str,
    pub(super) country: &'a str,
    pub(super) password: &'a PasswordHash,
    pub(super) session: Option<NewSession>,
}

pub(super) fn decide_register(state: &State, registration: Registration<'_>) -> Result<Vec<Event>, CommandError> {
    if state.name_owner(registration.name).is_some() {
        return Err(CommandError::UserExists);
    }
    if state.users.len() >= MAX_USERS {
        return Err(CommandError::LimitReached(Limit::Users));
    }
    let user = UserId(u32::try_from(state.users.len()).map_err(|_| CommandError::LimitReached(Limit::Users))?);
    let registered = Event::UserRegistered {
        user,
        name: registration.name.clone(),
        full_name: registration.full_name.into(),
        country: registration.country.into(),
        password: registration.password.clone(),
    };
    let opened = registration.session.map(|session| sessions::opened(user, session));
    Ok(std::iter::once(registered).chain(opened).collect())
}

pub(super) fn decide_change_password(
    state: &State,
    id: UserId,
    stays: SessionId,
    verified: &PasswordHash,
    password: &PasswordHash,
) -> Result<Vec<Event>, CommandError> {
    let user = state.active_user(id)?;
    user.check_password(verified)?;
    let changed = Event::PasswordChanged { user: id, password: password.clone() };
    let others = user.sessions.iter().copied().filter(|session| *session != stays);
    Ok(std::iter::once(changed).chain(others.map(|session| Event::SessionClosed { session })).collect())
}

pub(super) fn decide_unregister(
    state: &State,
    id: UserId,
    verified: &PasswordHash,
) -> Result<Vec<Event>, CommandError> {
    let user = state.active_user(id)?;
    user.check_password(verified)?;
    let mut events: Vec<_> =
        state.groups_of(user).flat_map(|(group_id, group)| groups::leaving(group_id, group, id, id)).collect();
    events.extend(user.sessions.iter().map(|session| Event::SessionClosed { session: *session }));
    events.push(Event::UserUnregistered { user: id });
    Ok(events)
}

impl State {
    /// The user that a command acts for. Whoever has unregistered meanwhile has no session left.
    pub(super) fn active_user(&self, id: UserId) -> Result<&User, CommandError> {
        self.user(id).filter(|user| !user.unregistered).ok_or(CommandError::NoSession)
    }

    pub(super) fn register(&mut self, seq: Seq, name: &Name, full_name: &str, country: &str, password: &PasswordHash) {
        let id = UserId(u32::try_from(self.users.len()).unwrap_or(u32::MAX));
        self.user_names.insert(name, id);
        self.users.push(User {
            name: name.clone(),
            full_name: full_name.into(),
            country: country.into(),
            password: password.clone(),
            registered: seq,
            unregistered: false,
            seen: None,
            cursor: seq,
            read_ranges: Vec::new(),
            realm_cursors: Vec::new(),
            sessions: Vec::new(),
            memberships: Vec::new(),
            blocks: Vec::new(),
            last: Seq(0),
            done: CompletedRequests::default(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::command::Command;
    use crate::chat::fixture::{MESSI, NEKO, PAFF, World, address, hash, name};

    fn change_password(session: SessionId, verified: &str) -> Command {
        Command::ChangePassword { user: MESSI, session, verified: hash(verified), password: hash("new") }
    }

    #[test]
    fn a_changed_password_ends_all_sessions_but_the_one_that_changed_it() {
        let mut world = World::new();
        let [_first, stays, _last] = [(); 3].map(|()| world.logs_in(MESSI));
        let other = world.logs_in(PAFF);
        world.does(&change_password(stays, "old"));
        assert_eq!(world.state.user(MESSI).unwrap().sessions, [stays]);
        assert!(world.state.session(other).is_some());
        world.refuses(&change_password(stays, "old"), CommandError::WrongPassword);
        assert!(world.wants(&change_password(stays, "new")).is_ok());
    }

    #[test]
    fn whoever_unregisters_leaves_everything_and_keeps_the_name() {
        let mut world = World::new();
        let session = world.logs_in(MESSI);
        world.does(&Command::CreateGroup { owner: MESSI, name: name("alone"), password: None });
        world.refuses(&Command::Unregister { user: MESSI, verified: hash("wrong") }, CommandError::WrongPassword);
        world.does(&Command::Unregister { user: MESSI, verified: hash("old") });
        assert!(world.state.session(session).is_none());
        assert_eq!(world.members("fans"), [PAFF, NEKO]);
        assert_eq!(world.state.group_named(&name("fans")).map(|(_, group)| group.owner), Some(PAFF));
        assert!(world.state.group_named(&name("alone")).is_none());
        assert!(world.state.user_named(&name("messi")).is_none());
        assert_eq!(world.state.name_owner(&name("messi")).map(|(id, _)| id), Some(MESSI));
    }

    #[test]
    fn whoever_has_unregistered_does_nothing_more_and_is_not_to_be_found() {
        let mut world = World::new();
        world.does(&Command::Unregister { user: MESSI, verified: hash("old") });
        let text = || Box::from("halo");
        for (command, error) in [
            (Command::Broadcast { from: MESSI, text: text() }, CommandError::NoSession),
            (Command::CreateGroup { owner: MESSI, name: name("g1"), password: None }, CommandError::NoSession),
            (Command::JoinGroup { user: MESSI, group: name("fans"), verified: None }, CommandError::NoSession),
            (Command::ReadInbox { user: MESSI, from: Seq(1), upto: Seq(2) }, CommandError::NoSession),
            (Command::Unregister { user: MESSI, verified: hash("old") }, CommandError::NoSession),
            (
                Command::SendDirect { from: PAFF, to: address("messi"), text: text(), online: None },
                CommandError::UserNotFound,
            ),
            (
                Command::Register {
                    name: name("Messi"),
                    full_name: "".into(),
                    country: "".into(),
                    password: hash("x"),
                    session: None,
                },
                CommandError::UserExists,
            ),
        ] {
            world.refuses(&command, error);
        }
    }
}
