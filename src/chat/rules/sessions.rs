//! Sessions: opened by a login, ended in many ways (PROTOCOL §2, §7).

use crate::chat::error::CommandError;
use crate::chat::event::Event;
use crate::chat::model::session::{NewSession, SessionStanding, SessionUse};
use crate::chat::model::user::{PasswordHash, User};
use crate::chat::rules::context::Context;
use crate::chat::state::State;
use crate::id::{SessionId, UserId};
use crate::limits::{SESSION_TOUCH, SESSIONS_PER_USER};

pub(in crate::chat) fn open(
    state: &State,
    context: &Context<'_>,
    id: UserId,
    verified: &PasswordHash,
    session: NewSession,
    uses: &[SessionUse],
) -> Result<Vec<Event>, CommandError> {
    let user = state.check_login(id, verified, context.paced)?;
    let mut events = Vec::with_capacity(2);
    if user.sessions.len() >= SESSIONS_PER_USER
        && let Some(session) = first_to_go(state, user, uses)
    {
        events.push(Event::SessionClosed { session });
    }
    events.push(opened(id, session));
    Ok(events)
}

/// The session that was not used for longest, of the first kind of [`SessionStanding`] that there is.
fn first_to_go(state: &State, user: &User, uses: &[SessionUse]) -> Option<SessionId> {
    let place = |id: &SessionId| {
        let recorded = state.session(*id)?.used;
        let known = uses.iter().find(|known| known.session == *id);
        let (standing, used) =
            known.map_or((SessionStanding::Unconnected, recorded), |known| (known.standing, known.at.max(recorded)));
        Some((standing, used, *id))
    };
    user.sessions.iter().filter_map(place).min().map(|(_, _, id)| id)
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
    fn a_session_in_use_goes_last_and_one_that_was_left_goes_first() {
        let mut fixture = Fixture::new();
        let sessions: Vec<_> = (0..SESSIONS_PER_USER).map(|_| fixture.logs_in(MESSI)).collect();
        let [connected, used, left, ..] = sessions[..] else { panic!() };
        let at = |session, standing, time| SessionUse { session, standing, at: Time(time) };
        let known = [
            at(connected, SessionStanding::Connected, 0),
            at(used, SessionStanding::Unconnected, 1),
            at(left, SessionStanding::Left, 2),
        ];
        let user = fixture.state.user(MESSI).unwrap();
        let first = |known: &[SessionUse]| first_to_go(&fixture.state, user, known);
        assert_eq!(first(&known), Some(left));
        assert_eq!(first(&known[..2]), Some(left), "nothing is known of its use");
        let others = sessions[2..].iter().map(|session| at(*session, SessionStanding::Unconnected, 3));
        let all: Vec<_> = known[..2].iter().copied().chain(others).collect();
        assert_eq!(first(&all), Some(used), "the one that was used the longest ago");
        let all_connected: Vec<_> = sessions
            .iter()
            .zip(0..)
            .map(|(session, time)| at(*session, SessionStanding::Connected, 100 - time))
            .collect();
        assert_eq!(first(&all_connected), sessions.last().copied());
    }

    #[test]
    fn the_least_recently_used_session_is_closed_when_there_are_too_many() {
        let mut fixture = Fixture::new();
        let sessions: Vec<_> = (0..=SESSIONS_PER_USER).map(|_| fixture.logs_in(MESSI)).collect();
        assert_eq!(fixture.state.user(MESSI).unwrap().sessions, sessions[1..]);
    }
}
