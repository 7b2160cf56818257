//! The lines of an export: one object each, things by their names.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::chat::{Kind, PageRead};
use crate::id::{Digest, TokenHash};
use crate::name::Name;
use crate::time::Time;

/// The version of the lines that is written, and the only one so far.
pub(super) const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) kabar_export: u32,
    /// The newest number that was given, so that none is given again …
    #[serde(default)]
    pub(super) head: u64,
    /// … and its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) time: Option<Moment>,
}

/// Any other line: `{"user":{…}}`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line<'a> {
    Realm(Realm),
    #[serde(borrow)]
    User(User<'a>),
    #[serde(borrow)]
    Group(Group<'a>),
    Member(Member),
    Block(Block),
    Session(Session),
    Done(Done),
    Removed(Removed),
    #[serde(borrow)]
    Message(Message<'a>),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Realm {
    pub(super) name: Name,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct User<'a> {
    pub(super) name: Name,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub(super) full_name: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub(super) country: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) password_hash: Cow<'a, str>,
    #[serde(default)]
    pub(super) registered: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) seen: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) live: Vec<(u64, u64)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) realm_cursors: Vec<RealmCursor>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) unregistered: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RealmCursor {
    /// None for the home realm, whose name is the configuration's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) realm: Option<Name>,
    pub(super) cursor: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group<'a> {
    pub(super) name: Name,
    pub(super) owner: Name,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) password_hash: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) deleted: bool,
}

/// Which group is meant, where the name alone would be read as a newer one: the place of its line, counted from 1.
pub(super) type GroupNumber = Option<u32>;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Member {
    pub(super) group: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) group_number: GroupNumber,
    pub(super) user: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) joined: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) left: Option<u64>,
}

/// Whom a user does not want to hear from.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Block {
    pub(super) user: Name,
    pub(super) blocked: Name,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Session {
    pub(super) id: u64,
    pub(super) user: Name,
    pub(super) token_sha256: HexHash,
    pub(super) opened: Moment,
    pub(super) used: Moment,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) ephemeral: bool,
    pub(super) origin: IpAddr,
}

/// A tagged request that is not to be done again.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Done {
    pub(super) number: u64,
    pub(super) user: Name,
    pub(super) tag: HexDigest,
    pub(super) request: HexDigest,
    pub(super) first: u64,
    pub(super) time: Moment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) page: Option<PageRead>,
}

/// What retention took out of a user's timeline, of a group's, or, with neither, of the broadcasts'.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Removed {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) group_number: GroupNumber,
    pub(super) upto: u64,
}

/// The message object of PROTOCOL §4, most of which may be left out.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message<'a> {
    #[serde(default)]
    pub(super) id: Option<u64>,
    pub(super) time: Moment,
    #[serde(borrow)]
    pub(super) from: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) to: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) msg_from: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) msg_to: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) msg: Cow<'a, str>,
    #[serde(default)]
    pub(super) kind: Option<Kind>,
    #[serde(borrow, default)]
    pub(super) group: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(super) group_number: GroupNumber,
    #[serde(borrow, default)]
    pub(super) realm: Option<Cow<'a, str>>,
    /// Which realm it crossed to or from, where the name alone does not tell: the place of its line, counted from 1, or
    /// 0 for the home realm.
    #[serde(default)]
    pub(super) realm_number: Option<u32>,
}

/// A time as the protocol writes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment(pub(super) Time);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let expected = || de::Error::custom("expected a time since 1970, such as 2026-11-21T07:00:00.123Z");
        Time::parse(&text).map(Self).ok_or_else(expected)
    }
}

/// A token's hash in hexadecimal digits.
pub(super) struct HexHash(pub(super) TokenHash);

impl Serialize for HexHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let TokenHash(bytes) = self.0;
        serializer.serialize_str(&bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }
}

impl<'de> Deserialize<'de> for HexHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let mut hash = [0; 32];
        let digits = text.len() == 2 * hash.len() && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        for (byte, place) in hash.iter_mut().zip((0..).step_by(2)) {
            let pair = text.get(place..place + 2).filter(|_| digits);
            let pair = pair.ok_or_else(|| de::Error::custom("expected 64 hexadecimal digits"))?;
            *byte = u8::from_str_radix(pair, 16).map_err(de::Error::custom)?;
        }
        Ok(Self(TokenHash(hash)))
    }
}

/// 64 bits in hexadecimal digits: more than the numbers of JSON hold everywhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct HexDigest(pub(super) Digest);

impl Serialize for HexDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Digest(bits) = self.0;
        serializer.collect_str(&format_args!("{bits:016x}"))
    }
}

impl<'de> Deserialize<'de> for HexDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let digits = text.len() == 16 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let bits = u64::from_str_radix(&text, 16).ok().filter(|_| digits);
        bits.map(|bits| Self(Digest(bits))).ok_or_else(|| de::Error::custom("expected 16 hexadecimal digits"))
    }
}

macro_rules! hide {
    ($($kind:ident),*) => {$(
        /// It holds a secret.
        impl std::fmt::Debug for $kind<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($kind)).field("name", &self.name).finish_non_exhaustive()
            }
        }
    )*};
}

hide!(User, Group);

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("id", &self.id).finish_non_exhaustive()
    }
}
