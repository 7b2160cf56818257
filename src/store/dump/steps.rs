//! The order of an export: what happened to accounts and groups, each at its log entry.

use std::collections::{HashMap, HashSet};

use crate::chat::{ConversationId, Snapshot, User};
use crate::id::{GroupId, Seq, UserId};

/// A line that is not a message. In this order if they stand at the same log entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Registered(UserId),
    Deleted(GroupId),
    Created(GroupId, UserId),
    Joined(GroupId, UserId),
    Left(GroupId, UserId),
    Read(UserId),
    Marked(UserId, ConversationId),
}

/// All steps, each with its log entry. Messages with earlier entries are written before a step.
pub(super) fn steps(snapshot: &Snapshot) -> Vec<(Seq, Step)> {
    let begun = beginnings(snapshot);
    let mut steps = deletions(snapshot, &begun);
    for (user, id) in snapshot.users.iter().zip((0..).map(UserId)) {
        steps.push((user.registered, Step::Registered(id)));
        if user.cursor > user.registered && !user.unregistered {
            steps.push((user.cursor, Step::Read(id)));
        }
        steps.extend(marks(snapshot, id, user).map(|(at, conversation)| (at, Step::Marked(id, conversation))));
        for membership in &user.memberships {
            let group = membership.group;
            let is_first = begun.get(&group) == Some(&membership.joined);
            let joined = if is_first { Step::Created(group, id) } else { Step::Joined(group, id) };
            steps.push((membership.joined, joined));
            steps.extend(membership.left.map(|left| (left, Step::Left(group, id))));
        }
    }
    steps.sort_unstable();
    steps
}

/// The read marks of a user that the inbox cursor does not make superfluous, each after what it names. Of groups those that
/// the user is in: others may have given their name to another one.
fn marks<'a>(
    snapshot: &'a Snapshot,
    id: UserId,
    user: &'a User,
) -> impl Iterator<Item = (Seq, ConversationId)> + use<'a> {
    let marks = snapshot.marks.get(&id).into_iter().flatten();
    let marks = marks.filter(|mark| mark.upto > user.cursor && !user.unregistered);
    marks.filter_map(move |mark| {
        let known = match mark.conversation {
            ConversationId::User(UserId(other)) => snapshot.users.get(other as usize)?.registered,
            ConversationId::Group(group) => {
                let mut memberships = user.memberships.iter().filter(|it| it.left.is_none());
                let membership = memberships.find(|it| it.group == group)?;
                snapshot.groups.get(&group).filter(|group| !group.deleted)?;
                membership.joined
            }
            _ => user.registered,
        };
        Some((mark.upto.max(known).max(user.registered), mark.conversation))
    })
}

/// The log entry with which the first member of each group joined: that one made the group.
fn beginnings(snapshot: &Snapshot) -> HashMap<GroupId, Seq> {
    let mut begun = HashMap::with_capacity(snapshot.groups.len());
    for membership in snapshot.users.iter().flat_map(|user| &user.memberships) {
        let first = begun.entry(membership.group).or_insert(membership.joined);
        *first = membership.joined.min(*first);
    }
    begun
}

/// The ends of the groups that were deleted with members in them; otherwise the last one to leave ends a group. The log
/// entry of a deletion is not stored: it is taken to be the latest possible one, when the name is another group's.
fn deletions(snapshot: &Snapshot, begun: &HashMap<GroupId, Seq>) -> Vec<(Seq, Step)> {
    let memberships = snapshot.users.iter().flat_map(|user| &user.memberships);
    let with_members: HashSet<_> = memberships.filter(|it| it.left.is_none()).map(|it| it.group).collect();
    let mut groups: Vec<_> = snapshot.groups.iter().map(|(id, group)| (*id, group)).collect();
    groups.sort_unstable_by_key(|(id, _)| *id);
    let mut deletions = Vec::new();
    let mut next_of_name = HashMap::new();
    for (id, group) in groups.into_iter().rev() {
        let next = next_of_name.insert(group.name.folded(), begun.get(&id).copied()).flatten();
        if group.deleted && with_members.contains(&id) {
            deletions.push((next.unwrap_or(Seq(u64::MAX)), Step::Deleted(id)));
        }
    }
    deletions
}
