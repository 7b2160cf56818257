//! Groups in the state.

use std::sync::Arc;

use crate::chat::model::group::Group;
use crate::chat::model::user::{Membership, PasswordHash, User};
use crate::chat::state::tables::State;
use crate::id::{GroupId, Seq, UserId};
use crate::name::Name;

impl State {
    /// The group of a number, deleted or not; `None` if it was forgotten.
    #[must_use]
    pub fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(&id)
    }

    /// The group of a name.
    #[must_use]
    pub fn group_named(&self, name: &Name) -> Option<(GroupId, &Group)> {
        let id = *self.group_names.get(&name.folded())?;
        Some((id, self.group(id)?))
    }

    /// How many groups there are, those left out that are deleted.
    #[must_use]
    pub fn group_count(&self) -> usize {
        self.group_names.len()
    }

    /// The number of the next group. The newest group is never forgotten, so that no number is given twice.
    pub(in crate::chat) fn next_group(&self) -> GroupId {
        self.next_group
    }

    /// The newest group.
    pub(in crate::chat) fn newest_group(&self) -> Option<(GroupId, &Group)> {
        let id = GroupId(self.next_group.0.checked_sub(1)?);
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
        let group = Group {
            name: name.clone(),
            owner,
            password: password.cloned(),
            members: Arc::default(),
            last: Seq(0),
            deleted: false,
            references: 0,
        };
        self.groups.insert(id, group);
        self.next_group = id.next();
    }

    pub(super) fn join_group(&mut self, seq: Seq, id: GroupId, user: UserId) {
        self.change_group(id, |group| {
            Arc::make_mut(&mut group.members).push(user);
            group.references += 1;
        });
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
        let Some(group) = self.groups.get_mut(&id) else { return };
        group.deleted = true;
        group.members = Arc::default();
        self.group_names.remove(&group.name.folded());
    }

    pub(super) fn forget_membership(&mut self, user: UserId, id: GroupId, joined: Seq) {
        self.change_group(id, |group| group.references = group.references.saturating_sub(1));
        self.change_user(user, |user| user.memberships.retain(|membership| membership.joined != joined));
    }

    pub(super) fn forget_group(&mut self, id: GroupId) {
        self.groups.remove(&id);
    }

    pub(super) fn change_group(&mut self, id: GroupId, change: impl FnOnce(&mut Group)) {
        if let Some(group) = self.groups.get_mut(&id) {
            change(group);
        }
    }
}
