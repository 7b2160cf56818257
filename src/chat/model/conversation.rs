//! Conversations, by number, and how far each is read (PROTOCOL, "Read marks").

use serde::{Deserialize, Serialize};

use crate::chat::model::body::{Kind, MessageBody};
use crate::chat::model::timeline::{Entry, Timeline};
use crate::id::{GroupId, RealmId, Seq, UserId};
use crate::name::{FoldedName, Name};
use crate::time::Time;

/// The conversation that a message belongs to, for one user. Stored: variants are only ever added, at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ConversationId {
    /// With a user of this server, also across a name of this server.
    User(UserId),
    Group(GroupId),
    RemoteUser(RealmId, FoldedName),
    /// A group of another realm: only what the user sent to it.
    RemoteGroup(RealmId, FoldedName),
    /// The messages to everyone.
    Broadcast,
    /// The messages from this server itself.
    Server,
}

/// How far a user has read a conversation, if that is not behind the inbox cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadMark {
    pub conversation: ConversationId,
    /// Read up to and including this entry.
    pub upto: Seq,
    /// When it was moved.
    pub time: Time,
}

impl ConversationId {
    /// Whether [`ConversationId::of`] needs the body: users of other realms stand only there.
    #[must_use]
    pub fn is_in_body(timeline: Timeline, entry: &Entry) -> bool {
        matches!(timeline, Timeline::User(_)) && entry.peer == UserId::NOBODY
    }

    /// The conversation of an entry, for the readers of its timeline. `None` in an outbox, or if the body is damaged.
    #[must_use]
    pub fn of(timeline: Timeline, entry: &Entry, body: Option<&MessageBody>) -> Option<Self> {
        match timeline {
            Timeline::Group(group) => Some(Self::Group(group)),
            Timeline::Broadcast => Some(Self::Broadcast),
            Timeline::Outbox(_) => None,
            Timeline::User(_) if entry.peer != UserId::NOBODY => Some(Self::User(entry.peer)),
            Timeline::User(_) => Self::of_body(entry, body?),
        }
    }

    fn of_body(entry: &Entry, body: &MessageBody) -> Option<Self> {
        let realm = entry.realm?;
        let fields = body.fields()?;
        let other = if entry.sent { &fields.to } else { &fields.from };
        let name = other.split_once('@').map_or(&**other, |(name, _)| name);
        if name == Name::SERVER {
            return Some(Self::Server);
        }
        let name = Name::parse(name).ok()?.folded();
        match fields.kind {
            Kind::Group => Some(Self::RemoteGroup(realm, name)),
            Kind::Direct | Kind::Broadcast => Some(Self::RemoteUser(realm, name)),
            Kind::Damaged => None,
        }
    }
}
