//! A message: its author and its destination.

use serde::{Deserialize, Serialize};

use crate::chat::model::body::MessageBody;
use crate::id::{GroupId, RealmId, Seq, UserId};
use crate::name::{FoldedName, Name};
use crate::time::Time;

/// A message as decided and stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub from: Author,
    pub to: Destination,
    /// The other realm, if the message crossed realms (PROTOCOL §6).
    pub realm: Option<RealmId>,
    /// Stored behind the event.
    #[serde(skip)]
    pub body: MessageBody,
}

/// The sender of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Author {
    /// A user of this server.
    Local(UserId),
    /// A user of another realm.
    Remote(RemoteName),
    /// This server itself: `realm@HOME`.
    Server,
}

/// The recipients of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Destination {
    /// One user.
    User(UserId),
    /// The members of a group.
    Group(GroupId),
    /// All users of the server.
    Everyone,
    /// A user of another realm.
    RemoteUser(RemoteName),
    /// The members of a group of another realm.
    RemoteGroup(RemoteName),
}

/// A user or a group of another realm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteName {
    /// Which realm.
    pub realm: RealmId,
    /// The name there.
    pub name: Name,
}

/// A user of this server or of another realm. Ordered, local users first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UserRef {
    /// A user of this server.
    Local(UserId),
    /// A user of another realm.
    Remote(RealmId, FoldedName),
}

impl Author {
    /// The user; `None` for the server itself.
    #[must_use]
    pub fn user_ref(&self) -> Option<UserRef> {
        match self {
            Self::Local(user) => Some(UserRef::Local(*user)),
            Self::Remote(remote) => Some(UserRef::Remote(remote.realm, remote.name.folded())),
            Self::Server => None,
        }
    }
}

impl Destination {
    /// The realm whose outbox the message goes into.
    #[must_use]
    pub fn remote_realm(&self) -> Option<RealmId> {
        match self {
            Self::RemoteUser(remote) | Self::RemoteGroup(remote) => Some(remote.realm),
            Self::User(_) | Self::Group(_) | Self::Everyone => None,
        }
    }
}

/// A message as the store returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// The `id` that clients see.
    pub seq: Seq,
    pub time: Time,
    pub body: MessageBody,
}
