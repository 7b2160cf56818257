//! The lists and profiles that the state answers at once (PROTOCOL §4, §7).

use serde::{Deserialize, Serialize};

use crate::chat::error::CommandError;
use crate::chat::model::message::UserRef;
use crate::chat::model::realm::{Realm, RealmKind};
use crate::chat::response::{Profile, RealmState, RealmStatus, Response, SessionStatus, Stats};
use crate::chat::rules::context::Context;
use crate::chat::state::State;
use crate::id::{RealmId, SessionId, UserId};
use crate::limits::LIST_NAMES;
use crate::name::Name;
use crate::time::Time;

/// State of this process that is not in the log: who is connected, and which links are up.
pub trait Process {
    fn is_online(&self, user: UserId) -> bool;
    /// When the user's last connection ended, since this process started.
    fn last_seen(&self, user: UserId) -> Option<Time>;
    /// When the user's session was used last, since this process started. One with a connection is used now.
    fn last_use(&self, user: UserId, session: SessionId, now: Time) -> Option<Time>;
    /// The first `limit` online users, in the order of coming online.
    fn online(&self, limit: usize) -> Vec<UserId>;
    /// The server's numbers that only the process knows; the others are 0.
    fn counts(&self) -> Stats;
    fn link_status(&self, realm: RealmId) -> LinkStatus;
}

/// The link to another server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkStatus {
    pub is_up: bool,
    /// Since when, if known.
    pub since: Option<Time>,
    /// The last failure, in a sentence for operators.
    pub problem: Option<Box<str>>,
}

pub(in crate::chat) fn whoami(
    state: &State,
    context: &Context<'_>,
    process: &impl Process,
) -> Result<Response, CommandError> {
    let (id, _) = context.active_user(state)?;
    let profile = profile(state, context, id, process).ok_or(CommandError::NoSession)?;
    Ok(Response::Whoami { profile, epoch: state.epoch() })
}

pub(in crate::chat) fn info(
    state: &State,
    context: &Context<'_>,
    name: &Name,
    process: &impl Process,
) -> Result<Response, CommandError> {
    let (id, _) = state.user_named(name).ok_or(CommandError::UserNotFound)?;
    profile(state, context, id, process).map(Response::Info).ok_or(CommandError::UserNotFound)
}

fn profile(state: &State, context: &Context<'_>, id: UserId, process: &impl Process) -> Option<Profile> {
    let user = state.user(id)?;
    let online = process.is_online(id);
    let last_seen = if online { Some(context.now) } else { process.last_seen(id).max(user.seen) };
    Some(Profile {
        user: user.name.clone(),
        full_name: user.full_name.clone(),
        country: user.country.clone(),
        realm: state.home()?.clone(),
        online,
        last_seen,
    })
}

pub(in crate::chat) fn online(state: &State, process: &impl Process) -> Response {
    let name = |id: UserId| Some(state.user(id)?.name.clone());
    Response::Online(process.online(LIST_NAMES).into_iter().filter_map(name).collect())
}

pub(in crate::chat) fn groups(state: &State, context: &Context<'_>) -> Result<Response, CommandError> {
    let (_, user) = context.active_user(state)?;
    Ok(Response::Groups(state.groups_of(user).map(|(_, group)| group.name.clone()).collect()))
}

pub(in crate::chat) fn members(state: &State, context: &Context<'_>, name: &Name) -> Result<Response, CommandError> {
    let (id, group) = state.group_named(name).ok_or(CommandError::GroupNotFound)?;
    let (_, user) = context.active_user(state)?;
    if !user.is_member(id) {
        return Err(CommandError::NotMember);
    }
    let members = group.members.iter().take(LIST_NAMES);
    let names = members.filter_map(|member| Some(state.user(*member)?.name.clone())).collect();
    let owner = state.user(group.owner).map(|owner| owner.name.clone());
    Ok(Response::Members { names, owner })
}

pub(in crate::chat) fn blocks(state: &State, context: &Context<'_>) -> Result<Response, CommandError> {
    let (_, user) = context.active_user(state)?;
    Ok(Response::Blocks(user.blocks.iter().filter_map(|blocked| address(state, blocked)).collect()))
}

/// `USER`, or `USER@REALM`.
fn address(state: &State, user: &UserRef) -> Option<Box<str>> {
    Some(match user {
        UserRef::Local(user) => state.user(*user)?.name.as_str().into(),
        UserRef::Remote(realm, name) => format!("{name}@{}", state.realm(*realm)?.name).into(),
    })
}

pub(in crate::chat) fn sessions(
    state: &State,
    context: &Context<'_>,
    process: &impl Process,
) -> Result<Response, CommandError> {
    let (user_id, user) = context.active_user(state)?;
    let status = |id: &SessionId| {
        let session = state.session(*id)?;
        Some(SessionStatus {
            id: *id,
            opened: session.opened,
            used: process.last_use(user_id, *id, context.now).map_or(session.used, |known| known.max(session.used)),
            origin: session.origin,
            current: Some(*id) == context.session,
        })
    };
    Ok(Response::Sessions(user.sessions.iter().filter_map(status).collect()))
}

pub(in crate::chat) fn realms(state: &State, now: Time, process: &impl Process) -> Response {
    Response::Realms(state.realms().filter_map(|(id, realm)| realm_status(realm, id, now, process)).collect())
}

fn realm_status(realm: &Realm, id: RealmId, now: Time, process: &impl Process) -> Option<RealmStatus> {
    let own = RealmStatus {
        name: realm.name.clone(),
        state: if id == RealmId::HOME { RealmState::Home } else { RealmState::Name },
        since: None,
        queued: 0,
        waiting: None,
        key: None,
        address: None,
        problem: None,
    };
    let peer = match &realm.kind {
        RealmKind::Own => return Some(own),
        RealmKind::Peer(peer) => peer,
        RealmKind::Alias | RealmKind::Removed(_) => return None,
    };
    let link = process.link_status(id);
    Some(RealmStatus {
        state: if link.is_up { RealmState::Up } else { RealmState::Down },
        since: link.since,
        queued: peer.queue.len(),
        waiting: peer.queue.oldest().map(|oldest| now.since(oldest.time)),
        key: peer.info.key,
        address: peer.info.address.clone(),
        problem: link.problem,
        ..own
    })
}
