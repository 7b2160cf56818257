//! What may be told live beside messages, to those who asked for it (PROTOCOL §7).

use crate::chat::event::Event;
use crate::chat::state::{Audience, State};
use crate::id::{GroupId, Seq, UserId};
use crate::name::Name;

/// Something that happened, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notification {
    /// A user came online, or went.
    Presence {
        /// Who.
        user: Name,
        /// Came or went.
        online: bool,
    },
    /// Something changed in a group.
    Group {
        /// Which.
        group: Name,
        /// Whom it concerns; nobody in particular where the group has ended.
        user: Option<Name>,
        /// What.
        change: GroupChange,
    },
    /// The user's inbox cursor moved.
    Inbox {
        /// The inbox is read up to here.
        cursor: Seq,
    },
}

/// What changed in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupChange {
    /// A user joined.
    Joined,
    /// A user left.
    Left,
    /// The owner put a user out.
    Kicked,
    /// A user is the owner now.
    Owner,
    /// The group has ended.
    Deleted,
}

/// Which notices a connection asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Topics {
    /// Who comes and goes.
    pub presence: bool,
    /// What changes in the user's groups.
    pub group: bool,
    /// Where the user's inbox is read.
    pub inbox: bool,
}

impl Topics {
    /// Whether a notice was asked for.
    #[must_use]
    pub fn cover(self, notification: &Notification) -> bool {
        match notification {
            Notification::Presence { .. } => self.presence,
            Notification::Group { .. } => self.group,
            Notification::Inbox { .. } => self.inbox,
        }
    }
}

impl State {
    /// What is to be told of an event, and whom: of leaving, before it is applied; of all else, after.
    #[must_use]
    pub fn notification(&self, event: &Event) -> Option<(Notification, Audience)> {
        match event {
            Event::InboxRead { user, upto } => {
                Some((Notification::Inbox { cursor: *upto }, Audience::Pair(*user, *user)))
            }
            Event::GroupJoined { group, user } => self.group_notice(*group, Some(*user), GroupChange::Joined),
            Event::GroupHandedOver { group, owner } => self.group_notice(*group, Some(*owner), GroupChange::Owner),
            Event::GroupDeleted { group } => self.group_notice(*group, None, GroupChange::Deleted),
            Event::GroupLeft { group, user, by } => {
                let change = if user == by { GroupChange::Left } else { GroupChange::Kicked };
                self.group_notice(*group, Some(*user), change)
            }
            _ => None,
        }
    }

    fn group_notice(&self, id: GroupId, user: Option<UserId>, change: GroupChange) -> Option<(Notification, Audience)> {
        let group = self.group(id)?;
        let user = user.and_then(|user| self.user(user)).map(|user| user.name.clone());
        let notification = Notification::Group { group: group.name.clone(), user, change };
        Some((notification, Audience::Members(group.members.clone())))
    }
}

impl Event {
    /// Whether those who are to be told of the event are no longer there once it is applied.
    #[must_use]
    pub fn removes_recipients(&self) -> bool {
        matches!(self, Self::GroupLeft { .. } | Self::GroupDeleted { .. })
    }
}
