//! Lines of realms and of what is known of other servers.

use serde::{Deserialize, Serialize};

use crate::chat::BounceReason;
use crate::name::Name;
use crate::store::StoreError;
use crate::store::transfer::form::{Hex64, HexKey};
use crate::store::transfer::line::RealmNumber;

/// A realm besides the home realm.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Realm {
    pub(super) name: Name,
    #[serde(default, skip_serializing_if = "RealmKind::is_name")]
    pub(super) kind: RealmKind,
    /// Who added it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<Name>,
    /// Of another server, also where it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<HexKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) host: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) port: Option<u16>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) self_named: bool,
    /// The other server has what is in its outbox up to this entry.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub(super) cursor: u64,
}

/// What stands behind a realm's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RealmKind {
    /// A further name of this server.
    #[default]
    Name,
    /// Another server.
    Server,
    /// This server, as another one calls it.
    Called,
    /// Nothing any more.
    Removed,
}

impl RealmKind {
    const ALL: [Self; 4] = [Self::Name, Self::Server, Self::Called, Self::Removed];

    /// How the table names it.
    pub(super) fn number(self) -> u8 {
        self as u8
    }

    /// What the table means.
    pub(super) fn of_number(number: u8) -> Result<Self, StoreError> {
        let damaged = || StoreError::Damaged(format!("a realm of kind {number}").into());
        Self::ALL.into_iter().find(|kind| kind.number() == number).ok_or_else(damaged)
    }

    fn is_name(&self) -> bool {
        *self == Self::Name
    }

    /// Whether it is another server, or was.
    pub(super) fn is_elsewhere(self) -> bool {
        matches!(self, Self::Server | Self::Removed)
    }
}

/// By which realm's name another server calls this one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Called {
    /// The other server.
    pub(super) by: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) by_number: RealmNumber,
    /// None for the home realm, whose name is the configuration's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name_number: RealmNumber,
}

/// How far a user has read what crossed realms with one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RealmCursor {
    pub(super) user: Name,
    /// None for the home realm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) realm: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) realm_number: RealmNumber,
    pub(super) cursor: u64,
}

/// An incarnation of this server.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Incarnation {
    pub(super) begun: u64,
    pub(super) incarnation: Hex64,
}

/// Up to which of another server's numbers everything was taken in.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Received {
    pub(super) realm: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) realm_number: RealmNumber,
    pub(super) incarnation: Hex64,
    pub(super) upto: u64,
    /// The log entry that says so.
    pub(super) noted: u64,
}

/// What of that was refused, and the other server has not noted yet.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refused {
    pub(super) realm: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) realm_number: RealmNumber,
    pub(super) incarnation: Hex64,
    pub(super) number: u64,
    pub(super) why: BounceReason,
    /// The log entry that says so.
    pub(super) noted: u64,
}

fn is_nothing(number: &u64) -> bool {
    *number == 0
}
