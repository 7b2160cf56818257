//! Sessions: opened by a login, ended in many ways (PROTOCOL §2, §7).

use crate::chat::error::CommandError;
use crate::chat::event::Event;
use crate::chat::model::session::NewSession;
use crate::chat::model::user::{PasswordHash, User};
use crate::chat::rules::context::Context;
use crate::chat::state::State;
use crate::id::{SessionId, UserId};
use crate::limits::{SESSION_TOUCH, SESSIONS_PER_USER};

pub(in crate::chat) fn open(
    state: &State,
    id: UserId,
    verified: &PasswordHash,
    session: NewSession,
) -> Result<Vec<Event>, CommandError> {
    let user = state.active_user(id).map_err(|_| CommandError::UserNotFound)?;
    user.check_password(verified)?;
    let mut events = Vec::with_capacity(2);
    if user.sessions.len() >= SESSIONS_PER_USER
        && let Some(session) = least_recently_used(state, user)
    {
        events.push(Event::SessionClosed { session });
    }
    events.push(opened(id, session));
    Ok(events)
}

fn least_recently_used(state: &State, user: &User) -> Option<SessionId> {
    let used = |id: &SessionId| state.session(*id).map(|session| (session.used, *id));
    user.sessions.iter().filter_map(used).min().map(|(_, id)| id)
}

pub(super) fn opened(user: UserId, session: NewSession) -> Event {
    let NewSession { token, ephemeral, origin } = session;
    Event::SessionOpened { user, token, ephemeral, origin }
}

pub(in crate::chat) fn touch(state: &State, context: &Context<'_>, id: SessionId) -> Result<Vec<Event>, CommandError> {
    let session = state.session(id).ok_or(CommandError::NoSession)?;
    if context.now.since(session.used) < SESSION_TOUCH {
        return Ok(Vec::new());
    }
    Ok(vec![Event::SessionUsed { session: id }])
}

pub(in crate::chat) fn log_out(state: &State, context: &Context<'_>) -> Result<Vec<Event>, CommandError> {
    close(state, context.session.ok_or(CommandError::NoSession)?)
}

pub(in crate::chat) fn close(state: &State, session: SessionId) -> Result<Vec<Event>, CommandError> {
    state.session(session).ok_or(CommandError::NoSession)?;
    Ok(vec![Event::SessionClosed { session }])
}

pub(in crate::chat) fn revoke(
    state: &State,
    context: &Context<'_>,
    session: SessionId,
) -> Result<Vec<Event>, CommandError> {
    let (_, user) = context.active_user(state)?;
    if !user.sessions.contains(&session) {
        return Err(CommandError::SessionNotFound);
    }
    Ok(vec![Event::SessionClosed { session }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::command::Command;
    use crate::chat::fixture::{Fixture, MESSI, PAFF};
    use crate::time::Time;

    #[test]
    fn logging_out_ends_only_the_session_of_the_request() {
        let mut fixture = Fixture::new();
        let [session, other] = [(); 2].map(|()| fixture.logs_in(MESSI));
        fixture.refuses(MESSI, &Command::LogOut, CommandError::NoSession);
        let context = Context { session: Some(session), ..Context::on_behalf_of(MESSI, Time(0)) };
        assert_eq!(fixture.does_in(&context, &Command::LogOut), [Event::SessionClosed { session }]);
        assert_eq!(fixture.state.user(MESSI).unwrap().sessions, [other]);
        assert_eq!(fixture.decide_in(&context, &Command::LogOut), Err(CommandError::NoSession));
    }

    #[test]
    fn users_can_revoke_only_their_own_open_sessions() {
        let mut fixture = Fixture::new();
        let (own, others) = (fixture.logs_in(MESSI), fixture.logs_in(PAFF));
        let revoke = |session| Command::RevokeSession { session };
        fixture.refuses(MESSI, &revoke(others), CommandError::SessionNotFound);
        fixture.does(MESSI, &revoke(own));
        fixture.refuses(MESSI, &revoke(own), CommandError::SessionNotFound);
        assert!(fixture.state.session(own).is_none() && fixture.state.session(others).is_some());
    }

    #[test]
    fn the_least_recently_used_session_is_closed_when_there_are_too_many() {
        let mut fixture = Fixture::new();
        let sessions: Vec<_> = (0..=SESSIONS_PER_USER).map(|_| fixture.logs_in(MESSI)).collect();
        assert_eq!(fixture.state.user(MESSI).unwrap().sessions, sessions[1..]);
    }
}
