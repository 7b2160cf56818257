//! The lines of an export: one object each, things by their names.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::chat::{BounceReason, Kind, ReadPage};
use crate::name::Name;
use crate::store::transfer::form::{Hex64, HexHash, Moment};
use crate::store::transfer::realm_line::{Called, Incarnation, Realm, RealmCursor, Received, Refused};

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
    #[serde(borrow)]
    User(User<'a>),
    Realm(Realm),
    Called(Called),
    RealmCursor(RealmCursor),
    Incarnation(Incarnation),
    Received(Received),
    Refused(Refused),
    #[serde(borrow)]
    Group(Group<'a>),
    Member(Member),
    #[serde(borrow)]
    Block(Block<'a>),
    Session(Session),
    CompletedRequest(CompletedRequest),
    Removed(Removed),
    #[serde(borrow)]
    Message(Message<'a>),
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
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) unregistered: bool,
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

/// Which realm is meant, likewise; 0 for the home realm, which has no line.
pub(super) type RealmNumber = Option<u32>;

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

/// Whom a user does not want to hear from: `USER`, or `USER@REALM`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Block<'a> {
    pub(super) user: Name,
    #[serde(borrow)]
    pub(super) blocked: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) realm_number: RealmNumber,
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
pub(super) struct CompletedRequest {
    pub(super) number: u64,
    pub(super) user: Name,
    pub(super) tag: Hex64,
    pub(super) request: Hex64,
    pub(super) first: u64,
    pub(super) time: Moment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) page: Option<ReadPage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<BounceReason>,
}

/// What retention took out of a user's timeline, of a group's, of the outbox to a realm, or, with none of them, of the
/// broadcasts'.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Removed {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) group_number: GroupNumber,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) outbox: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) realm_number: RealmNumber,
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
    /// Its name may be another one's by now.
    #[serde(default)]
    pub(super) realm_number: RealmNumber,
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
