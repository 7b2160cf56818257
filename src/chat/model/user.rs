//! Accounts and memberships (PROTOCOL §3, §4).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::chat::error::CommandError;
use crate::chat::model::idempotency::CompletedRequests;
use crate::chat::model::message::UserRef;
use crate::id::{GroupId, RealmId, Seq, SessionId};
use crate::name::Name;
use crate::time::Time;

/// A salted password hash in PHC form (`$argon2id$…`). Opaque here: no rule can afford to check one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordHash(pub Box<str>);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(hidden)")
    }
}

/// An account. The fields that every message to the user needs come first, so that they share a cache line: with very
/// many accounts hardly any is cached.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct User {
    pub name: Name,
    /// The account was given up. Its name stays reserved, and its messages stay readable.
    pub unregistered: bool,
    /// May be empty; then the name is shown instead.
    pub full_name: Box<str>,
    /// The newest entry of the user's own timeline.
    pub last: Seq,
    /// Blocked users, sorted.
    pub blocks: Vec<UserRef>,
    /// May be empty.
    pub country: Box<str>,
    pub password: PasswordHash,
    /// The log entry of the registration: older broadcasts are not for this user.
    pub registered: Seq,
    /// When a session of the user was last opened, marked as used, or closed.
    pub seen: Option<Time>,
    /// The inbox is read up to here.
    pub cursor: Seq,
    /// Ranges past the cursor that were pushed live, as (after, upto], sorted and disjoint.
    pub read_ranges: Vec<(Seq, Seq)>,
    /// How far the view of each realm is read.
    pub realm_cursors: Vec<(RealmId, Seq)>,
    /// Open sessions, oldest first.
    pub sessions: Vec<SessionId>,
    /// Sorted by (group, joined).
    pub memberships: Vec<Membership>,
    /// Recent tagged requests.
    pub done: CompletedRequests,
}

/// An interval in which a user was in a group. Messages of that time stay readable (PROTOCOL §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    pub group: GroupId,
    /// The log entry of joining: later messages are for the user.
    pub joined: Seq,
    /// The log entry of leaving; `None` for a member, and if the group was deleted.
    pub left: Option<Seq>,
}

impl User {
    /// The full name, or the name if none is known.
    #[must_use]
    pub fn shown_name(&self) -> &str {
        if self.full_name.is_empty() { self.name.as_str() } else { &self.full_name }
    }

    /// Compares the hash that a password was verified against with the account's: it may have changed meanwhile.
    pub(in crate::chat) fn check_password(&self, verified: &PasswordHash) -> Result<(), CommandError> {
        if self.password == *verified { Ok(()) } else { Err(CommandError::WrongPassword) }
    }

    /// Whether the user is in the group now, provided it was not deleted.
    #[must_use]
    pub fn is_member(&self, group: GroupId) -> bool {
        let end = self.memberships.partition_point(|membership| membership.group <= group);
        end.checked_sub(1)
            .and_then(|last| self.memberships.get(last))
            .is_some_and(|membership| membership.group == group && membership.left.is_none())
    }

    pub(in crate::chat) fn has_blocked(&self, other: &UserRef) -> bool {
        self.blocks.binary_search(other).is_ok()
    }

    /// How far the view of a realm is read.
    #[must_use]
    pub fn realm_cursor(&self, realm: RealmId) -> Seq {
        self.realm_cursors.iter().find(|(id, _)| *id == realm).map_or(Seq(0), |(_, cursor)| *cursor)
    }

    /// The new position of a cursor that moves to `upto`: past the end of each pushed range that it touches.
    pub(in crate::chat) fn merge_read_ranges(&self, upto: Seq) -> Seq {
        let ranges = self.read_ranges.iter();
        ranges.fold(upto, |upto, (after, end)| if *after <= upto { upto.max(*end) } else { upto })
    }
}
