//! Why not.

use serde::{Deserialize, Serialize};

/// Why a request was refused. Each variant is one stable error `code` (PROTOCOL §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// No user of that name.
    UserNotFound,
    /// The user, on a text listener, is not there to be told.
    UserOffline,
    /// The account's or group's password was another.
    WrongPassword,
    /// The password is shorter than the operator allows.
    PasswordTooShort,
    /// The account's name is taken.
    UserExists,
    /// No session: never logged in, logged out, or expired.
    NoSession,
    /// The user has no open session of that number.
    SessionNotFound,
    /// Not for this user.
    Forbidden,
    /// Only for the group's owner.
    NotOwner,
    /// Meant for others: one cannot block or kick oneself.
    Oneself,
    /// The receiver has blocked the sender.
    Blocked,
    /// The group's name is taken.
    GroupExists,
    /// No group of that name.
    GroupNotFound,
    /// Already in the group.
    AlreadyMember,
    /// Not in the group.
    NotMember,
    /// The other user is not in the group.
    UserNotMember,
    /// The realm's name is taken.
    RealmExists,
    /// No realm of that name.
    RealmNotFound,
    /// The other server does not answer.
    RealmUnreachable,
    /// The other server, or this one, does not want the link.
    RealmRefused,
    /// The other server shows another key than it had.
    RealmKeyChanged,
    /// The other server is this one.
    RealmIsThisServer,
    /// The other server speaks another version of the link protocol.
    LinkVersion,
    /// Too much waits for the other server.
    RealmQueueFull,
    /// Too many failures; try again later.
    Throttled,
    /// Too much at once; try again.
    Busy,
    /// A bound of the server is reached.
    LimitReached(Limit),
    /// The tag stood on another request.
    TagReused,
    /// The cursor moved meanwhile: read again. Never leaves the server.
    CursorMoved,
    /// The disk refused it: it did not happen.
    StorageFailed,
    /// The disk failed half-way: whether it happened cannot be told.
    UnknownOutcome,
}

/// Why another realm does not take a message. Stored and sent: variants are only ever added, at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BounceReason {
    /// No user of that name there.
    UserNotFound,
    /// No group of that name there.
    GroupNotFound,
    /// The group is closed to people of other realms.
    NotMember,
    /// The receiver has blocked the sender.
    Blocked,
    /// It is no message there: too long, or with characters that must not be in one.
    Malformed,
}

impl BounceReason {
    /// The number that a store keeps it by.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// What a store kept the number of.
    #[must_use]
    pub fn of_number(number: u8) -> Option<Self> {
        let all = [Self::UserNotFound, Self::GroupNotFound, Self::NotMember, Self::Blocked, Self::Malformed];
        all.into_iter().find(|why| why.number() == number)
    }
}

impl From<BounceReason> for CommandError {
    fn from(why: BounceReason) -> Self {
        match why {
            BounceReason::UserNotFound => Self::UserNotFound,
            BounceReason::GroupNotFound => Self::GroupNotFound,
            BounceReason::NotMember => Self::NotMember,
            BounceReason::Blocked => Self::Blocked,
            BounceReason::Malformed => Self::RealmRefused,
        }
    }
}

/// The bounds of the server that a command can run into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// `MAX_USERS`.
    Users,
    /// `MAX_GROUPS`.
    Groups,
    /// `MAX_MEMBERSHIPS`.
    Memberships,
    /// `MAX_REALMS`.
    Realms,
    /// `BLOCKS_PER_USER`.
    Blocks,
}

impl CommandError {
    /// The reply's `code`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::UserNotFound => "user_not_found",
            Self::UserOffline => "user_offline",
            Self::WrongPassword => "wrong_password",
            Self::PasswordTooShort | Self::Oneself => "bad_parameter",
            Self::UserExists => "user_exists",
            Self::NoSession => "no_session",
            Self::SessionNotFound => "session_not_found",
            Self::Forbidden | Self::NotOwner => "forbidden",
            Self::Blocked => "blocked",
            Self::GroupExists => "group_exists",
            Self::GroupNotFound => "group_not_found",
            Self::AlreadyMember => "already_member",
            Self::NotMember | Self::UserNotMember => "not_member",
            Self::RealmExists => "realm_exists",
            Self::RealmNotFound => "realm_not_found",
            Self::RealmUnreachable => "realm_unreachable",
            Self::RealmRefused => "realm_refused",
            Self::LinkVersion => "unknown_version",
            Self::RealmKeyChanged => "realm_key_changed",
            Self::RealmIsThisServer => "realm_is_this_server",
            Self::RealmQueueFull => "realm_queue_full",
            Self::Throttled => "throttled",
            Self::Busy | Self::CursorMoved => "busy",
            Self::LimitReached(_) => "limit_reached",
            Self::TagReused => "tag_reused",
            Self::StorageFailed => "storage_failed",
            Self::UnknownOutcome => "unknown_outcome",
        }
    }
}
