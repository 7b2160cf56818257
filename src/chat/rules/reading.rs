//! Moving cursors (PROTOCOL §4, §7).

use crate::chat::error::CommandError;
use crate::chat::event::Event;
use crate::chat::model::position::Position;
use crate::chat::model::user::User;
use crate::chat::response::Response;
use crate::chat::rules::context::Context;
use crate::chat::state::State;
use crate::chat::views::history::Conversation;
use crate::id::{RealmId, Seq, UserId};
use crate::limits::{MARK_INTERVAL, MARKS_PER_USER};

/// Moves the inbox cursor over a page, from where it stood when the page was read.
pub(in crate::chat) fn read_inbox(
    state: &State,
    context: &Context<'_>,
    from: Seq,
    upto: Seq,
) -> Result<Vec<Event>, CommandError> {
    let (id, user) = context.active_user(state)?;
    if user.cursor != from {
        return Err(CommandError::CursorMoved);
    }
    let upto = user.merge_read_ranges(upto.min(state.head));
    if upto <= user.cursor {
        return Ok(Vec::new());
    }
    Ok(vec![Event::InboxRead { user: id, upto }])
}

pub(in crate::chat) fn acknowledge(
    state: &State,
    context: &Context<'_>,
    upto: Position,
) -> Result<Vec<Event>, CommandError> {
    let (_, user) = context.active_user(state)?;
    read_inbox(state, context, user.cursor, state.resume_point(upto)?.after)
}

/// Moves the read mark of a conversation forward. [`CommandError::CursorMoved`] if it was moved less than
/// [`MARK_INTERVAL`] ago.
pub(in crate::chat) fn mark_read(
    state: &State,
    context: &Context<'_>,
    conversation: &Conversation,
    upto: Position,
) -> Result<Vec<Event>, CommandError> {
    let (id, user) = context.active_user(state)?;
    let conversation = state.conversation(user, conversation)?;
    let upto = state.resume_point(upto)?.after;
    if upto <= state.conversation_read_upto(id, &conversation) {
        return Ok(Vec::new());
    }
    match state.read_mark(id, &conversation) {
        Some(mark) if context.now.since(mark.time) < MARK_INTERVAL => return Err(CommandError::CursorMoved),
        Some(_) => {}
        None if marks_past_the_cursor(state, id, user) >= MARKS_PER_USER => return Err(CommandError::MarkLimit),
        None => {}
    }
    Ok(vec![Event::ReadMarked { user: id, conversation, upto }])
}

fn marks_past_the_cursor(state: &State, id: UserId, user: &User) -> usize {
    state.read_marks(id).iter().filter(|mark| mark.upto > user.cursor).count()
}

/// How far the conversation is read now.
pub(in crate::chat) fn marked(state: &State, context: &Context<'_>, conversation: &Conversation) -> Response {
    let found = context.active_user(state).and_then(|(id, user)| Ok((id, state.conversation(user, conversation)?)));
    let names = found.ok().and_then(|(id, conversation)| {
        Some((state.conversation_names(&conversation)?.0, state.conversation_read_upto(id, &conversation)))
    });
    names.map_or(Response::Done, |(conversation, mark)| Response::MarkedRead { conversation, mark })
}

/// Records a range that was pushed to a text listener: live push counts as read there (PROTOCOL §4).
pub(in crate::chat) fn read_pushed(
    state: &State,
    context: &Context<'_>,
    after: Seq,
    upto: Seq,
) -> Result<Vec<Event>, CommandError> {
    let (id, user) = context.active_user(state)?;
    let upto = upto.min(state.head);
    if upto <= after.max(user.cursor) {
        return Ok(Vec::new());
    }
    if after <= user.cursor {
        return Ok(vec![Event::InboxRead { user: id, upto: user.merge_read_ranges(upto) }]);
    }
    let touching = user.read_ranges.iter().filter(|(start, end)| *start <= upto && *end >= after);
    let (after, upto) = touching.fold((after, upto), |(a, u), (start, end)| (a.min(*start), u.max(*end)));
    Ok(vec![Event::PushedRead { user: id, after, upto }])
}

/// Moves the cursor in the view of a realm, from where it stood when the page was read.
pub(in crate::chat) fn read_realm_inbox(
    state: &State,
    context: &Context<'_>,
    realm: RealmId,
    from: Seq,
    upto: Seq,
) -> Result<Vec<Event>, CommandError> {
    let (id, user) = context.active_user(state)?;
    if user.realm_cursor(realm) != from {
        return Err(CommandError::CursorMoved);
    }
    let upto = upto.min(state.head);
    if upto <= from {
        return Ok(Vec::new());
    }
    Ok(vec![Event::RealmInboxRead { user: id, realm, upto }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::command::{Command, decide};
    use crate::chat::fixture::{Fixture, MESSI, NEKO, PAFF, address, hash, name};
    use crate::time::Time;

    fn mark(conversation: &str, upto: Seq) -> Command {
        let conversation = match conversation.strip_prefix("group:") {
            Some(group) => Conversation::Group(address(group)),
            None => Conversation::User(address(conversation)),
        };
        Command::MarkRead { conversation, upto: upto.into() }
    }

    fn at(seconds: u64) -> Context<'static> {
        Context::on_behalf_of(PAFF, Time(1_000 * seconds))
    }

    fn marks(fixture: &Fixture) -> Vec<Seq> {
        fixture.state.read_marks(PAFF).iter().map(|mark| mark.upto).collect()
    }

    #[test]
    fn a_mark_goes_forward_only_and_never_past_the_newest_entry() {
        let mut fixture = Fixture::new();
        let first = fixture.sends(MESSI, "paff", "1");
        let second = fixture.sends(MESSI, "paff", "2");
        fixture.does_in(&at(0), &mark("messi", first));
        fixture.does_in(&at(10), &mark("messi", second.next()));
        assert_eq!(marks(&fixture), [second.next()], "the newest entry was the first mark itself");
        let too_far = mark("messi", Seq(1_000_000));
        assert_eq!(decide(&fixture.state, &at(20), &too_far).err(), Some(CommandError::UnknownId));
        assert_eq!(fixture.does_in(&at(20), &mark("messi", first)), []);
    }

    #[test]
    fn a_mark_waits_until_its_interval_is_over() {
        let mut fixture = Fixture::new();
        let first = fixture.sends(MESSI, "paff", "1");
        let second = fixture.sends(MESSI, "paff", "2");
        fixture.does_in(&at(0), &mark("messi", first));
        let too_soon = fixture.decide_in(&at(1), &mark("messi", second));
        assert_eq!(too_soon, Err(CommandError::CursorMoved));
        assert_eq!(fixture.does_in(&at(1), &mark("messi", first)), [], "nothing is to be stored");
        fixture.does_in(&at(1), &mark("group:fans", second));
        fixture.does_in(&at(2), &mark("messi", second));
        assert_eq!(marks(&fixture), [second, second]);
    }

    #[test]
    fn marks_behind_the_cursor_are_dropped_with_the_next_mark() {
        let mut fixture = Fixture::new();
        let first = fixture.sends(MESSI, "paff", "1");
        fixture.does(PAFF, &mark("messi", first));
        fixture.does(PAFF, &Command::Acknowledge { upto: first.into() });
        assert_eq!(fixture.does(PAFF, &mark("neko", first)), [], "read already");
        let second = fixture.sends(NEKO, "paff", "2");
        fixture.does(PAFF, &mark("neko", second));
        assert_eq!(marks(&fixture), [second]);
    }

    #[test]
    fn a_user_has_a_limited_number_of_marks() {
        let mut fixture = Fixture::new();
        let users = 3 + MARKS_PER_USER;
        for number in 3..users {
            let name = name(&format!("user{number}"));
            let (full_name, country, password) = ("".into(), "".into(), hash("old"));
            fixture.server_does(&Command::Register { name, full_name, country, password, session: None, invite: None });
        }
        let newest = fixture.state.head();
        (3..users).for_each(|number| drop(fixture.does(PAFF, &mark(&format!("user{number}"), newest))));
        fixture.refuses(PAFF, &mark("messi", newest), CommandError::MarkLimit);
        fixture.does(PAFF, &Command::Acknowledge { upto: newest.into() });
        let said = fixture.sends(MESSI, "paff", "1");
        fixture.does(PAFF, &mark("messi", said));
    }

    #[test]
    fn a_user_who_unregisters_leaves_no_mark() {
        let mut fixture = Fixture::new();
        let said = fixture.sends(MESSI, "paff", "1");
        fixture.does(PAFF, &mark("messi", said));
        fixture.does(PAFF, &Command::Unregister { verified: hash("old") });
        assert_eq!(marks(&fixture), []);
    }

    #[test]
    fn a_mark_of_nothing_that_can_be_read_is_refused() {
        let mut fixture = Fixture::new();
        fixture.does(MESSI, &Command::CreateGroup { name: name("alone"), password: None });
        for (conversation, error) in [
            ("nobody", CommandError::UserNotFound),
            ("group:nothing", CommandError::GroupNotFound),
            ("group:alone", CommandError::NotMember),
            ("bob@timur", CommandError::RealmNotFound),
        ] {
            fixture.refuses(PAFF, &mark(conversation, Seq(1)), error);
        }
    }
}
