//! Groups in the state.

use std::sync::Arc;

use crate::chat::model::group::Group;
use crate::chat::model::user::{Membership, PasswordHash, User};
use crate::chat::state::tables::State;
use crate::id::{GroupId, Seq, UserId};
use crate::name::Name;

impl State {
    /// The group of a number, deleted or not.
    #[must_use]
    pub fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(id.0 as usize)
    }

    /// The group of a name.
    #[must_use]
    pub fn group_named(&self, name: &Name) -> Option<(GroupId, &Group)> {
        let id = *self.group_names.get(&name.folded())?;
        Some((id, self.group(id)?))
    }

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
