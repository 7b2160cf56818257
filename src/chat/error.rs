//! Why a request fails.

use serde::{Deserialize, Serialize};

use crate::limits::UNAVAILABLE;

/// Declares [`CommandError`] with the complete list of its variants.
macro_rules! command_errors {
    ($($(#[$doc:meta])* $variant:ident $(($number:ty))?,)+) => {
        /// Why a request fails. The sentences and codes stand in one table, `wire/errors/requests.rs`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum CommandError { $($(#[$doc])* $variant $(($number))?,)+ }

        impl CommandError {
            /// Every error there is, with a number where it has one.
            pub const ALL: &'static [Self] = &[$(Self::$variant $((7 as $number))?,)+];
        }
    };
}

command_errors! {
    UserNotFound,
    /// The recipient, on a text listener, is not online.
    UserOffline,
    /// Wrong password of an account or a group.
    WrongPassword,
    /// The password is shorter than the operator allows.
    PasswordTooShort,
    UserExists,
    /// Never logged in, logged out, or expired.
    NoSession,
    /// The user has no open session of that number.
    SessionNotFound,
    Forbidden,
    /// The log has given no such number yet.
    UnknownId,
    /// Only the operator at the server's machine has power over an administrator.
    OtherAdministrator,
    /// An administrator has locked the account.
    Locked,
    /// The account, or the address, is banned.
    Banned,
    /// The network holds the address from which it is to be banned.
    OwnAddress,
    /// Nobody of that name is banned.
    BanNotFound,
    /// There are `MAX_BANS`.
    BanLimit,
    /// Registering takes an invite.
    InviteNeeded,
    /// The invite is unknown, used up, revoked or over.
    InviteNotFound,
    /// There are `MAX_INVITES`.
    InviteLimit,
    /// The name is that of an administrator who has no account yet.
    NameOfAdministrator,
    /// Only the group's owner may.
    NotOwner,
    /// A user cannot block or kick itself.
    Oneself,
    /// The recipient has blocked the sender.
    Blocked,
    GroupExists,
    GroupNotFound,
    AlreadyMember,
    NotMember,
    /// The other user is not in the group.
    UserNotMember,
    RealmExists,
    RealmNotFound,
    /// The other server does not answer.
    RealmUnreachable,
    /// One of the two servers rejects the link or the message.
    RealmRefused,
    /// The other server shows another key than before.
    RealmKeyChanged,
    /// The other server is this one.
    RealmIsThisServer,
    /// The other server speaks another version of the link protocol.
    LinkVersion,
    /// The sender has left as much unread in the recipient's inbox as one may.
    InboxFull,
    /// The outbox to the other server is full.
    RealmQueueFull,
    /// Too many failed attempts: to be tried again after so many seconds.
    Throttled(u32),
    /// The user or the address does more than its share: to be tried again after so many seconds.
    SlowDown(u32),
    /// Too much at once.
    Busy,
    /// There are `MAX_USERS`.
    UserLimit,
    /// There are `MAX_GROUPS`.
    GroupLimit,
    /// The user owns as many groups as one may.
    GroupQuota(u32),
    /// The user is in `MAX_MEMBERSHIPS` groups.
    MembershipLimit,
    /// There are `MAX_REALMS`.
    RealmLimit,
    /// The user has added as many realms as one may.
    RealmQuota(u32),
    /// The user has `BLOCKS_PER_USER`.
    BlockLimit,
    /// The user has `MARKS_PER_USER`.
    MarkLimit,
    /// The tag was used for another request.
    TagReused,
    /// The cursor moved meanwhile: read again. Never leaves the server.
    CursorMoved,
    /// The disk refused the change: nothing was changed.
    StorageFailed,
    /// The disk is nearly full: only what takes no more room is done.
    DiskReserve,
    /// The disk failed half-way, or the cluster did not answer: the change may or may not have been stored.
    UnknownOutcome,
    /// No node leads the cluster, or this one cannot reach it: nothing was changed.
    Unavailable,
}

impl CommandError {
    /// Whether the change failed because the store did not take it.
    #[must_use]
    pub fn is_of_the_store(self) -> bool {
        matches!(self, Self::StorageFailed | Self::UnknownOutcome | Self::DiskReserve)
    }

    /// After how many seconds the request may be tried again, if that is known.
    #[must_use]
    pub fn retry_after(self) -> Option<u32> {
        match self {
            Self::Throttled(seconds) | Self::SlowDown(seconds) => Some(seconds),
            Self::Unavailable => Some(UNAVAILABLE),
            _ => None,
        }
    }
}

/// Why another realm does not take a message. Stored and sent: variants are only ever added, at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BounceReason {
    UserNotFound,
    GroupNotFound,
    /// The group is closed to users of other realms.
    NotMember,
    /// The recipient has blocked the sender.
    Blocked,
    /// Too long for that server, or with characters that it does not allow.
    Malformed,
    /// The sender has left too much unread in the recipient's inbox.
    InboxFull,
}

impl BounceReason {
    /// Every reason, in the order of the stored numbers.
    pub const ALL: [Self; 6] =
        [Self::UserNotFound, Self::GroupNotFound, Self::NotMember, Self::Blocked, Self::Malformed, Self::InboxFull];

    /// The stored number.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The reason of a stored number.
    #[must_use]
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.number() == number)
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
            BounceReason::InboxFull => Self::InboxFull,
        }
    }
}
