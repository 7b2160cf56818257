//! Timelines: the events one list of readers shares, as numbers without bodies.

use crate::chat::model::message::{Author, Destination, Message};
use crate::id::{GroupId, RealmId, Seq, UserId};

/// A list of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timeline {
    /// The direct messages that a user received and sent.
    User(UserId),
    /// Messages to a group.
    Group(GroupId),
    /// Broadcasts.
    Broadcast,
    /// Messages to users and groups of another realm, read by the server there only.
    Outbox(RealmId),
}

/// One message's place in a timeline, and what is needed to pick from it without reading bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The message.
    pub seq: Seq,
    /// In a user's timeline the other person, elsewhere the author; [`UserId::NOBODY`] for what is not a user's here.
    pub peer: UserId,
    /// In a user's timeline: sent by the user, not received.
    pub sent: bool,
    /// The other realm, if the message crossed realms.
    pub realm: Option<RealmId>,
}

impl Message {
    /// Whether this user sent the message.
    #[must_use]
    pub fn is_from(&self, user: UserId) -> bool {
        self.from == Author::Local(user)
    }

    /// Whether the message is a direct one to this user.
    #[must_use]
    pub fn is_to(&self, user: UserId) -> bool {
        self.to == Destination::User(user)
    }

    /// The timelines of the message: one, or for a direct message the receiver's and the sender's, or for one to
    /// another realm its outbox and the sender's. A message to oneself stands once, as received.
    pub fn placements(&self, seq: Seq) -> impl Iterator<Item = (Timeline, Entry)> {
        let author = match self.from {
            Author::Local(author) => author,
            Author::Remote(_) | Author::Server => UserId::NOBODY,
        };
        let entry = Entry { seq, peer: author, sent: false, realm: self.realm };
        let copy = |peer| (Timeline::User(author), Entry { peer, sent: true, ..entry });
        let (first, second) = match &self.to {
            Destination::Group(group) => ((Timeline::Group(*group), entry), None),
            Destination::Everyone => ((Timeline::Broadcast, entry), None),
            Destination::User(receiver) => {
                let has_a_copy = author != *receiver && author != UserId::NOBODY;
                ((Timeline::User(*receiver), entry), has_a_copy.then(|| copy(*receiver)))
            }
            Destination::RemoteUser(remote) | Destination::RemoteGroup(remote) => {
                ((Timeline::Outbox(remote.realm), entry), Some(copy(UserId::NOBODY)))
            }
        };
        std::iter::once(first).chain(second)
    }
}
