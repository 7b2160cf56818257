//! Timelines: the events one list of readers shares, as numbers without bodies.

use crate::chat::message::{Author, Destination, Message};
use crate::id::{GroupId, RealmId, Seq, UserId};

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timeline {
    /// The direct messages that a user received and sent.
    User(UserId),
    /// What was said in a group.
    Group(GroupId),
    /// What was said to everyone.
    Broadcast,
}

/// One message's place in a timeline, and what is needed to pick from it without reading bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The message.
    pub seq: Seq,
    /// In a user's timeline the other person, elsewhere the author.
    pub peer: UserId,
    /// In a user's timeline: sent by the user, not received.
    pub sent: bool,
    /// The other realm, where the message crossed realms.
    pub realm: Option<RealmId>,
}

impl Message {
    /// Whether this user said the message.
    #[must_use]
    pub fn is_from(&self, user: UserId) -> bool {
        self.from == Author::Local(user)
    }

    /// Whether the message was said to this user alone.
    #[must_use]
    pub fn is_to(&self, user: UserId) -> bool {
        self.to == Destination::User(user)
    }

    /// Where the message stands: one timeline, or for a direct message the receiver's and the sender's. What one says
    /// to oneself stands once, as received.
    pub fn placements(&self, seq: Seq) -> impl Iterator<Item = (Timeline, Entry)> {
        let Author::Local(author) = self.from;
        let entry = Entry { seq, peer: author, sent: false, realm: self.realm };
        let (first, second) = match self.to {
            Destination::Group(group) => ((Timeline::Group(group), entry), None),
            Destination::Everyone => ((Timeline::Broadcast, entry), None),
            Destination::User(receiver) => {
                let copy = Entry { peer: receiver, sent: true, ..entry };
                let for_sender = (receiver != author).then_some((Timeline::User(author), copy));
                ((Timeline::User(receiver), entry), for_sender)
            }
        };
        std::iter::once(first).chain(second)
    }
}
