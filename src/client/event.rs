//! Events: what a subscription brings.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A message, with the names of `docs/PROTOCOL.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Full name of the sender.
    #[serde(default)]
    pub msg_from: String,
    /// Full name of the recipient.
    #[serde(default)]
    pub msg_to: String,
    /// The text.
    pub msg: String,
    /// The sender: `NAME` or `NAME@REALM`.
    pub from: String,
    /// The recipient, the group's name, or `*`.
    pub to: String,
    /// `direct`, `group` or `broadcast`.
    pub kind: String,
    /// The other realm, if it crossed realms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// Orders all messages of the server.
    pub id: u64,
    /// The server's time, UTC.
    pub time: String,
}

impl Message {
    /// Whether the user sent it.
    #[must_use]
    pub fn is_from(&self, user: &str) -> bool {
        self.from.eq_ignore_ascii_case(user)
    }
}

/// A change in a group.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GroupChange {
    /// The group.
    pub group: String,
    /// `joined`, `left`, `kicked`, `owner`, `deleted`, `renamed`, or a word of a newer server.
    pub change: String,
    /// The user concerned, if any.
    pub user: Option<String>,
}

/// An event frame of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message to the user, or one that the user sent from another connection.
    Message(Message),
    /// A user came online, or went.
    Presence {
        /// The user.
        user: String,
        /// Whether the user is online now.
        online: bool,
    },
    /// Something changed in a group of the user.
    Group(GroupChange),
    /// The inbox cursor moved on another connection.
    Inbox {
        /// Everything up to this id is read.
        cursor: u64,
    },
    /// A read mark of the user moved on another connection.
    Read {
        /// The conversation, as [`Target`](super::Target) writes it.
        conversation: String,
        /// Everything in it up to this id is read.
        mark: u64,
    },
    /// The server was restored from a backup: messages after this id are gone, and their ids are given again.
    Reset {
        /// The id.
        after: u64,
    },
    /// The session ended, for this reason. [`Client`](super::Client) ends with it.
    SessionEnded {
        /// A word, such as `revoked`.
        reason: String,
    },
    /// Messages before this id are gone, by the server's retention.
    Truncated {
        /// The id.
        before: u64,
    },
    /// This client was too slow and gets no more events. [`Client`](super::Client) subscribes again by itself.
    Lagged,
    /// An event of a newer server.
    Unknown,
}

#[derive(Deserialize)]
struct Presence {
    user: String,
    online: bool,
}

#[derive(Deserialize)]
struct Cursor {
    cursor: u64,
}

#[derive(Deserialize)]
struct Read {
    conversation: String,
    mark: u64,
}

impl Event {
    /// Reads an event frame. A frame that this client does not understand is [`Event::Unknown`].
    pub(super) fn read(word: &str, frame: &mut Value) -> Self {
        let data = frame["data"].take();
        let event = match word {
            "message" => serde_json::from_value(data).ok().map(Self::Message),
            "group" => serde_json::from_value(data).ok().map(Self::Group),
            "presence" => {
                serde_json::from_value(data).ok().map(|Presence { user, online }| Self::Presence { user, online })
            }
            "inbox" => serde_json::from_value(data).ok().map(|Cursor { cursor }| Self::Inbox { cursor }),
            "read" => {
                serde_json::from_value(data).ok().map(|Read { conversation, mark }| Self::Read { conversation, mark })
            }
            "reset" => frame["after"].as_u64().map(|after| Self::Reset { after }),
            "session_ended" => frame["reason"].as_str().map(|reason| Self::SessionEnded { reason: reason.to_owned() }),
            "truncated" => frame["before"].as_u64().map(|before| Self::Truncated { before }),
            "lagged" => Some(Self::Lagged),
            _ => None,
        };
        event.unwrap_or(Self::Unknown)
    }
}
