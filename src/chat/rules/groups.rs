//! Groups: created, joined, left, owned (PROTOCOL §4, §7).

use crate::chat::error::CommandError;
use crate::chat::event::Event;
use crate::chat::model::group::Group;
use crate::chat::model::user::{Membership, PasswordHash, User};
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
    if state.group_count() >= MAX_GROUPS {
        return Err(CommandError::GroupLimit);
    }
    let owned = state.groups_of(user).filter(|(_, group)| group.owner == owner).count();
    context.policy.quotas.check_groups(owned)?;
    let mut events = make_room(state, owner, user)?;
    let is_unused = |(_, newest): &(GroupId, &Group)| newest.deleted && newest.references == 0;
    // It was kept for its number alone, and is not the newest any more.
    events.extend(state.newest_group().filter(is_unused).map(|(group, _)| Event::GroupForgotten { group }));
    let group = state.next_group();
    events.push(Event::GroupCreated { group, name: name.clone(), owner, password: password.cloned() });
    events.push(Event::GroupJoined { group, user: owner });
    Ok(events)
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
    let mut events = make_room(state, id, user)?;
    events.push(Event::GroupJoined { group: group_id, user: id });
    Ok(events)
}

/// Makes room for one more membership: if there are as many as may be, the one that ended and is the oldest is forgotten.
fn make_room(state: &State, id: UserId, user: &User) -> Result<Vec<Event>, CommandError> {
    if user.memberships.len() < MAX_MEMBERSHIPS {
        return Ok(Vec::new());
    }
    let is_deleted = |group| state.group(group).is_none_or(|group| group.deleted);
    let ended = user.memberships.iter().filter(|membership| membership.left.is_some() || is_deleted(membership.group));
    let oldest = ended.min_by_key(|membership| membership.joined).ok_or(CommandError::MembershipLimit)?;
    let Membership { group, joined, .. } = *oldest;
    let is_last = state.group(group).is_some_and(|group| group.deleted && group.references == 1);
    let is_newest = state.newest_group().is_some_and(|(newest, _)| newest == group);
    let forgotten = Event::MembershipForgotten { user: id, group, joined };
    Ok(std::iter::once(forgotten).chain((is_last && !is_newest).then_some(Event::GroupForgotten { group })).collect())
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
    use crate::chat::rules::context::{Policy, Quotas};
    use crate::time::Time;

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

    fn create(number: usize) -> Command {
        Command::CreateGroup { name: name(&format!("g{number}")), password: None }
    }

    #[test]
    fn a_user_who_has_left_as_many_groups_as_may_be_can_join_another_one() {
        let mut fixture = Fixture::new();
        for _ in 0..2 * MAX_MEMBERSHIPS {
            fixture.does(PAFF, &leave());
            fixture.does(PAFF, &join(None));
        }
        let memberships = &fixture.state.user(PAFF).unwrap().memberships;
        assert_eq!(
            (memberships.len(), memberships.iter().filter(|one| one.left.is_none()).count()),
            (MAX_MEMBERSHIPS, 1)
        );
    }

    #[test]
    fn a_user_who_is_in_as_many_groups_as_may_be_can_join_none() {
        let mut fixture = Fixture::new();
        (1..MAX_MEMBERSHIPS).for_each(|number| drop(fixture.does(PAFF, &create(number))));
        fixture.refuses(PAFF, &create(0), CommandError::MembershipLimit);
        fixture.does(PAFF, &leave());
        fixture.does(PAFF, &create(0));
    }

    #[test]
    fn groups_that_are_made_and_deleted_for_ever_take_no_more_room() {
        let mut fixture = Fixture::new();
        for number in 0..3 * MAX_MEMBERSHIPS {
            fixture.does(PAFF, &create(number));
            fixture.does(PAFF, &Command::DeleteGroup { group: name(&format!("g{number}")) });
        }
        assert!(fixture.state.groups.len() <= MAX_MEMBERSHIPS + 1, "{}", fixture.state.groups.len());
        fixture.does(PAFF, &create(0));
        let (newest, _) = fixture.state.group_named(&name("g0")).unwrap();
        assert_eq!(newest, GroupId(3 * MAX_MEMBERSHIPS as u64 + 1), "no number is given twice");
    }

    #[test]
    fn a_user_may_own_only_so_many_groups() {
        let mut fixture = Fixture::new();
        let policy = Policy { quotas: Quotas { groups: Some(2), ..Quotas::default() }, ..Policy::default() };
        let context = Context { policy: &policy, ..Context::on_behalf_of(PAFF, Time(0)) };
        (0..2).for_each(|number| drop(fixture.does_in(&context, &create(number))));
        assert_eq!(fixture.decide_in(&context, &create(2)), Err(CommandError::GroupQuota(2)));
        fixture.does_in(&context, &Command::DeleteGroup { group: name("g0") });
        assert!(fixture.decide_in(&context, &create(2)).is_ok());
    }
}
