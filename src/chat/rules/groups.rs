//! Groups: created, joined, left, owned (PROTOCOL §4, §7).

use crate::chat::error::CommandError;
use crate::chat::event::Event;
use crate::chat::model::group::Group;
use crate::chat::model::user::{PasswordHash, User};
use crate::chat::rules::context::Context;
use crate::chat::state::State;
use crate::id::{GroupId, UserId};
use crate::limits::{MAX_GROUPS, MAX_MEMBERSHIPS};
use crate::name::Name;

pub(in crate::chat) fn create(
    state: &State,
    context: &Context<'_>,
    name: &Name,
    password: Option<&PasswordHash>,
) -> Result<Vec<Event>, CommandError> {
    let (owner, user) = context.active_user(state)?;
    if state.group_named(name).is_some() {
        return Err(CommandError::GroupExists);
    }
    if state.groups.len() >= MAX_GROUPS {
        return Err(CommandError::GroupLimit);
    }
    check_membership_limit(user)?;
    let group = GroupId(u32::try_from(state.groups.len()).map_err(|_| CommandError::GroupLimit)?);
    let created = Event::GroupCreated { group, name: name.clone(), owner, password: password.cloned() };
    Ok(vec![created, Event::GroupJoined { group, user: owner }])
}

pub(in crate::chat) fn join(
    state: &State,
    context: &Context<'_>,
    name: &Name,
    verified: Option<&PasswordHash>,
) -> Result<Vec<Event>, CommandError> {
    let (id, user) = context.active_user(state)?;
    let (group_id, group) = state.group_named(name).ok_or(CommandError::GroupNotFound)?;
    if user.is_member(group_id) {
        return Err(CommandError::AlreadyMember);
    }
    if group.password.is_some() && group.password.as_ref() != verified {
        return Err(CommandError::WrongPassword);
    }
    check_membership_limit(user)?;
    Ok(vec![Event::GroupJoined { group: group_id, user: id }])
}

fn check_membership_limit(user: &User) -> Result<(), CommandError> {
    if user.memberships.len() >= MAX_MEMBERSHIPS { Err(CommandError::MembershipLimit) } else { Ok(()) }
}

pub(in crate::chat) fn leave(state: &State, context: &Context<'_>, name: &Name) -> Result<Vec<Event>, CommandError> {
    let (id, user) = context.active_user(state)?;
    let (group_id, group) = state.group_named(name).ok_or(CommandError::GroupNotFound)?;
    if !user.is_member(group_id) {
        return Err(CommandError::NotMember);
    }
    Ok(leaving(group_id, group, id, id))
}

pub(in crate::chat) fn kick(
    state: &State,
    context: &Context<'_>,
    name: &Name,
    user: &Name,
) -> Result<Vec<Event>, CommandError> {
    let (group_id, group) = owned_group(state, context, name)?;
    let (kicked_id, kicked) = state.user_named(user).ok_or(CommandError::UserNotFound)?;
    if kicked_id == group.owner {
        return Err(CommandError::Oneself);
    }
    if !kicked.is_member(group_id) {
        return Err(CommandError::UserNotMember);
    }
    Ok(leaving(group_id, group, kicked_id, group.owner))
}

pub(in crate::chat) fn delete(state: &State, context: &Context<'_>, name: &Name) -> Result<Vec<Event>, CommandError> {
    let (group, _) = owned_group(state, context, name)?;
    Ok(vec![Event::GroupDeleted { group }])
}

pub(in crate::chat) fn change_password(
    state: &State,
    context: &Context<'_>,
    name: &Name,
    password: Option<&PasswordHash>,
) -> Result<Vec<Event>, CommandError> {
    let (group, _) = owned_group(state, context, name)?;
    Ok(vec![Event::GroupPasswordChanged { group, password: password.cloned() }])
}

/// The group, if the acting user owns it.
///
/// # Errors
/// `GroupNotFound`, `NotOwner`, or `NoSession` for a user who has unregistered.
pub fn owned_group<'a>(
    state: &'a State,
    context: &Context<'_>,
    name: &Name,
) -> Result<(GroupId, &'a Group), CommandError> {
    let (user, _) = context.active_user(state)?;
    let (id, group) = state.group_named(name).ok_or(CommandError::GroupNotFound)?;
    if group.owner == user { Ok((id, group)) } else { Err(CommandError::NotOwner) }
}

/// The events of a member's leaving: the owner's place goes to the longest-standing of the others, and a group without
/// members is deleted.
pub(super) fn leaving(group: GroupId, Group { owner, members, .. }: &Group, user: UserId, by: UserId) -> Vec<Event> {
    let left = Event::GroupLeft { group, user, by };
    match members.iter().find(|member| **member != user) {
        None => vec![left, Event::GroupDeleted { group }],
        Some(next) if *owner == user => vec![left, Event::GroupHandedOver { group, owner: *next }],
        Some(_) => vec![left],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::command::Command;
    use crate::chat::fixture::{Fixture, MESSI, NEKO, PAFF, hash, name};

    fn join(verified: Option<&str>) -> Command {
        Command::JoinGroup { group: name("fans"), verified: verified.map(hash) }
    }

    fn leave() -> Command {
        Command::LeaveGroup { group: name("fans") }
    }

    fn kick(user: &str) -> Command {
        Command::Kick { group: name("fans"), user: name(user) }
    }

    fn delete() -> Command {
        Command::DeleteGroup { group: name("fans") }
    }

    fn change_password(password: Option<&str>) -> Command {
        Command::ChangeGroupPassword { group: name("fans"), password: password.map(hash) }
    }

    #[test]
    fn a_group_goes_to_the_longest_standing_member_when_its_owner_leaves() {
        let mut fixture = Fixture::new();
        let (group, _) = fixture.state.group_named(&name("fans")).unwrap();
        let left = Event::GroupLeft { group, user: MESSI, by: MESSI };
        assert_eq!(fixture.does(MESSI, &leave()), [left, Event::GroupHandedOver { group, owner: PAFF }]);
        assert_eq!(fixture.members("fans"), [PAFF, NEKO]);
        fixture.does(PAFF, &kick("neko"));
    }

    #[test]
    fn a_member_who_comes_back_stands_last() {
        let mut fixture = Fixture::new();
        fixture.does(PAFF, &leave());
        fixture.does(PAFF, &join(None));
        fixture.does(MESSI, &leave());
        assert_eq!(fixture.members("fans"), [NEKO, PAFF]);
        fixture.refuses(PAFF, &kick("neko"), CommandError::NotOwner);
    }

    #[test]
    fn a_group_ends_with_its_last_member_and_frees_its_name() {
        let mut fixture = Fixture::new();
        for user in [MESSI, PAFF, NEKO] {
            fixture.does(user, &leave());
        }
        fixture.refuses(NEKO, &leave(), CommandError::GroupNotFound);
        fixture.does(PAFF, &Command::CreateGroup { name: name("Fans"), password: None });
        assert_eq!(fixture.members("fans"), [PAFF]);
        assert_eq!(fixture.state.group_named(&name("fans")).map(|(id, _)| id), Some(GroupId(1)));
    }

    #[test]
    fn a_deleted_group_has_no_members_and_is_in_no_list() {
        let mut fixture = Fixture::new();
        fixture.does(MESSI, &delete());
        for user in [MESSI, PAFF, NEKO] {
            fixture.refuses(user, &leave(), CommandError::GroupNotFound);
            assert_eq!(fixture.state.groups_of(fixture.state.user(user).unwrap()).count(), 0);
        }
    }

    #[test]
    fn only_the_owner_may_change_a_group() {
        let fixture = Fixture::new();
        for command in [kick("neko"), delete(), change_password(None)] {
            fixture.refuses(PAFF, &command, CommandError::NotOwner);
        }
    }

    #[test]
    fn only_other_members_can_be_kicked_and_only_members_can_leave() {
        let mut fixture = Fixture::new();
        fixture.does(PAFF, &leave());
        fixture.refuses(PAFF, &leave(), CommandError::NotMember);
        fixture.refuses(MESSI, &kick("paff"), CommandError::UserNotMember);
        fixture.refuses(MESSI, &kick("nobody"), CommandError::UserNotFound);
        fixture.refuses(MESSI, &kick("messi"), CommandError::Oneself);
    }

    #[test]
    fn a_changed_password_is_required_and_a_removed_one_is_not() {
        let mut fixture = Fixture::new();
        fixture.does(PAFF, &leave());
        fixture.does(MESSI, &change_password(Some("new")));
        fixture.refuses(PAFF, &join(None), CommandError::WrongPassword);
        fixture.refuses(PAFF, &join(Some("other")), CommandError::WrongPassword);
        assert!(fixture.decide(PAFF, &join(Some("new"))).is_ok());
        fixture.does(MESSI, &change_password(None));
        assert!(fixture.decide(PAFF, &join(None)).is_ok());
    }

    #[test]
    fn the_intervals_of_a_membership_are_bounded() {
        let mut fixture = Fixture::new();
        for _ in 1..MAX_MEMBERSHIPS {
            fixture.does(PAFF, &leave());
            fixture.does(PAFF, &join(None));
        }
        fixture.does(PAFF, &leave());
        fixture.refuses(PAFF, &join(None), CommandError::MembershipLimit);
    }
}
