//! The body of a message: the fields of its message object (PROTOCOL §4) except `id` and `time`, packed as they are
//! stored and sent to readers. The JSON object is made from it when it is written to a client. docs/STORE.md describes the
//! bytes.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::id::Seq;
use crate::json;
use crate::time::Time;
use crate::varint;

/// A packed body: a byte of the kind and of what follows, texts with their lengths, and the message's text up to the end.
/// Texts are those of JSON strings in ASCII, without the quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageBody(Bytes);

/// The kind of a message, as the message object names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Direct,
    Group,
    Broadcast,
    /// A mark in the place of a message that the store cannot read any more.
    Damaged,
}

/// A text as a JSON string in ASCII, with its quotes. It is escaped when a request is parsed, so that this
/// costs no time under the state's lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Box<[u8]>", into = "Box<[u8]>")]
pub struct EscapedText(Box<[u8]>);

impl EscapedText {
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut json = Vec::with_capacity(text.len() + 2);
        json::append_text(&mut json, text);
        Self(json.into_boxed_slice())
    }

    /// Its length in bytes, with the quotes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.len()
    }

    fn without_quotes(&self) -> &[u8] {
        self.0.get(1..self.0.len() - 1).unwrap_or_default()
    }
}

impl TryFrom<Box<[u8]>> for EscapedText {
    type Error = NotEscaped;

    fn try_from(json: Box<[u8]>) -> Result<Self, NotEscaped> {
        let is_ascii = json.is_ascii();
        let text = serde_json::from_slice::<Cow<'_, str>>(&json).ok().filter(|_| is_ascii);
        text.map(|text| Self::new(&text)).ok_or(NotEscaped)
    }
}

/// Bytes that are no JSON string in ASCII.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("expected a JSON string in ASCII")]
pub struct NotEscaped;

impl From<EscapedText> for Box<[u8]> {
    fn from(text: EscapedText) -> Self {
        text.0
    }
}

impl From<&str> for EscapedText {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// The fields of a body to be composed.
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
    /// The other realm's name, for a message that crossed realms.
    pub realm: Option<&'a str>,
}

/// The fields of a body, unescaped; their meaning is that of [`BodyFields`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageFields<'a> {
    pub msg_from: Cow<'a, str>,
    pub msg_to: Cow<'a, str>,
    pub msg: Cow<'a, str>,
    pub from: Cow<'a, str>,
    pub to: Cow<'a, str>,
    pub kind: Kind,
    pub realm: Option<Cow<'a, str>>,
}

/// The fields of a body as they are packed: the texts of JSON strings.
struct Packed<'a> {
    msg_from: &'a [u8],
    msg_to: &'a [u8],
    msg: &'a [u8],
    from: &'a [u8],
    to: &'a [u8],
    kind: Kind,
    realm: Option<&'a [u8]>,
}

/// The bits of the first byte beside the kind.
const KIND: u8 = 0b11;
const HAS_MSG_FROM: u8 = 1 << 2;
const HAS_MSG_TO: u8 = 1 << 3;
const HAS_REALM: u8 = 1 << 4;

/// Bytes of the keys, kind, number and time of a message object, and of most names that it repeats.
const OBJECT_BYTES: usize = 140;

/// The text shown in the place of a damaged message.
const DAMAGED: &str = "pesan ini rusak di penyimpanan server";

impl Kind {
    const ALL: [Self; 4] = [Self::Direct, Self::Group, Self::Broadcast, Self::Damaged];

    fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Group => "group",
            Self::Broadcast => "broadcast",
            Self::Damaged => "damaged",
        }
    }
}

impl MessageBody {
    /// Packs a body: the only place that does.
    #[must_use]
    pub fn compose(fields: &BodyFields<'_>) -> Self {
        let BodyFields { msg_from, msg_to, msg, from, to, kind, realm } = *fields;
        let msg = msg.without_quotes();
        let names = msg_from.len() + msg_to.len() + from.len() + to.len() + realm.map_or(0, str::len);
        let mut bytes = Vec::with_capacity(16 + names + msg.len());
        // An omitted full name is the name. Names and addresses are ASCII without quotes or backslashes.
        let (has_msg_from, has_msg_to) = (msg_from != from, msg_to != to);
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        bytes.push(
            kind as u8
                | flag(has_msg_from, HAS_MSG_FROM)
                | flag(has_msg_to, HAS_MSG_TO)
                | flag(realm.is_some(), HAS_REALM),
        );
        append_text(&mut bytes, from.as_bytes());
        append_text(&mut bytes, to.as_bytes());
        if has_msg_from {
            append_escaped(&mut bytes, msg_from);
        }
        if has_msg_to {
            append_escaped(&mut bytes, msg_to);
        }
        if let Some(realm) = realm {
            append_text(&mut bytes, realm.as_bytes());
        }
        bytes.extend_from_slice(msg);
        Self(Bytes::from(bytes))
    }

    /// A mark in the place of a message that cannot be read.
    #[must_use]
    pub fn damaged() -> Self {
        Self::compose(&BodyFields {
            msg_from: "realm",
            msg_to: "*",
            msg: &EscapedText::new(DAMAGED),
            from: "realm",
            to: "*",
            kind: Kind::Damaged,
            realm: None,
        })
    }

    /// A body that was packed before.
    #[must_use]
    pub fn from_packed(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// The packed bytes.
    #[must_use]
    pub fn packed(&self) -> &[u8] {
        &self.0
    }

    /// About the length of its message object: what limits of memory and of replies count.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.len() + OBJECT_BYTES
    }

    /// Whether this is a mark in the place of a message that cannot be read.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.0.first().is_some_and(|flags| flags & KIND == Kind::Damaged as u8)
    }

    fn unpack(&self) -> Option<Packed<'_>> {
        let (&flags, mut rest) = self.0.split_first()?;
        let kind = Kind::ALL.get(usize::from(flags & KIND)).copied()?;
        let from = take_text(&mut rest)?;
        let to = take_text(&mut rest)?;
        let mut take_if = |flag| if flags & flag == 0 { Some(None) } else { take_text(&mut rest).map(Some) };
        let msg_from = take_if(HAS_MSG_FROM)?.unwrap_or(from);
        let msg_to = take_if(HAS_MSG_TO)?.unwrap_or(to);
        let realm = take_if(HAS_REALM)?;
        Some(Packed { msg_from, msg_to, msg: rest, from, to, kind, realm })
    }

    /// Appends the whole message object. Of bytes that are no body it has only the number and the time.
    pub fn append_object(&self, out: &mut Vec<u8>, seq: Seq, time: Time) {
        out.push(b'{');
        if let Some(fields) = self.unpack() {
            fields.append(out);
        }
        out.extend_from_slice(b"\"id\":");
        json::append(out, &seq);
        out.extend_from_slice(b",\"time\":\"");
        out.extend_from_slice(time.text().as_str().as_bytes());
        out.extend_from_slice(b"\"}");
    }

    /// The whole message object.
    #[must_use]
    pub fn object(&self, seq: Seq, time: Time) -> Vec<u8> {
        let mut object = Vec::with_capacity(self.size());
        self.append_object(&mut object, seq, time);
        object
    }

    /// The sender's name: `NAME` or `NAME@REALM`. `None` if the bytes are no body.
    #[must_use]
    pub fn sender(&self) -> Option<&str> {
        let mut rest = self.0.get(1..)?;
        std::str::from_utf8(take_text(&mut rest)?).ok()
    }

    /// The fields, for a text listener or another server. `None` if the bytes are no body.
    #[must_use]
    pub fn fields(&self) -> Option<MessageFields<'_>> {
        let Packed { msg_from, msg_to, msg, from, to, kind, realm } = self.unpack()?;
        Some(MessageFields {
            msg_from: unescape(msg_from)?,
            msg_to: unescape(msg_to)?,
            msg: unescape(msg)?,
            from: unescape(from)?,
            to: unescape(to)?,
            kind,
            realm: match realm {
                Some(realm) => Some(unescape(realm)?),
                None => None,
            },
        })
    }
}

impl Packed<'_> {
    /// Appends the fields of the message object, in the order of the wire, each with a comma behind it.
    fn append(&self, out: &mut Vec<u8>) {
        let parts: [&[u8]; 12] = [
            b"\"msg_from\":\"",
            self.msg_from,
            b"\",\"msg_to\":\"",
            self.msg_to,
            b"\",\"msg\":\"",
            self.msg,
            b"\",\"from\":\"",
            self.from,
            b"\",\"to\":\"",
            self.to,
            b"\",\"kind\":\"",
            self.kind.as_str().as_bytes(),
        ];
        out.reserve(OBJECT_BYTES + parts.iter().map(|part| part.len()).sum::<usize>());
        parts.into_iter().for_each(|part| out.extend_from_slice(part));
        if self.kind == Kind::Group {
            // The recipient's full name is the group's.
            out.extend_from_slice(b"\",\"group\":\"");
            out.extend_from_slice(self.msg_to);
        }
        if let Some(realm) = self.realm {
            out.extend_from_slice(b"\",\"realm\":\"");
            out.extend_from_slice(realm);
        }
        out.extend_from_slice(b"\",");
    }
}

/// Appends a text behind its length.
fn append_text(out: &mut Vec<u8>, text: &[u8]) {
    varint::append(text.len() as u64, |byte| out.push(byte));
    out.extend_from_slice(text);
}

fn append_escaped(out: &mut Vec<u8>, text: &str) {
    if json::is_plain(text) {
        return append_text(out, text.as_bytes());
    }
    append_text(out, EscapedText::new(text).without_quotes());
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, texts) = postcard::take_from_bytes::<u32>(rest).ok()?;
    let (text, left) = texts.split_at_checked(length as usize)?;
    *rest = left;
    Some(text)
}

fn unescape(text: &[u8]) -> Option<Cow<'_, str>> {
    let plain = std::str::from_utf8(text).ok()?;
    if !plain.contains('\\') {
        return Some(Cow::Borrowed(plain));
    }
    serde_json::from_str(&format!("\"{plain}\"")).map(Cow::Owned).ok()
}
