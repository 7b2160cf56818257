//! Live notifications beside messages, for connections that subscribed to their topic (PROTOCOL §7).

use serde::Serialize;

use crate::chat::event::Event;
use crate::chat::state::State;
use crate::chat::views::recipients::Audience;
use crate::id::{GroupId, Seq, UserId};
use crate::name::Name;

/// A notification. Serialised, it is the event object of the wire: `{"event":TOPIC,"data":{…}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", content = "data", rename_all = "lowercase")]
pub enum Notification {
    /// A user came online, or went.
    Presence { user: Name, online: bool },
    Group {
        group: Name,
        #[serde(flatten)]
        change: GroupChange,
        /// The user concerned; `None` if the group was deleted.
        user: Option<Name>,
    },
    /// The user's inbox cursor moved here.
    Inbox { cursor: Seq },
    /// A conversation of the user is read up to here.
    Read { conversation: Box<str>, mark: Seq },
}

/// A change in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "lowercase")]
pub enum GroupChange {
    Joined,
    Left,
    Kicked,
    /// The user is the owner now.
    Owner,
    Deleted,
    /// The user has another full name.
    Renamed {
        full_name: Box<str>,
    },
}

/// The topics that a connection subscribed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Topics {
    /// Users come online and go.
    pub presence: bool,
    /// Changes in the user's groups.
    pub group: bool,
    /// Moves of the user's inbox cursor.
    pub inbox: bool,
    /// Moves of the user's read marks.
    pub read: bool,
}

impl Topics {
    #[must_use]
    pub fn cover(self, notification: &Notification) -> bool {
        match notification {
            Notification::Presence { .. } => self.presence,
            Notification::Group { .. } => self.group,
            Notification::Inbox { .. } => self.inbox,
            Notification::Read { .. } => self.read,
        }
    }
}

impl State {
    /// The notifications of an event with their recipients: for events that remove recipients from the state as it was
    /// before, for all others from the state after it.
    #[must_use]
    pub fn notifications(&self, event: &Event) -> Vec<(Notification, Audience)> {
        let notification = match event {
            Event::InboxRead { user, upto } => {
                Some((Notification::Inbox { cursor: *upto }, Audience::Pair(*user, *user)))
            }
            Event::ReadMarked { user, conversation, upto } => self.conversation_names(conversation).map(|(name, _)| {
                (Notification::Read { conversation: name, mark: *upto }, Audience::Pair(*user, *user))
            }),
            Event::GroupJoined { group, user } => self.group_changed(*group, Some(*user), GroupChange::Joined),
            Event::GroupHandedOver { group, owner } => self.group_changed(*group, Some(*owner), GroupChange::Owner),
            Event::GroupDeleted { group } => self.group_changed(*group, None, GroupChange::Deleted),
            Event::GroupLeft { group, user, by } => {
                let change = if user == by { GroupChange::Left } else { GroupChange::Kicked };
                self.group_changed(*group, Some(*user), change)
            }
            Event::UserRenamed { user, full_name } => return self.renamed(*user, full_name),
            _ => None,
        };
        notification.into_iter().collect()
    }

    fn renamed(&self, id: UserId, full_name: &str) -> Vec<(Notification, Audience)> {
        let groups = self.user(id).into_iter().flat_map(|user| self.groups_of(user));
        let renamed = || GroupChange::Renamed { full_name: full_name.into() };
        groups.filter_map(|(group, _)| self.group_changed(group, Some(id), renamed())).collect()
    }

    fn group_changed(
        &self,
        id: GroupId,
        user: Option<UserId>,
        change: GroupChange,
    ) -> Option<(Notification, Audience)> {
        let group = self.group(id)?;
        let user = user.and_then(|user| self.user(user)).map(|user| user.name.clone());
        let notification = Notification::Group { group: group.name.clone(), change, user };
        Some((notification, Audience::Members(group.members.clone())))
    }
}

impl Event {
    /// Whether the event removes some of its own recipients: they are found before it is applied.
    #[must_use]
    pub fn removes_recipients(&self) -> bool {
        matches!(self, Self::GroupLeft { .. } | Self::GroupDeleted { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::command::Command;
    use crate::chat::fixture::{Fixture, MESSI, NEKO, PAFF, name};

    fn members(audience: &Audience) -> Vec<UserId> {
        match audience {
            Audience::Members(members) => members.to_vec(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_new_full_name_is_notified_once_in_each_group_of_the_user() {
        let mut fixture = Fixture::new();
        fixture.does(PAFF, &Command::CreateGroup { name: name("duo"), password: None });
        fixture.does(MESSI, &Command::JoinGroup { group: name("duo"), verified: None });
        fixture.does(NEKO, &Command::CreateGroup { name: name("others"), password: None });
        for (group, user) in [("left", PAFF), ("deleted", MESSI)] {
            fixture.does(user, &Command::CreateGroup { name: name(group), password: None });
        }
        fixture.does(MESSI, &Command::JoinGroup { group: name("left"), verified: None });
        fixture.does(MESSI, &Command::LeaveGroup { group: name("left") });
        fixture.does(MESSI, &Command::DeleteGroup { group: name("deleted") });
        let events = fixture.does(MESSI, &Command::SetName { full_name: "Leo".into() });
        let [event] = &events[..] else { panic!("not one event: {events:?}") };
        assert!(!event.removes_recipients());
        let notifications = fixture.state.notifications(event);
        let renamed = |group: &str| Notification::Group {
            group: name(group),
            change: GroupChange::Renamed { full_name: "Leo".into() },
            user: Some(name("messi")),
        };
        let notified: Vec<_> = notifications.iter().map(|(notified, audience)| (notified, members(audience))).collect();
        let expected = [(&renamed("fans"), vec![MESSI, PAFF, NEKO]), (&renamed("duo"), vec![PAFF, MESSI])];
        assert_eq!(notified, expected);
    }

    #[test]
    fn a_new_full_name_of_a_user_without_groups_is_not_notified() {
        let mut fixture = Fixture::new();
        fixture.does(NEKO, &Command::LeaveGroup { group: name("fans") });
        let events = fixture.does(NEKO, &Command::SetName { full_name: "Neko".into() });
        assert_eq!(fixture.state.notifications(&events[0]), []);
    }

    #[test]
    fn a_group_notification_serialises_as_the_event_object() {
        let renamed = GroupChange::Renamed { full_name: "Leo".into() };
        for (change, user, data) in [
            (GroupChange::Joined, Some("paff"), r#""change":"joined","user":"paff""#),
            (GroupChange::Left, Some("paff"), r#""change":"left","user":"paff""#),
            (GroupChange::Kicked, Some("paff"), r#""change":"kicked","user":"paff""#),
            (GroupChange::Owner, Some("paff"), r#""change":"owner","user":"paff""#),
            (GroupChange::Deleted, None, r#""change":"deleted","user":null"#),
            (renamed, Some("messi"), r#""change":"renamed","full_name":"Leo","user":"messi""#),
        ] {
            let notification = Notification::Group { group: name("fans"), change, user: user.map(name) };
            let expected = format!(r#"{{"event":"group","data":{{"group":"fans",{data}}}}}"#);
            assert_eq!(serde_json::to_string(&notification).unwrap(), expected);
        }
    }
}
