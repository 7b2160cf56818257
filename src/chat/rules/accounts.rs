//! Accounts: registering, renaming, changing the password, unregistering (PROTOCOL §3, §7).

use crate::chat::error::CommandError;
use crate::chat::event::Event;
use crate::chat::model::session::NewSession;
use crate::chat::model::user::PasswordHash;
use crate::chat::rules::context::Context;
use crate::chat::rules::{administration, groups, sessions};
use crate::chat::state::State;
use crate::id::{TokenHash, UserId};
use crate::limits::MAX_USERS;
use crate::name::Name;

/// The fields of a new account.
pub(in crate::chat) struct NewAccount<'a> {
    pub(in crate::chat) name: &'a Name,
    pub(in crate::chat) full_name: &'a str,
    pub(in crate::chat) country: &'a str,
    pub(in crate::chat) password: &'a PasswordHash,
    pub(in crate::chat) session: Option<NewSession>,
    pub(in crate::chat) invite: Option<&'a TokenHash>,
}

pub(in crate::chat) fn register(
    state: &State,
    context: &Context<'_>,
    account: &NewAccount<'_>,
) -> Result<Vec<Event>, CommandError> {
    if state.name_owner(account.name).is_some() {
        return Err(CommandError::UserExists);
    }
    if state.users.len() >= MAX_USERS {
        return Err(CommandError::UserLimit);
    }
    let user = UserId(state.users.len() as u64);
    let invited = administration::use_invite(state, context.paced, account.invite, user)?;
    let registered = Event::UserRegistered {
        user,
        name: account.name.clone(),
        full_name: account.full_name.into(),
        country: account.country.into(),
        password: account.password.clone(),
    };
    let opened = account.session.map(|session| sessions::opened(user, session));
    Ok(std::iter::once(registered).chain(invited).chain(opened).collect())
}

pub(in crate::chat) fn set_name(
    state: &State,
    context: &Context<'_>,
    full_name: &str,
) -> Result<Vec<Event>, CommandError> {
    let (user, account) = context.active_user(state)?;
    if *account.full_name == *full_name {
        return Ok(Vec::new());
    }
    Ok(vec![Event::UserRenamed { user, full_name: full_name.into() }])
}

/// Ends all other sessions, too.
pub(in crate::chat) fn change_password(
    state: &State,
    context: &Context<'_>,
    verified: &PasswordHash,
    password: &PasswordHash,
) -> Result<Vec<Event>, CommandError> {
    let (id, user) = context.active_user(state)?;
    user.check_password(verified)?;
    let changed = Event::PasswordChanged { user: id, password: password.clone() };
    let others = user.sessions.iter().copied().filter(|session| Some(*session) != context.session);
    Ok(std::iter::once(changed).chain(others.map(|session| Event::SessionClosed { session })).collect())
}

pub(in crate::chat) fn unregister(
    state: &State,
    context: &Context<'_>,
    verified: &PasswordHash,
) -> Result<Vec<Event>, CommandError> {
    let (id, user) = context.active_user(state)?;
    user.check_password(verified)?;
    let mut events: Vec<_> =
        state.groups_of(user).flat_map(|(group_id, group)| groups::leaving(group_id, group, id, id)).collect();
    events.extend(user.sessions.iter().map(|session| Event::SessionClosed { session: *session }));
    events.push(Event::UserUnregistered { user: id });
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::command::Command;
    use crate::chat::fixture::{Fixture, MESSI, NEKO, PAFF, address, hash, name};
    use crate::id::{Seq, SessionId};
    use crate::time::Time;

    fn of_session(session: SessionId) -> Context<'static> {
        Context { session: Some(session), ..Context::on_behalf_of(MESSI, Time(0)) }
    }

    fn change_password(verified: &str) -> Command {
        Command::ChangePassword { verified: hash(verified), password: hash("new") }
    }

    fn unregister(verified: &str) -> Command {
        Command::Unregister { verified: hash(verified) }
    }

    fn set_name(full_name: &str) -> Command {
        Command::SetName { full_name: full_name.into() }
    }

    /// The sender's and the recipient's full names in a message that messi sends to paff.
    fn shown_names(fixture: &Fixture) -> (String, String) {
        let events = fixture.decide(MESSI, &Command::SendDirect { to: address("paff"), text: "halo".into() }).unwrap();
        let [Event::MessageSent(message)] = &events[..] else { panic!("not one message: {events:?}") };
        let fields = message.body.fields().unwrap();
        (fields.msg_from.into_owned(), fields.msg_to.into_owned())
    }

    #[test]
    fn a_new_full_name_shows_in_later_messages() {
        let mut fixture = Fixture::new();
        assert_eq!(shown_names(&fixture), ("messi".to_owned(), "paff".to_owned()));
        let renamed = Event::UserRenamed { user: MESSI, full_name: "Leo".into() };
        assert_eq!(fixture.does(MESSI, &set_name("Leo")), [renamed]);
        fixture.does(PAFF, &set_name("Paff Tutu"));
        assert_eq!(shown_names(&fixture), ("Leo".to_owned(), "Paff Tutu".to_owned()));
        fixture.does(MESSI, &set_name(""));
        assert_eq!(shown_names(&fixture).0, "messi", "without a full name the name is shown");
        assert_eq!(fixture.state.user_named(&name("messi")).map(|(id, _)| id), Some(MESSI));
    }

    #[test]
    fn the_same_full_name_again_changes_nothing() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.decide(MESSI, &set_name("")), Ok(vec![]));
        fixture.does(MESSI, &set_name("Leo"));
        assert_eq!(fixture.decide(MESSI, &set_name("Leo")), Ok(vec![]));
        assert_eq!(fixture.decide(MESSI, &set_name("leo")).unwrap().len(), 1);
    }

    #[test]
    fn a_changed_password_ends_all_sessions_except_the_one_that_changed_it() {
        let mut fixture = Fixture::new();
        let [_first, stays, _last] = [(); 3].map(|()| fixture.logs_in(MESSI));
        let other = fixture.logs_in(PAFF);
        let context = of_session(stays);
        fixture.does_in(&context, &change_password("old"));
        assert_eq!(fixture.state.user(MESSI).unwrap().sessions, [stays]);
        assert!(fixture.state.session(other).is_some());
        assert_eq!(fixture.decide_in(&context, &change_password("old")), Err(CommandError::WrongPassword));
        assert!(fixture.decide_in(&context, &change_password("new")).is_ok());
    }

    #[test]
    fn a_user_who_unregisters_leaves_everything_and_keeps_the_name() {
        let mut fixture = Fixture::new();
        let session = fixture.logs_in(MESSI);
        fixture.does(MESSI, &Command::CreateGroup { name: name("alone"), password: None });
        fixture.refuses(MESSI, &unregister("wrong"), CommandError::WrongPassword);
        fixture.does(MESSI, &unregister("old"));
        assert!(fixture.state.session(session).is_none());
        assert_eq!(fixture.members("fans"), [PAFF, NEKO]);
        assert_eq!(fixture.state.group_named(&name("fans")).map(|(_, group)| group.owner), Some(PAFF));
        assert!(fixture.state.group_named(&name("alone")).is_none());
        assert!(fixture.state.user_named(&name("messi")).is_none());
        assert_eq!(fixture.state.name_owner(&name("messi")).map(|(id, _)| id), Some(MESSI));
    }

    #[test]
    fn an_unregistered_user_can_do_nothing_and_is_not_found() {
        let mut fixture = Fixture::new();
        fixture.does(MESSI, &unregister("old"));
        for (user, command, error) in [
            (MESSI, Command::Broadcast { text: "halo".into() }, CommandError::NoSession),
            (MESSI, Command::CreateGroup { name: name("g1"), password: None }, CommandError::NoSession),
            (MESSI, Command::JoinGroup { group: name("fans"), verified: None }, CommandError::NoSession),
            (MESSI, Command::ReadInbox { from: Seq(1), upto: Seq(2) }, CommandError::NoSession),
            (MESSI, set_name("Leo"), CommandError::NoSession),
            (MESSI, unregister("old"), CommandError::NoSession),
            (PAFF, Command::SendDirect { to: address("messi"), text: "halo".into() }, CommandError::UserNotFound),
        ] {
            fixture.refuses(user, &command, error);
        }
        let register_again = Command::Register {
            name: name("Messi"),
            full_name: "".into(),
            country: "".into(),
            password: hash("x"),
            session: None,
            invite: None,
        };
        fixture.server_refuses(&register_again, CommandError::UserExists);
    }
}
