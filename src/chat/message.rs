//! A message: who said it to whom, and its body, which is serialised once in its life.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::id::{GroupId, RealmId, Seq, UserId};
use crate::json::{self, Object};
use crate::name::{FoldedName, Name};
use crate::time::Time;

/// What was said, as decided and stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who said it.
    pub from: Author,
    /// To whom.
    pub to: Destination,
    /// The other realm, where the message crossed realms (PROTOCOL §6).
    pub realm: Option<RealmId>,
    /// The message object. The store keeps it in a column of its own.
    #[serde(skip)]
    pub body: MessageBody,
}

/// Who said a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Author {
    /// A user of this server.
    Local(UserId),
    /// A user of another realm.
    Remote(RemoteName),
    /// This server itself: `realm@HOME`.
    Server,
}

/// To whom a message was said.
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

/// Somebody who can be told apart from others: a user here, or one of another realm. Ordered, users of here first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UserRef {
    /// A user of this server.
    Local(UserId),
    /// A user of another realm.
    Remote(RealmId, FoldedName),
}

impl Author {
    /// Who that is; nobody where the server itself said it.
    #[must_use]
    pub fn person(&self) -> Option<UserRef> {
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

/// The bytes of a message object (PROTOCOL §4) but for its opening brace, `id` and `time`, which go in front when the
/// log has given them. Stored, pushed and joined into inbox answers as they are; ASCII only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageBody(pub Bytes);

/// The kind of a message, as the message object names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// From one user to one other.
    Direct,
    /// To a group.
    Group,
    /// To everyone.
    Broadcast,
}

/// The parts of a message object, in the order of the wire.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MessageFields<'a> {
    /// The sender's name.
    #[serde(borrow)]
    pub from: Cow<'a, str>,
    /// The receiver's name, the group's name, or `*`.
    #[serde(borrow)]
    pub to: Cow<'a, str>,
    /// The sender's full name.
    #[serde(borrow)]
    pub msg_from: Cow<'a, str>,
    /// The receiver's full name, the group's name, or `*`.
    #[serde(borrow)]
    pub msg_to: Cow<'a, str>,
    /// The text.
    #[serde(borrow)]
    pub msg: Cow<'a, str>,
    /// Direct, group or broadcast.
    pub kind: Kind,
    /// The group's name, for a group message.
    #[serde(borrow, default)]
    pub group: Option<Cow<'a, str>>,
    /// The other realm's name, for a message that crossed realms.
    #[serde(borrow, default)]
    pub realm: Option<Cow<'a, str>>,
}

impl MessageBody {
    /// Serialises the message object: the only place that does.
    #[must_use]
    pub fn compose(parts: &MessageFields<'_>) -> Self {
        let mut bytes = Vec::with_capacity(160 + parts.msg.len());
        let mut object = Object::open(&mut bytes);
        object.text("from", &parts.from).text("to", &parts.to);
        object.text("msg_from", &parts.msg_from).text("msg_to", &parts.msg_to);
        object.text("msg", &parts.msg).field("kind", &parts.kind);
        if let Some(group) = &parts.group {
            object.text("group", group);
        }
        if let Some(realm) = &parts.realm {
            object.text("realm", realm);
        }
        drop(object);
        Self(Bytes::from(bytes).slice(1..))
    }

    /// Appends the whole message object.
    pub fn append_object(&self, out: &mut Vec<u8>, seq: Seq, time: Time) {
        out.extend_from_slice(b"{\"id\":");
        json::append(out, &seq);
        out.extend_from_slice(b",\"time\":\"");
        out.extend_from_slice(time.text().as_str().as_bytes());
        out.extend_from_slice(b"\",");
        out.extend_from_slice(&self.0);
    }

    /// The whole message object.
    #[must_use]
    pub fn object(&self, seq: Seq, time: Time) -> Vec<u8> {
        let mut object = Vec::with_capacity(64 + self.0.len());
        self.append_object(&mut object, seq, time);
        object
    }

    /// Calls `read` with the parts, for those who need them apart again (a text listener, the senders of an inbox).
    ///
    /// # Errors
    /// Where the bytes are no message object: a store that something else has written to.
    pub fn read<T>(&self, read: impl FnOnce(MessageFields<'_>) -> T) -> Result<T, serde_json::Error> {
        let mut object = Vec::with_capacity(1 + self.0.len());
        object.push(b'{');
        object.extend_from_slice(&self.0);
        serde_json::from_slice(&object).map(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goal() -> MessageFields<'static> {
        MessageFields {
            from: "messi".into(),
            to: "henderson".into(),
            msg_from: "Lionel Messi".into(),
            msg_to: "Jordan Henderson".into(),
            msg: "gól \"!\"".into(),
            kind: Kind::Direct,
            group: None,
            realm: None,
        }
    }

    #[test]
    fn the_object_is_the_protocols() {
        let object = MessageBody::compose(&goal()).object(Seq(42), Time(1_795_244_400_123));
        assert_eq!(
            String::from_utf8(object).unwrap(),
            r#"{"id":42,"time":"2026-11-21T07:00:00.123Z","from":"messi","to":"henderson","msg_from":"Lionel Messi","#
                .to_owned()
                + r#""msg_to":"Jordan Henderson","msg":"g\u00f3l \"!\"","kind":"direct"}"#
        );
    }

    #[test]
    fn the_parts_read_back() {
        assert!(MessageBody::compose(&goal()).read(|parts| parts == goal()).unwrap());
    }
}
