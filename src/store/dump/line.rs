//! The lines of a dump: one JSON object each, everything by name, in the order in which it happened. They hold password
//! hashes, and are not to be printed.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::name::Name;
use crate::time::Time;

/// The version of the lines, which is written and read.
pub(super) const VERSION: u32 = 2;

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) kabar_export: u32,
    /// The last line is an [`End`]: a file without one was cut.
    #[serde(default)]
    pub(super) ends: bool,
}

/// Any other line: `{"user":{…}}`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line<'a> {
    #[serde(borrow)]
    User(User<'a>),
    #[serde(borrow)]
    Group(Group<'a>),
    Member(Member),
    #[serde(borrow)]
    Message(Message<'a>),
    #[serde(borrow)]
    Read(Read<'a>),
    #[serde(borrow)]
    Block(Block<'a>),
    Lock(Lock),
    #[serde(borrow)]
    Ban(Ban<'a>),
    #[serde(borrow)]
    Invite(Invite<'a>),
    End(End),
}

/// An account is made.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct User<'a> {
    pub(super) name: Name,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub(super) full_name: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub(super) country: Cow<'a, str>,
    /// Without one the account is locked.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) password_hash: Option<Cow<'a, str>>,
    /// The account was given up later on.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) unregistered: bool,
}

/// A group is made, or deleted.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group<'a> {
    pub(super) name: Name,
    /// The first member. `None` if the group is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<Name>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) password_hash: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) deleted: bool,
}

/// A user joins a group, or leaves it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Member {
    pub(super) group: Name,
    pub(super) user: Name,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) left: bool,
}

/// A message to a user, to everyone (`*`), or to a group. Users and groups of another server are `NAME@REALM`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message<'a> {
    pub(super) time: Timestamp,
    #[serde(borrow)]
    pub(super) from: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<Cow<'a, str>>,
    /// The author's full name, unless it is that of the account.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) msg_from: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) text: Cow<'a, str>,
}

/// A user has read everything before this line, or everything of one conversation.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Read<'a> {
    pub(super) user: Name,
    /// As the protocol names it: `USER`, `group:GROUP`, either with `@REALM`, `*`, or `realm@REALM`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) conversation: Option<Cow<'a, str>>,
}

/// A user blocks another one: `USER`, or `USER@REALM`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Block<'a> {
    pub(super) user: Name,
    #[serde(borrow)]
    pub(super) blocked: Cow<'a, str>,
}

/// Nobody can log in to an account.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lock {
    pub(super) user: Name,
}

/// Somebody is kept out: one of a user (`USER`, or `USER@REALM`), a network, and another realm.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ban<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) network: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) realm: Option<Cow<'a, str>>,
    /// `None` for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<Timestamp>,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub(super) reason: Cow<'a, str>,
}

/// New users may register with a code.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Invite<'a> {
    /// SHA-256 of the code in lower case, as hexadecimal digits.
    #[serde(borrow)]
    pub(super) code_hash: Cow<'a, str>,
    /// How many may still register with it.
    pub(super) uses: u32,
    pub(super) until: Timestamp,
}

/// The last line: how many users, groups and messages came before it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    pub(super) users: u64,
    pub(super) groups: u64,
    pub(super) messages: u64,
}

/// A time as the protocol writes it.
#[derive(Clone, Copy)]
pub(super) struct Timestamp(pub(super) Time);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.text().as_str())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let expected = || de::Error::custom("expected a time since 1970, such as 2026-11-21T07:00:00.123Z");
        Time::parse(&text).map(Self).ok_or_else(expected)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(flag: &bool) -> bool {
    !flag
}
