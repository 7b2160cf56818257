//! A message: its author, its destination, and its body, which is serialised once in its life.

use std::borrow::Cow;

use bytes::Bytes;
use memchr::memmem;
use serde::{Deserialize, Serialize};

use crate::id::{GroupId, RealmId, Seq, UserId};
use crate::json;
use crate::name::{FoldedName, Name};
use crate::time::Time;

/// A message as decided and stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub from: Author,
    pub to: Destination,
    /// The other realm, if the message crossed realms (PROTOCOL §6).
    pub realm: Option<RealmId>,
    /// The message object. The store keeps it in a column of its own.
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

/// The bytes of a message object (PROTOCOL §4) without its opening brace, `id` and `time`; these two come last, once the
/// log has given them. Stored, pushed and joined into inbox replies as it is; ASCII only; ends with the closing brace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageBody(pub Bytes);

/// The kind of a message, as the message object names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Direct,
    Group,
    Broadcast,
}

/// A text as a JSON string in ASCII, with its quotes. It is escaped when a request is parsed, so that this
/// costs no time under the state's lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscapedText(Box<[u8]>);

impl EscapedText {
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut json = Vec::with_capacity(text.len() + 2);
        json::append_text(&mut json, text);
        Self(json.into_boxed_slice())
    }

    /// Its bytes as they are stored.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it has quotes at least")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl From<&str> for EscapedText {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// The fields of a message object to be composed, in the order of the wire.
#[derive(Clone, Copy, Debug)]
pub struct BodyFields<'a> {
    /// The sender's full name.
    pub msg_from: &'a str,
    /// The recipient's full name, the group's name, or `*`.
    pub msg_to: &'a str,
    pub msg: &'a EscapedText,
    /// The sender's name.
    pub from: &'a str,
    /// The recipient's name, the group's name, or `*`.
    pub to: &'a str,
    pub kind: Kind,
    /// The group's name, for a group message.
    pub group: Option<&'a str>,
    /// The other realm's name, for a message that crossed realms.
    pub realm: Option<&'a str>,
}

/// The fields of a message object that was read back; their meaning is that of [`BodyFields`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MessageFields<'a> {
    #[serde(borrow)]
    pub msg_from: Cow<'a, str>,
    #[serde(borrow)]
    pub msg_to: Cow<'a, str>,
    #[serde(borrow)]
    pub msg: Cow<'a, str>,
    #[serde(borrow)]
    pub from: Cow<'a, str>,
    #[serde(borrow)]
    pub to: Cow<'a, str>,
    pub kind: Kind,
    #[serde(borrow, default)]
    pub group: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub realm: Option<Cow<'a, str>>,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Group => "group",
            Self::Broadcast => "broadcast",
        }
    }
}

impl MessageBody {
    /// Serialises the message object: the only place that does.
    #[must_use]
    pub fn compose(fields: &BodyFields<'_>) -> Self {
        let names = fields.msg_from.len() + fields.msg_to.len() + 2 * (fields.from.len() + fields.to.len());
        let mut bytes = Vec::with_capacity(96 + names + fields.msg.0.len());
        bytes.extend_from_slice(b"\"msg_from\":");
        json::append_text(&mut bytes, fields.msg_from);
        bytes.extend_from_slice(b",\"msg_to\":");
        json::append_text(&mut bytes, fields.msg_to);
        let name = |bytes: &mut Vec<u8>, key: &[u8], name: &str| {
            // Names and addresses are ASCII without quotes or backslashes.
            for part in [key, name.as_bytes(), b"\""] {
                bytes.extend_from_slice(part);
            }
        };
        bytes.extend_from_slice(b",\"msg\":");
        bytes.extend_from_slice(&fields.msg.0);
        name(&mut bytes, b",\"from\":\"", fields.from);
        name(&mut bytes, b",\"to\":\"", fields.to);
        name(&mut bytes, b",\"kind\":\"", fields.kind.as_str());
        if let Some(group) = fields.group {
            name(&mut bytes, b",\"group\":\"", group);
        }
        if let Some(realm) = fields.realm {
            name(&mut bytes, b",\"realm\":\"", realm);
        }
        bytes.push(b'}');
        Self(Bytes::from(bytes))
    }

    /// Appends the whole message object.
    pub fn append_object(&self, out: &mut Vec<u8>, seq: Seq, time: Time) {
        let fields = self.0.strip_suffix(b"}").unwrap_or(&self.0);
        out.push(b'{');
        out.extend_from_slice(fields);
        out.extend_from_slice(b",\"id\":");
        json::append(out, &seq);
        out.extend_from_slice(b",\"time\":\"");
        out.extend_from_slice(time.text().as_str().as_bytes());
        out.extend_from_slice(b"\"}");
    }

    /// The whole message object.
    #[must_use]
    pub fn object(&self, seq: Seq, time: Time) -> Vec<u8> {
        let mut object = Vec::with_capacity(64 + self.0.len());
        self.append_object(&mut object, seq, time);
        object
    }

    /// The sender's name: `NAME` or `NAME@REALM`, sliced from the bytes. `None` if they are no message object.
    #[must_use]
    pub fn sender(&self) -> Option<&str> {
        // Inside a JSON string a quote follows a backslash, so that `"from":"` with a comma or nothing in front is the key.
        const KEY: &[u8] = b"\"from\":\"";
        let bytes = &self.0[..];
        let start = if bytes.starts_with(KEY) { 0 } else { memmem::find(bytes, b",\"from\":\"")? + 1 };
        let value = bytes.get(start + KEY.len()..)?;
        let end = memchr::memchr(b'"', value)?;
        std::str::from_utf8(value.get(..end)?).ok()
    }

    /// Calls `read` with the fields, for a text listener or another server.
    ///
    /// # Errors
    /// The bytes are no message object: another program has written to the store.
    pub fn read<T>(&self, read: impl FnOnce(MessageFields<'_>) -> T) -> Result<T, serde_json::Error> {
        let mut object = Vec::with_capacity(1 + self.0.len());
        object.push(b'{');
        object.extend_from_slice(&self.0);
        serde_json::from_slice(&object).map(read)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn goal(msg: &EscapedText) -> BodyFields<'_> {
        BodyFields {
            msg_from: "Lionel Messi",
            msg_to: "Jordan Henderson",
            msg,
            from: "messi",
            to: "henderson",
            kind: Kind::Direct,
            group: None,
            realm: None,
        }
    }

    #[test]
    fn the_object_has_the_documents_keys_first_and_the_number_and_time_last() {
        let object = MessageBody::compose(&goal(&"gól \"!\"".into())).object(Seq(42), Time(1_795_244_400_123));
        assert_eq!(
            String::from_utf8(object).unwrap(),
            r#"{"msg_from":"Lionel Messi","msg_to":"Jordan Henderson","msg":"g\u00f3l \"!\"","from":"messi","#
                .to_owned()
                + r#""to":"henderson","kind":"direct","id":42,"time":"2026-11-21T07:00:00.123Z"}"#
        );
    }

    #[test]
    fn the_fields_read_back() {
        let body = MessageBody::compose(&goal(&"gól \"!\"".into()));
        let read = body.read(|fields| (fields.msg.into_owned(), fields.from.into_owned(), fields.kind));
        assert_eq!(read.unwrap(), ("gól \"!\"".to_owned(), "messi".to_owned(), Kind::Direct));
    }

    #[test]
    fn the_sender_is_found_whatever_the_text_looks_like() {
        for text in ["halo", r#","from":"paff""#, r#"\","from":"paff","#, "\",\"from\":\"paff\""] {
            assert_eq!(MessageBody::compose(&goal(&text.into())).sender(), Some("messi"), "{text}");
        }
        let earlier_form = MessageBody(Bytes::from_static(b"\"from\":\"paff\",\"to\":\"messi\",\"kind\":\"direct\"}"));
        assert_eq!((earlier_form.sender(), MessageBody::default().sender()), (Some("paff"), None));
    }
}
