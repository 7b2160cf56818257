//! When sessions without a connection were used last: to the second, while the log has it to ten minutes only.

use hashbrown::HashMap;

use crate::chat::{SessionStanding, SessionUse};
use crate::id::SessionId;
use crate::time::Time;

/// The uses of open sessions. A session that was not used since this server started has none.
#[derive(Default)]
pub(super) struct SessionUses(HashMap<SessionId, LastUse>);

struct LastUse {
    at: Time,
    /// The token was presented, by any connection.
    by_token: bool,
    /// The client that logged in quit at once.
    is_left: bool,
}

impl SessionUses {
    pub(super) fn record(&mut self, session: SessionId, at: Time) {
        let known = self.0.entry(session).or_insert(LastUse { at, by_token: false, is_left: false });
        known.at = known.at.max(at);
    }

    /// The token was presented: the session is one that its client goes on using.
    pub(super) fn record_token(&mut self, session: SessionId, at: Time) {
        self.0.insert(session, LastUse { at, by_token: true, is_left: false });
    }

    /// The client that logged in quit at once.
    pub(super) fn record_left(&mut self, session: SessionId, at: Time) {
        self.0.insert(session, LastUse { at, by_token: false, is_left: true });
    }

    pub(super) fn was_resumed(&self, session: SessionId) -> bool {
        self.0.get(&session).is_some_and(|known| known.by_token)
    }

    pub(super) fn of(&self, session: SessionId) -> Option<SessionUse> {
        let LastUse { at, is_left, .. } = *self.0.get(&session)?;
        let standing = if is_left { SessionStanding::Left } else { SessionStanding::Unconnected };
        Some(SessionUse { session, standing, at })
    }

    /// The session is closed: its number may be given to another one if the commit fails.
    pub(super) fn forget(&mut self, session: SessionId) {
        self.0.remove(&session);
    }
}
