//! Recipients of a live push.

use std::sync::Arc;

use crate::chat::model::message::{Author, Destination, Message};
use crate::chat::state::State;
use crate::id::UserId;

/// Recipients of a live push, fixed when the message is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Recipient and sender of a direct message.
    Pair(UserId, UserId),
    /// The members of a group.
    Members(Arc<Vec<UserId>>),
    Everyone,
}

impl Audience {
    /// How many members of a group it is; none if it is no group's.
    #[must_use]
    pub fn members(&self) -> usize {
        match self {
            Self::Members(members) => members.len(),
            Self::Pair(..) | Self::Everyone => 0,
        }
    }
}

impl State {
    /// Recipients of a live push of the message.
    #[must_use]
    pub fn audience(&self, message: &Message) -> Audience {
        match (&message.to, &message.from) {
            (Destination::User(user), Author::Local(author)) => Audience::Pair(*user, *author),
            (Destination::User(user), Author::Remote(_) | Author::Server) => Audience::Pair(*user, *user),
            (Destination::Group(group), _) => {
                Audience::Members(self.group(*group).map(|g| g.members.clone()).unwrap_or_default())
            }
            (Destination::Everyone, _) => Audience::Everyone,
            (Destination::RemoteUser(_) | Destination::RemoteGroup(_), Author::Local(author)) => {
                Audience::Pair(*author, *author)
            }
            (Destination::RemoteUser(_) | Destination::RemoteGroup(_), Author::Remote(_) | Author::Server) => {
                Audience::Members(Arc::default())
            }
        }
    }

    /// Sorted ids of recipients who block the author, or `None` if nobody does.
    #[must_use]
    pub fn recipients_blocking(&self, message: &Message) -> Option<Arc<Vec<UserId>>> {
        match message.to {
            Destination::Group(_) | Destination::Everyone => self.blockers.get(&message.from.user_ref()?).cloned(),
            Destination::User(_) | Destination::RemoteUser(_) | Destination::RemoteGroup(_) => None,
        }
    }
}
