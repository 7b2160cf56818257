//! Sessions in the state.

use crate::chat::event::Record;
use crate::chat::model::session::{NewSession, Session};
use crate::chat::state::tables::State;
use crate::id::{SessionId, TokenHash, UserId};
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
