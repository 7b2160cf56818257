//! Moving cursors (PROTOCOL §4, §7).

use crate::chat::error::CommandError;
use crate::chat::event::Event;
use crate::chat::rules::context::Context;
use crate::chat::state::State;
use crate::id::{RealmId, Seq};

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
    upto: Seq,
) -> Result<Vec<Event>, CommandError> {
    let (_, user) = context.active_user(state)?;
    read_inbox(state, context, user.cursor, upto)
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
