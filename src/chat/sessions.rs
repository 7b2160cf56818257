//! Sessions: opened by a login, ended by many things (PROTOCOL §2, §7).

use std::net::IpAddr;

use crate::chat::accounts::{PasswordHash, User};
use crate::chat::command::NewSession;
use crate::chat::error::CommandError;
use crate::chat::event::{Event, Record};
use crate::chat::state::State;
use crate::id::{SessionId, TokenHash, UserId};
use crate::limits::{SESSION_TOUCH, SESSIONS_PER_USER};
use crate::time::Time;

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
    /// The address of the client that opened it.
    pub origin: IpAddr,
}

pub(super) fn decide_open(
    state: &State,
    id: UserId,
    verified: &PasswordHash,
    session: NewSession,
) -> Result<Vec<Event>, CommandError> {
    let user = state.active_user(id).map_err(|_| CommandError::UserNotFound)?;
    user.check_password(verified)?;
    let mut events = Vec::with_capacity(2);
    if user.sessions.len() >= SESSIONS_PER_USER
        && let Some(least_recent) = state.least_recently_used(user)
    {
        events.push(Event::SessionClosed { session: least_recent });
    }
    events.push(opened(id, session));
    Ok(events)
}

pub(super) fn opened(user: UserId, session: NewSession) -> Event {
    let NewSession { token, ephemeral, origin } = session;
    Event::SessionOpened { user, token, ephemeral, origin }
}

pub(super) fn decide_touch(state: &State, now: Time, id: SessionId) -> Result<Vec<Event>, CommandError> {
    let session = state.session(id).ok_or(CommandError::NoSession)?;
    if now.since(session.used) < SESSION_TOUCH {
        return Ok(Vec::new());
    }
    Ok(vec![Event::SessionUsed { session: id }])
}

pub(super) fn decide_close(state: &State, session: SessionId) -> Result<Vec<Event>, CommandError> {
    state.session(session).ok_or(CommandError::NoSession)?;
    Ok(vec![Event::SessionClosed { session }])
}

pub(super) fn decide_revoke(state: &State, id: UserId, session: SessionId) -> Result<Vec<Event>, CommandError> {
    let user = state.active_user(id)?;
    if !user.sessions.contains(&session) {
        return Err(CommandError::SessionNotFound);
    }
    Ok(vec![Event::SessionClosed { session }])
}

impl State {
    fn least_recently_used(&self, user: &User) -> Option<SessionId> {
        let used = |id: &SessionId| self.session(*id).map(|session| (session.used, *id));
        user.sessions.iter().filter_map(used).min().map(|(_, id)| id)
    }

    pub(super) fn open_session(&mut self, record: &Record, user: UserId, session: NewSession) {
        let (id, time) = (SessionId(record.seq.0), record.time);
        let NewSession { token, ephemeral, origin } = session;
        self.tokens.insert(token, id);
        self.sessions.insert(id, Session { user, token, opened: time, used: time, ephemeral, origin });
        self.change_user(user, |user| {
            user.sessions.push(id);
            user.seen = Some(time);
        });
    }

    pub(super) fn use_session(&mut self, id: SessionId, time: Time) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.used = time;
        let user = session.user;
        self.change_user(user, |user| user.seen = Some(time));
    }

    pub(super) fn close_session(&mut self, id: SessionId, time: Time) {
        let Some(session) = self.sessions.remove(&id) else { return };
        self.tokens.remove(&session.token);
        self.change_user(session.user, |user| {
            user.sessions.retain(|open| *open != id);
            user.seen = Some(time);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::command::Command;
    use crate::chat::fixture::{MESSI, PAFF, World};

    #[test]
    fn only_ones_own_open_sessions_can_be_revoked() {
        let mut world = World::new();
        let (own, others) = (world.logs_in(MESSI), world.logs_in(PAFF));
        let revoke = |session| Command::RevokeSession { user: MESSI, session };
        world.refuses(&revoke(others), CommandError::SessionNotFound);
        world.does(&revoke(own));
        world.refuses(&revoke(own), CommandError::SessionNotFound);
        assert!(world.state.session(own).is_none() && world.state.session(others).is_some());
    }

    #[test]
    fn the_least_recently_used_session_goes_when_there_are_too_many() {
        let mut world = World::new();
        let sessions: Vec<_> = (0..=SESSIONS_PER_USER).map(|_| world.logs_in(MESSI)).collect();
        assert_eq!(world.state.user(MESSI).unwrap().sessions, sessions[1..]);
    }
}
