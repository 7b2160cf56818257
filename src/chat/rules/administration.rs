//! Commands of administrators, and of the operator at the server's own machine (PROTOCOL §8).

use std::time::Duration;

use crate::chat::error::CommandError;
use crate::chat::event::Event;
use crate::chat::model::ban::{BanSubject, BanTarget};
use crate::chat::model::body::{BodyFields, EscapedText, Kind, MessageBody};
use crate::chat::model::message::{Author, Destination, Message};
use crate::chat::model::realm::Route;
use crate::chat::model::user::{PasswordHash, User};
use crate::chat::rules::context::Context;
use crate::chat::state::State;
use crate::id::{RealmId, Seq, TokenHash, UserId};
use crate::limits::{MAX_BANS, MAX_INVITES};
use crate::name::Name;
use crate::time::Time;

pub(in crate::chat) fn kick(state: &State, context: &Context<'_>, name: &Name) -> Result<Vec<Event>, CommandError> {
    context.administrator(state)?;
    let (_, user) = subordinate(state, context, name)?;
    Ok(closed_sessions(user).collect())
}

/// A ban, with its lifetime (`None` for ever).
pub(in crate::chat) struct NewBan<'a> {
    pub(in crate::chat) subject: &'a BanSubject,
    pub(in crate::chat) lifetime: Option<Duration>,
    pub(in crate::chat) reason: &'a str,
}

pub(in crate::chat) fn ban(state: &State, context: &Context<'_>, new: &NewBan<'_>) -> Result<Vec<Event>, CommandError> {
    let by = context.administrator(state)?;
    let target = target_of(state, new.subject)?;
    let user = match target {
        BanTarget::User(id) => Some(may_be_subject(state, context, id)?),
        _ => None,
    };
    let known = state.bans().get(&target);
    if known.is_none() && state.bans().count() >= MAX_BANS {
        return Err(CommandError::BanLimit);
    }
    let until = new.lifetime.map(|lifetime| context.paced.after(lifetime));
    if known.is_some_and(|ban| ban.until == until && *ban.reason == *new.reason) {
        return Ok(Vec::new());
    }
    let banned = Event::Banned { target, by, until, reason: new.reason.into() };
    Ok(std::iter::once(banned).chain(user.into_iter().flat_map(closed_sessions)).collect())
}

pub(in crate::chat) fn unban(
    state: &State,
    context: &Context<'_>,
    subject: &BanSubject,
) -> Result<Vec<Event>, CommandError> {
    context.administrator(state)?;
    lift(state, &target_of(state, subject)?)
}

/// Removes a ban, by an administrator or because it is over.
pub(in crate::chat) fn lift(state: &State, target: &BanTarget) -> Result<Vec<Event>, CommandError> {
    state.bans().get(target).ok_or(CommandError::BanNotFound)?;
    Ok(vec![Event::Unbanned { target: *target }])
}

pub(in crate::chat) fn lock(state: &State, context: &Context<'_>, name: &Name) -> Result<Vec<Event>, CommandError> {
    let by = context.administrator(state)?;
    let (id, user) = subordinate(state, context, name)?;
    if state.is_locked(id) {
        return Ok(Vec::new());
    }
    Ok(std::iter::once(Event::UserLocked { user: id, by }).chain(closed_sessions(user)).collect())
}

pub(in crate::chat) fn unlock(state: &State, context: &Context<'_>, name: &Name) -> Result<Vec<Event>, CommandError> {
    context.administrator(state)?;
    let (user, _) = state.user_named(name).ok_or(CommandError::UserNotFound)?;
    Ok(if state.is_locked(user) { vec![Event::UserUnlocked { user }] } else { Vec::new() })
}

/// Ends all sessions of the user, too.
pub(in crate::chat) fn set_password(
    state: &State,
    context: &Context<'_>,
    name: &Name,
    password: &PasswordHash,
) -> Result<Vec<Event>, CommandError> {
    context.administrator(state)?;
    let (id, user) = subordinate(state, context, name)?;
    let changed = Event::PasswordChanged { user: id, password: password.clone() };
    Ok(std::iter::once(changed).chain(closed_sessions(user)).collect())
}

/// A message of this server itself to all of its users.
pub(in crate::chat) fn wall(
    state: &State,
    context: &Context<'_>,
    text: &EscapedText,
) -> Result<Vec<Event>, CommandError> {
    context.administrator(state)?;
    let sender = format!("{}@{}", Name::SERVER, state.home().ok_or(CommandError::RealmNotFound)?);
    let (msg_from, from) = (&*sender, &*sender);
    let fields = BodyFields { msg_from, msg_to: "*", msg: text, from, to: "*", kind: Kind::Broadcast, realm: None };
    let body = MessageBody::compose(&fields);
    Ok(vec![Event::MessageSent(Message { from: Author::Server, to: Destination::Everyone, realm: None, body })])
}

pub(in crate::chat) fn invite(
    state: &State,
    context: &Context<'_>,
    (code, uses, lifetime): (TokenHash, u32, Duration),
) -> Result<Vec<Event>, CommandError> {
    let by = context.administrator(state)?;
    if state.invites.len() >= MAX_INVITES {
        return Err(CommandError::InviteLimit);
    }
    Ok(vec![Event::InviteMade { code, by, uses, until: context.paced.after(lifetime) }])
}

pub(in crate::chat) fn revoke_invite(
    state: &State,
    context: &Context<'_>,
    invite: Seq,
) -> Result<Vec<Event>, CommandError> {
    context.administrator(state)?;
    if !state.invites.contains_key(&invite) {
        return Err(CommandError::InviteNotFound);
    }
    Ok(vec![Event::InviteRevoked { invite }])
}

/// The use of an invite by a new user.
pub(super) fn use_invite(
    state: &State,
    now: Time,
    code: Option<&TokenHash>,
    user: UserId,
) -> Result<Option<Event>, CommandError> {
    let Some(code) = code else { return Ok(None) };
    let (invite, _) = state.invite_of(code, now).ok_or(CommandError::InviteNotFound)?;
    Ok(Some(Event::InviteUsed { invite, user }))
}

/// A user who is no administrator. Only the operator at the machine has power over those.
fn subordinate<'s>(state: &'s State, context: &Context<'_>, name: &Name) -> Result<(UserId, &'s User), CommandError> {
    let (id, _) = state.user_named(name).ok_or(CommandError::UserNotFound)?;
    Ok((id, may_be_subject(state, context, id)?))
}

fn may_be_subject<'s>(state: &'s State, context: &Context<'_>, id: UserId) -> Result<&'s User, CommandError> {
    let user = state.user(id).ok_or(CommandError::UserNotFound)?;
    if context.user == Some(id) {
        return Err(CommandError::Oneself);
    }
    if context.user.is_some() && context.policy.is_administrator(&user.name) {
        return Err(CommandError::OtherAdministrator);
    }
    Ok(user)
}

fn closed_sessions(user: &User) -> impl Iterator<Item = Event> {
    user.sessions.iter().map(|session| Event::SessionClosed { session: *session })
}

/// The target of a name. Users of other servers and unregistered ones are targets, too.
fn target_of(state: &State, subject: &BanSubject) -> Result<BanTarget, CommandError> {
    match subject {
        BanSubject::Network(network) => Ok(BanTarget::Network(*network)),
        BanSubject::User(address) => match state.route(address.realm.as_ref())? {
            Route::Local(_) => {
                let (id, _) = state.name_owner(&address.name).ok_or(CommandError::UserNotFound)?;
                Ok(BanTarget::User(id))
            }
            Route::Remote(realm, ..) => Ok(BanTarget::RemoteUser(realm, address.name.folded())),
        },
        BanSubject::Realm(name) => {
            let (id, realm) = state.realm_named(name).ok_or(CommandError::RealmNotFound)?;
            let is_other = id != RealmId::HOME && realm.peer().is_some();
            if is_other { Ok(BanTarget::Realm(id)) } else { Err(CommandError::RealmIsThisServer) }
        }
    }
}

#[cfg(test)]
mod tests;
