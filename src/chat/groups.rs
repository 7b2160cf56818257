//! Groups and membership (PROTOCOL §4, §7).

use std::sync::Arc;

use crate::chat::accounts::{PasswordHash, User};
use crate::chat::error::{CommandError, Limit};
use crate::chat::event::Event;
use crate::chat::state::State;
use crate::id::{GroupId, Seq, UserId};
use crate::limits::{MAX_GROUPS, MAX_MEMBERSHIPS};
use crate::name::Name;

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// As created.
    pub name: Name,
    /// The member who may change it: who made it, or the longest-standing one after that one had left.
    pub owner: UserId,
    /// Of the password that joining asks for, if it does.
    pub password: Option<PasswordHash>,
    /// The members, in the order of joining. Shared, so that a push in flight keeps the audience of its moment.
    pub members: Arc<Vec<UserId>>,
    /// The newest entry of its timeline.
    pub last: Seq,
    /// It came to its end. Its name may be another group's by now; what was said in it stays readable.
    pub deleted: bool,
}

/// An interval in which a user was in a group. What came in it stays readable (PROTOCOL §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The group.
    pub group: GroupId,
    /// The log entry of joining: later messages are for the user.
    pub joined: Seq,
    /// The log entry of leaving; none while a member, and where the group was deleted.
    pub left: Option<Seq>,
}

impl User {
    /// Whether the user is in the group now, provided it was not deleted.
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
) -> Result<Vec<Event>, CommandError> {
    let user = state.active_user(owner)?;
    if state.group_named(name).is_some() {
        return Err(CommandError::GroupExists);
    }
    if state.groups.len() >= MAX_GROUPS {
        return Err(CommandError::LimitReached(Limit::Groups));
    }
    room_for_one_more(user)?;
    let group = GroupId(u32::try_from(state.groups.len()).map_err(|_| CommandError::LimitReached(Limit::Groups))?);
    let created = Event::GroupCreated { group, name: name.clone(), owner, password: password.cloned() };
    Ok(vec![created, Event::GroupJoined { group, user: owner }])
}

pub(super) fn decide_join(
    state: &State,
    id: UserId,
    name: &Name,
    verified: Option<&PasswordHash>,
) -> Result<Vec<Event>, CommandError> {
    let user = state.active_user(id)?;
    let (group_id, group) = state.group_named(name).ok_or(CommandError::GroupNotFound)?;
    if user.is_member(group_id) {
        return Err(CommandError::AlreadyMember);
    }
    if group.password.is_some() && group.password.as_ref() != verified {
        return Err(CommandError::WrongPassword);
    }
    room_for_one_more(user)?;
    Ok(vec![Event::GroupJoined { group: group_id, user: id }])
}

fn room_for_one_more(user: &User) -> Result<(), CommandError> {
    if user.memberships.len() >= MAX_MEMBERSHIPS {
        return Err(CommandError::LimitReached(Limit::Memberships));
    }
    Ok(())
}

pub(super) fn decide_leave(state: &State, id: UserId, name: &Name) -> Result<Vec<Event>, CommandError> {
    let user = state.active_user(id)?;
    let (group_id, group) = state.group_named(name).ok_or(CommandError::GroupNotFound)?;
    if !user.is_member(group_id) {
        return Err(CommandError::NotMember);
    }
    Ok(leaving(group_id, group, id, id))
}

pub(super) fn decide_kick(state: &State, owner: UserId, name: &Name, user: &Name) -> Result<Vec<Event>, CommandError> {
    let (group_id, group) = owned(state, owner, name)?;
    let (kicked_id, kicked) = state.user_named(user).ok_or(CommandError::UserNotFound)?;
    if kicked_id == owner {
        return Err(CommandError::Oneself);
    }
    if !kicked.is_member(group_id) {
        return Err(CommandError::UserNotMember);
    }
    Ok(leaving(group_id, group, kicked_id, owner))
}

pub(super) fn decide_delete(state: &State, owner: UserId, name: &Name) -> Result<Vec<Event>, CommandError> {
    let (group, _) = owned(state, owner, name)?;
    Ok(vec![Event::GroupDeleted { group }])
}

pub(super) fn decide_change_password(
    state: &State,
    owner: UserId,
    name: &Name,
    password: Option<&PasswordHash>,
) -> Result<Vec<Event>, CommandError> {
    let (group, _) = owned(state, owner, name)?;
    Ok(vec![Event::GroupPasswordChanged { group, password: password.cloned() }])
}

fn owned<'a>(state: &'a State, owner: UserId, name: &Name) -> Result<(GroupId, &'a Group), CommandError> {
    state.active_user(owner)?;
    let (id, group) = state.group_named(name).ok_or(CommandError::GroupNotFound)?;
    if group.owner == owner { Ok((id, group)) } else { Err(CommandError::NotOwner) }
}

/// What the leaving of a member comes to: the owner's place goes to the longest-standing of the others, and a group
/// without members ends.
pub(super) fn leaving(group: GroupId, Group { owner, members, .. }: &Group, user: UserId, by: UserId) -> Vec<Event> {
    let left = Event::GroupLeft { group, user, by };
    match members.iter().find(|member| **member != user) {
        None => vec![left, Event::GroupDeleted { group }],
        Some(next) if *owner == user => vec![left, Event::GroupHandedOver { group, owner: *next }],
        Some(_) => vec![left],
    }
}

impl State {
    /// The groups that the user is in, in the order of their creation.
    pub fn groups_of(&self, user: &User) -> impl Iterator<Item = (GroupId, &Group)> {
        let open = user.memberships.iter().filter(|membership| membership.left.is_none());
        let groups = open.filter_map(|membership| Some((membership.group, self.group(membership.group)?)));
        groups.filter(|(_, group)| !group.deleted)
    }

    pub(super) fn create_group(&mut self, id: GroupId, name: &Name, owner: UserId, password: Option<&PasswordHash>) {
        self.group_names.insert(name.folded(), id);
        self.groups.push(Group {
            name: name.clone(),
            owner,
            password: password.cloned(),
            members: Arc::default(),
            last: Seq(0),
            deleted: false,
        });
    }

    pub(super) fn join_group(&mut self, seq: Seq, id: GroupId, user: UserId) {
        self.change_group(id, |group| Arc::make_mut(&mut group.members).push(user));
        self.change_user(user, |user| {
            let place = user.memberships.partition_point(|membership| membership.group <= id);
            user.memberships.insert(place, Membership { group: id, joined: seq, left: None });
        });
    }

    pub(super) fn leave_group(&mut self, seq: Seq, id: GroupId, user: UserId) {
        self.change_group(id, |group| Arc::make_mut(&mut group.members).retain(|member| *member != user));
        self.change_user(user, |user| {
            let open = |membership: &&mut Membership| membership.group == id && membership.left.is_none();
            if let Some(membership) = user.memberships.iter_mut().find(open) {
                membership.left = Some(seq);
            }
        });
    }

    /// The memberships stay as they are, however many: nothing is said any more in a group that is deleted.
    pub(super) fn delete_group(&mut self, id: GroupId) {
        let Some(group) = self.groups.get_mut(id.0 as usize) else { return };
        group.deleted = true;
        group.members = Arc::default();
        self.group_names.remove(&group.name.folded());
    }

    pub(super) fn change_group(&mut self, id: GroupId, change: impl FnOnce(&mut Group)) {
        if let Some(group) = self.groups.get_mut(id.0 as usize) {
            change(group);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::command::Command;
    use crate::chat::fixture::{MESSI, NEKO, PAFF, World, hash, name};

    fn leave(user: UserId) -> Command {
        Command::LeaveGroup { user, group: name("fans") }
    }

    fn kick(owner: UserId, user: &str) -> Command {
        Command::Kick { owner, group: name("fans"), user: name(user) }
    }

    fn delete(owner: UserId) -> Command {
        Command::DeleteGroup { owner, group: name("fans") }
    }

    fn change_password(owner: UserId, password: Option<&str>) -> Command {
        Command::ChangeGroupPassword { owner, group: name("fans"), password: password.map(hash) }
    }

    #[test]
    fn a_group_goes_to_the_longest_standing_member_when_its_owner_leaves() {
        let mut world = World::new();
        let (group, _) = world.state.group_named(&name("fans")).unwrap();
        let left = Event::GroupLeft { group, user: MESSI, by: MESSI };
        assert_eq!(world.does(&leave(MESSI)), [left, Event::GroupHandedOver { group, owner: PAFF }]);
        assert_eq!(world.members("fans"), [PAFF, NEKO]);
        world.does(&kick(PAFF, "neko"));
    }

    #[test]
    fn a_member_who_comes_back_stands_last() {
        let mut world = World::new();
        world.does(&leave(PAFF));
        world.does(&Command::JoinGroup { user: PAFF, group: name("fans"), verified: None });
        world.does(&leave(MESSI));
        assert_eq!(world.members("fans"), [NEKO, PAFF]);
        world.refuses(&kick(PAFF, "neko"), CommandError::NotOwner);
    }

    #[test]
    fn a_group_ends_with_its_last_member_and_leaves_its_name_behind() {
        let mut world = World::new();
        for user in [MESSI, PAFF, NEKO] {
            world.does(&leave(user));
        }
        world.refuses(&leave(NEKO), CommandError::GroupNotFound);
        world.does(&Command::CreateGroup { owner: PAFF, name: name("Fans"), password: None });
        assert_eq!(world.members("fans"), [PAFF]);
        assert_eq!(world.state.group_named(&name("fans")).map(|(id, _)| id), Some(GroupId(1)));
    }

    #[test]
    fn a_deleted_group_has_no_members_and_is_nobodys_group() {
        let mut world = World::new();
        world.does(&delete(MESSI));
        for user in [MESSI, PAFF, NEKO] {
            world.refuses(&leave(user), CommandError::GroupNotFound);
            assert_eq!(world.state.groups_of(world.state.user(user).unwrap()).count(), 0);
        }
    }

    #[test]
    fn only_the_owner_may_change_a_group() {
        let world = World::new();
        for command in [kick(PAFF, "neko"), delete(PAFF), change_password(PAFF, None)] {
            world.refuses(&command, CommandError::NotOwner);
        }
    }

    #[test]
    fn nobody_can_be_put_out_who_is_not_in() {
        let mut world = World::new();
        world.does(&leave(PAFF));
        world.refuses(&leave(PAFF), CommandError::NotMember);
        world.refuses(&kick(MESSI, "paff"), CommandError::UserNotMember);
        world.refuses(&kick(MESSI, "nobody"), CommandError::UserNotFound);
        world.refuses(&kick(MESSI, "messi"), CommandError::Oneself);
    }

    #[test]
    fn a_changed_password_is_asked_for_and_a_dropped_one_is_not() {
        let mut world = World::new();
        world.does(&leave(PAFF));
        let join = |verified: Option<&str>| Command::JoinGroup {
            user: PAFF,
            group: name("fans"),
            verified: verified.map(hash),
        };
        world.does(&change_password(MESSI, Some("new")));
        world.refuses(&join(None), CommandError::WrongPassword);
        world.refuses(&join(Some("other")), CommandError::WrongPassword);
        assert!(world.wants(&join(Some("new"))).is_ok());
        world.does(&change_password(MESSI, None));
        assert!(world.wants(&join(None)).is_ok());
    }

    #[test]
    fn the_intervals_of_a_membership_are_bounded() {
        let mut world = World::new();
        let join = Command::JoinGroup { user: PAFF, group: name("fans"), verified: None };
        for _ in 1..MAX_MEMBERSHIPS {
            world.does(&leave(PAFF));
            world.does(&join);
        }
        world.does(&leave(PAFF));
        world.refuses(&join, CommandError::LimitReached(Limit::Memberships));
    }
}
