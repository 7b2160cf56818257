//! Lists for administrators (PROTOCOL §8).

use std::cmp::Reverse;

use crate::chat::error::CommandError;
use crate::chat::model::ban::{Ban, BanTarget, Invite};
use crate::chat::model::user::User;
use crate::chat::response::{BanStatus, InviteStatus, Response, Stats, UserStatus};
use crate::chat::rules::context::Context;
use crate::chat::state::State;
use crate::chat::views::lists::Process;
use crate::id::{Seq, UserId};
use crate::name::Name;

pub(in crate::chat) fn bans(
    state: &State,
    context: &Context<'_>,
    before: Option<Seq>,
    limit: usize,
) -> Result<Response, CommandError> {
    context.administrator(state)?;
    let is_shown = |ban: &Ban| !ban.is_over(context.paced) && before.is_none_or(|before| ban.id < before);
    let mut bans: Vec<_> = state.bans().iter().filter(|(_, ban)| is_shown(ban)).collect();
    bans.sort_unstable_by_key(|(_, ban)| Reverse(ban.id));
    let has_more = bans.len() > limit;
    bans.truncate(limit);
    let before = bans.last().map(|(_, ban)| ban.id).filter(|_| has_more);
    let bans = bans.into_iter().filter_map(|(target, ban)| ban_status(state, context, target, ban)).collect();
    Ok(Response::Bans { bans, before })
}

fn ban_status(state: &State, context: &Context<'_>, target: &BanTarget, ban: &Ban) -> Option<BanStatus> {
    let target = match target {
        BanTarget::User(user) => state.user(*user)?.name.to_string(),
        BanTarget::RemoteUser(realm, name) => format!("{name}@{}", state.realm(*realm)?.name),
        BanTarget::Network(network) => network.to_string(),
        BanTarget::Realm(realm) => format!("realm:{}", state.realm(*realm)?.name),
    };
    let Ban { id, by, since, until, reason } = ban.clone();
    let until = until.map(|until| context.shown_end(until));
    Some(BanStatus { id, target: target.into(), by: name_of(state, by), since, until, reason })
}

pub(in crate::chat) fn users(
    state: &State,
    context: &Context<'_>,
    (after, limit): (Option<&Name>, usize),
    process: &impl Process,
) -> Result<Response, CommandError> {
    context.administrator(state)?;
    let first = match after {
        Some(name) => state.name_owner(name).ok_or(CommandError::UserNotFound)?.0.0 + 1,
        None => 0,
    };
    let existing = state.users.iter().zip((0..).map(UserId)).skip(first as usize);
    let mut existing = existing.filter(|(user, _)| !user.unregistered);
    let users: Vec<_> =
        existing.by_ref().take(limit).map(|(user, id)| user_status(state, context, (id, user), process)).collect();
    let has_more = existing.next().is_some();
    let after = users.last().map(|last| last.user.clone()).filter(|_| has_more);
    Ok(Response::Users { users, after })
}

fn user_status(
    state: &State,
    context: &Context<'_>,
    (id, user): (UserId, &User),
    process: &impl Process,
) -> UserStatus {
    let online = process.is_online(id);
    UserStatus {
        user: user.name.clone(),
        full_name: user.full_name.clone(),
        online,
        sessions: user.sessions.len(),
        last_seen: if online { Some(context.now) } else { process.last_seen(id).max(user.seen) },
        is_administrator: context.policy.is_administrator(&user.name),
        is_locked: state.is_locked(id),
        is_banned: state.is_user_banned(id, context.paced),
    }
}

pub(in crate::chat) fn invites(state: &State, context: &Context<'_>) -> Result<Response, CommandError> {
    context.administrator(state)?;
    let good = state.invites().filter(|(_, invite)| invite.until > context.paced);
    Ok(Response::Invites(good.map(|(id, invite)| invite_status(state, context, id, invite)).collect()))
}

/// An invite as lists and replies show it.
#[must_use]
pub fn invite_status(state: &State, context: &Context<'_>, id: Seq, invite: &Invite) -> InviteStatus {
    let until = context.shown_end(invite.until);
    InviteStatus { id, uses: invite.uses, until, by: name_of(state, invite.by) }
}

fn name_of(state: &State, user: Option<UserId>) -> Option<Name> {
    Some(state.user(user?)?.name.clone())
}

pub(in crate::chat) fn stats(
    state: &State,
    context: &Context<'_>,
    process: &impl Process,
) -> Result<Response, CommandError> {
    context.administrator(state)?;
    let counted = Stats {
        users: state.users.iter().filter(|user| !user.unregistered).count(),
        sessions: state.sessions.len(),
        groups: state.groups.values().filter(|group| !group.deleted).count(),
        peers: state.peers().count(),
        bans: state.bans().count(),
        locked: state.locked_count(),
        invites: state.invites.len(),
        head: state.head(),
        ..process.counts()
    };
    Ok(Response::Stats(Box::new(counted)))
}
