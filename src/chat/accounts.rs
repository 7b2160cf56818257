//! Accounts and sessions (PROTOCOL §2, §3).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::chat::command::NewSession;
use crate::chat::event::Event;
use crate::chat::groups::Membership;
use crate::chat::once::Remembered;
use crate::chat::refusal::{Limit, Refusal};
use crate::chat::state::State;
use crate::id::{RealmId, Seq, SessionId, TokenHash, UserId};
use crate::limits::{MAX_USERS, SESSION_TOUCH, SESSIONS_PER_USER};
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

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// As registered.
    pub name: Name,
    /// The person's name; may be empty, then the name stands for it.
    pub full_name: Box<str>,
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
    pub live: Vec<(Seq, Seq)>,
    /// How far the views of realms are read.
    pub realm_cursors: Vec<(RealmId, Seq)>,
    /// Open sessions, in the order of opening.
    pub sessions: Vec<SessionId>,
    /// In the order of (group, joined).
    pub memberships: Vec<Membership>,
    /// The newest entry of the user's own timeline.
    pub last: Seq,
    /// The tagged requests that were done of late.
    pub done: Remembered,
}

impl User {
    /// The full name, or the name where none is known.
    #[must_use]
    pub fn shown_name(&self) -> &str {
        if self.full_name.is_empty() { self.name.as_str() } else { &self.full_name }
    }
}

/// An open session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub user: UserId,
    /// Of its token.
    pub token: TokenHash,
    /// When it was opened.
    pub opened: Time,
    /// When its use was last noted.
    pub used: Time,
    /// Ends with its connection.
    pub ephemeral: bool,
}

/// The parts of an account to be made.
pub(super) struct Registration<'a> {
    pub(super) name: &'a Name,
    pub(super) full_name: &'a str,
    pub(super) country: &'a str,
    pub(super) password: &'a PasswordHash,
    pub(super) session: Option<NewSession>,
}

pub(super) fn decide_register(state: &State, registration: Registration<'_>) -> Result<Vec<Event>, Refusal> {
    if state.user_named(registration.name).is_some() {
        return Err(Refusal::UserExists);
    }
    if state.users.len() >= MAX_USERS {
        return Err(Refusal::LimitReached(Limit::Users));
    }
    let user = UserId(u32::try_from(state.users.len()).map_err(|_| Refusal::LimitReached(Limit::Users))?);
    let registered = Event::UserRegistered {
        user,
        name: registration.name.clone(),
        full_name: registration.full_name.into(),
        country: registration.country.into(),
        password: registration.password.clone(),
    };
    let opened = registration.session.map(|session| opened(user, session));
    Ok(std::iter::once(registered).chain(opened).collect())
}

pub(super) fn decide_open(
    state: &State,
    id: UserId,
    verified: &PasswordHash,
    session: NewSession,
) -> Result<Vec<Event>, Refusal> {
    let user = state.user(id).ok_or(Refusal::UserNotFound)?;
    if user.password != *verified {
        return Err(Refusal::WrongPassword);
    }
    let mut events = Vec::with_capacity(2);
    if user.sessions.len() >= SESSIONS_PER_USER
        && let Some(least_recent) = state.least_recently_used(user)
    {
        events.push(Event::SessionClosed { session: least_recent });
    }
    events.push(opened(id, session));
    Ok(events)
}

fn opened(user: UserId, session: NewSession) -> Event {
    Event::SessionOpened { user, token: session.token, ephemeral: session.ephemeral }
}

pub(super) fn decide_touch(state: &State, now: Time, id: SessionId) -> Result<Vec<Event>, Refusal> {
    let session = state.session(id).ok_or(Refusal::NoSession)?;
    if now.since(session.used) < SESSION_TOUCH {
        return Ok(Vec::new());
    }
    Ok(vec![Event::SessionUsed { session: id }])
}

pub(super) fn decide_close(state: &State, session: SessionId) -> Result<Vec<Event>, Refusal> {
    state.session(session).ok_or(Refusal::NoSession)?;
    Ok(vec![Event::SessionClosed { session }])
}

impl State {
    fn least_recently_used(&self, user: &User) -> Option<SessionId> {
        let used = |id: &SessionId| self.session(*id).map(|session| (session.used, *id));
        user.sessions.iter().filter_map(used).min().map(|(_, id)| id)
    }
}
