//! Groups and membership (PROTOCOL §4).

use std::sync::Arc;

use crate::chat::accounts::{PasswordHash, User};
use crate::chat::event::Event;
use crate::chat::refusal::{Limit, Refusal};
use crate::chat::state::State;
use crate::id::{GroupId, Seq, UserId};
use crate::limits::{MAX_GROUPS, MAX_MEMBERSHIPS};
use crate::name::Name;

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// As created.
    pub name: Name,
    /// Who made it.
    pub owner: UserId,
    /// Of the password that joining asks for, if it does.
    pub password: Option<PasswordHash>,
    /// The members, in the order of joining. Shared, so that a push in flight keeps the audience of its moment.
    pub members: Arc<Vec<UserId>>,
    /// The newest entry of its timeline.
    pub last: Seq,
}

/// An interval in which a user was in a group. What came in it stays readable (PROTOCOL §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The group.
    pub group: GroupId,
    /// The log entry of joining: later messages are for the user.
    pub joined: Seq,
    /// The log entry of leaving; none while a member.
    pub left: Option<Seq>,
}

impl User {
    /// Whether the user is in the group now.
    #[must_use]
    pub fn is_member(&self, group: GroupId) -> bool {
        let end = self.memberships.partition_point(|membership| membership.group <= group);
        end.checked_sub(1)
            .and_then(|last| self.memberships.get(last))
            .is_some_and(|membership| membership.group == group && membership.left.is_none())
    }
}

pub(super) fn decide_create(
    state: &State,
    owner: UserId,
    name: &Name,
    password: Option<&PasswordHash>,
) -> Result<Vec<Event>, Refusal> {
    let user = state.user(owner).ok_or(Refusal::NoSession)?;
    if state.group_named(name).is_some() {
        return Err(Refusal::GroupExists);
    }
    if state.groups.len() >= MAX_GROUPS {
        return Err(Refusal::LimitReached(Limit::Groups));
    }
    room_for_one_more(user)?;
    let group = GroupId(u32::try_from(state.groups.len()).map_err(|_| Refusal::LimitReached(Limit::Groups))?);
    let created = Event::GroupCreated { group, name: name.clone(), owner, password: password.cloned() };
    Ok(vec![created, Event::GroupJoined { group, user: owner }])
}

pub(super) fn decide_join(
    state: &State,
    id: UserId,
    name: &Name,
    verified: Option<&PasswordHash>,
) -> Result<Vec<Event>, Refusal> {
    let user = state.user(id).ok_or(Refusal::NoSession)?;
    let (group_id, group) = state.group_named(name).ok_or(Refusal::GroupNotFound)?;
    if user.is_member(group_id) {
        return Err(Refusal::AlreadyMember);
    }
    if group.password.is_some() && group.password.as_ref() != verified {
        return Err(Refusal::WrongPassword);
    }
    room_for_one_more(user)?;
    Ok(vec![Event::GroupJoined { group: group_id, user: id }])
}

fn room_for_one_more(user: &User) -> Result<(), Refusal> {
    if user.memberships.len() >= MAX_MEMBERSHIPS {
        return Err(Refusal::LimitReached(Limit::Memberships));
    }
    Ok(())
}
