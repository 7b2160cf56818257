//! Sessions in the state.

use crate::chat::error::CommandError;
use crate::chat::event::Record;
use crate::chat::model::session::{NewSession, Session};
use crate::chat::model::user::{PasswordHash, User};
use crate::chat::state::tables::State;
use crate::id::{SessionId, TokenHash, UserId};
use crate::limits::SESSIONS_PER_USER;
use crate::time::Time;

impl State {
    /// The open session of a number.
    #[must_use]
    pub fn session(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(&id)
    }

    /// The open session of a token.
    #[must_use]
    pub fn session_of(&self, token: &TokenHash) -> Option<(SessionId, &Session)> {
        let id = *self.tokens.get(token)?;
        Some((id, self.session(id)?))
    }

    /// All open sessions, in no order.
    pub fn sessions(&self) -> impl Iterator<Item = (SessionId, &Session)> {
        self.sessions.iter().map(|(id, session)| (*id, session))
    }

    /// Whether the user whose password was verified may log in.
    pub(in crate::chat) fn check_login(
        &self,
        id: UserId,
        verified: &PasswordHash,
        paced: Time,
    ) -> Result<&User, CommandError> {
        let user = self.active_user(id).map_err(|_| CommandError::UserNotFound)?;
        user.check_password(verified)?;
        if self.is_user_banned(id, paced) {
            return Err(CommandError::Banned);
        }
        if self.is_locked(id) {
            return Err(CommandError::Locked);
        }
        Ok(user)
    }

    /// Opens a session that no event opens, and that ends with this process: for a user whose password was verified while
    /// the store cannot be written. It takes the place of an earlier one if the user has too many.
    ///
    /// # Errors
    /// If the user may not log in, or has too many sessions that are stored.
    pub fn open_unstored_session(
        &mut self,
        id: UserId,
        verified: &PasswordHash,
        session: NewSession,
        (now, paced): (Time, Time),
    ) -> Result<(), CommandError> {
        let user = self.check_login(id, verified, paced)?;
        if user.sessions.len() >= SESSIONS_PER_USER {
            let oldest = user.sessions.iter().copied().filter(|session| session.is_unstored()).min();
            self.close_session(oldest.ok_or(CommandError::StorageFailed)?, now);
        }
        let newest = self.sessions.keys().copied().filter(|session| session.is_unstored()).max();
        let number = SessionId(newest.map_or(SessionId::FIRST_UNSTORED.0, |newest| newest.0 + 1));
        let NewSession { token, ephemeral, origin } = session;
        self.put_session(number, Session { user: id, token, opened: now, used: now, ephemeral, origin });
        Ok(())
    }

    /// Takes over the sessions that are in no store, from the state before it was loaded again.
    pub fn keep_unstored_sessions(&mut self, before: Self) {
        let unstored = before.sessions.into_iter().filter(|(id, _)| id.is_unstored());
        for (id, session) in unstored {
            if self.active_user(session.user).is_ok() {
                self.put_session(id, session);
            }
        }
    }

    fn put_session(&mut self, id: SessionId, session: Session) {
        let user = session.user;
        self.tokens.insert(session.token, id);
        self.sessions.insert(id, session);
        self.change_user(user, |user| user.sessions.push(id));
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
