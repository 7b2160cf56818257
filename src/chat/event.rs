//! Events: what happened. They are the only thing that changes state and the only thing stored.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::chat::error::BounceReason;
use crate::chat::model::ban::BanTarget;
use crate::chat::model::conversation::ConversationId;
use crate::chat::model::idempotency::{IdempotencyKey, ReadPage};
use crate::chat::model::message::{Author, Message};
use crate::chat::model::peer::PeerInfo;
use crate::chat::model::user::PasswordHash;
use crate::id::{Epoch, GroupId, RealmId, Seq, SessionId, TokenHash, UserId};
use crate::name::Name;
use crate::time::Time;

/// An event with its place in the log and the server's time, which never goes back along the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub seq: Seq,
    pub time: Time,
    pub event: Event,
}

/// A decided change of the state.
///
/// The stored form is positional: variants and fields are only ever added at the end, and a frozen log of every
/// released version is read in the tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    UserRegistered {
        /// The next free number.
        user: UserId,
        name: Name,
        full_name: Box<str>,
        /// May be empty.
        country: Box<str>,
        password: PasswordHash,
    },
    /// A user logged in. The session's number is that of this log entry.
    SessionOpened {
        user: UserId,
        token: TokenHash,
        /// The session ends with its connection (a text listener's).
        ephemeral: bool,
        /// The address of the client.
        origin: IpAddr,
    },
    /// A session was used after a while; not every use is an event.
    SessionUsed {
        session: SessionId,
    },
    /// A session ended: logged out, revoked, expired, or evicted by a newer one.
    SessionClosed {
        session: SessionId,
    },
    MessageSent(Message),
    InboxRead {
        user: UserId,
        /// The inbox is read up to and including this entry.
        upto: Seq,
    },
    /// A range was pushed to a text listener: that counts as read.
    PushedRead {
        user: UserId,
        /// Exclusive start.
        after: Seq,
        /// Inclusive end. The range contains every earlier one that it touches.
        upto: Seq,
    },
    RealmInboxRead {
        user: UserId,
        realm: RealmId,
        /// Read up to and including this entry.
        upto: Seq,
    },
    /// The owner's joining follows as an event of its own.
    GroupCreated {
        /// The next free number.
        group: GroupId,
        name: Name,
        owner: UserId,
        password: Option<PasswordHash>,
    },
    GroupJoined {
        group: GroupId,
        user: UserId,
    },
    /// This server answers to one more name.
    RealmAdded {
        /// The next free number.
        realm: RealmId,
        name: Name,
        by: Option<UserId>,
    },
    /// A tagged request was done by the entries from `first` to the one before this.
    RequestDone {
        key: IdempotencyKey,
        first: Seq,
        /// The page that it read, if it read one.
        page: Option<Box<ReadPage>>,
    },
    GroupLeft {
        group: GroupId,
        user: UserId,
        /// The user, or the owner who kicked the user.
        by: UserId,
    },
    GroupHandedOver {
        group: GroupId,
        /// The new owner, one of the members.
        owner: UserId,
    },
    /// A group was deleted, and with it all memberships. Its name is free again, its number is not.
    GroupDeleted {
        group: GroupId,
    },
    GroupPasswordChanged {
        group: GroupId,
        /// `None`: joining asks for none any more.
        password: Option<PasswordHash>,
    },
    UserBlocked {
        user: UserId,
        blocked: Author,
    },
    UserUnblocked {
        user: UserId,
        blocked: Author,
    },
    PasswordChanged {
        user: UserId,
        password: PasswordHash,
    },
    /// Sessions and memberships ended before, by events of their own. The name stays reserved.
    UserUnregistered {
        user: UserId,
    },
    /// From here on other servers are told this server's numbers under a new epoch.
    EpochBegun {
        epoch: Epoch,
    },
    /// Another server was linked.
    PeerAdded {
        /// The next free number, or that of a name of this server that becomes the other server's.
        realm: RealmId,
        name: Name,
        /// `None` for the configuration, or a server that dialled in by itself.
        by: Option<UserId>,
        info: PeerInfo,
    },
    PeerChanged {
        realm: RealmId,
        name: Name,
        info: PeerInfo,
    },
    /// Another server calls this one by a name that is none of its own.
    AliasAdded {
        /// The next free number, or that of an alias that is reused.
        realm: RealmId,
        name: Name,
    },
    /// A realm was removed. Its name is free again, its number is not.
    RealmRemoved {
        realm: RealmId,
    },
    /// Everything up to a number of another server was received; its messages stand in the entries before this one.
    PeerReceived {
        realm: RealmId,
        epoch: Epoch,
        upto: Seq,
        /// The messages among them that were refused.
        refused: Vec<(Seq, BounceReason)>,
        /// The epoch that is dropped to make room, if there were too many.
        forgotten: Option<Epoch>,
    },
    /// Another server has stored which of its messages were refused, up to a number.
    PeerConfirmed {
        realm: RealmId,
        epoch: Epoch,
        upto: Seq,
    },
    /// Another server has stored everything of its outbox up to an entry.
    OutboxAcknowledged {
        realm: RealmId,
        upto: Seq,
        /// The messages among them that it refused, with their senders.
        refused: Vec<(Seq, UserId, BounceReason)>,
    },
    UserRenamed {
        user: UserId,
        full_name: Box<str>,
    },
    /// A membership that ended is dropped, to make room for another one: its messages are not readable any more.
    MembershipForgotten {
        user: UserId,
        group: GroupId,
        /// The log entry of joining.
        joined: Seq,
    },
    /// A deleted group to which no membership refers any more.
    GroupForgotten {
        group: GroupId,
    },
    /// A removed realm that nothing needs to know any more.
    RealmForgotten {
        realm: RealmId,
    },
    /// A user has read a conversation.
    ReadMarked {
        user: UserId,
        conversation: ConversationId,
        /// Read up to and including this entry.
        upto: Seq,
    },
    /// Somebody is kept out. An earlier ban of the same is replaced.
    Banned {
        target: BanTarget,
        /// `None` for the operator at the server's own machine.
        by: Option<UserId>,
        /// `None` for ever.
        until: Option<Time>,
        /// May be empty.
        reason: Box<str>,
    },
    /// A ban was lifted, or is over.
    Unbanned {
        target: BanTarget,
    },
    /// Nobody can log in to the account. Its sessions ended by events of their own.
    UserLocked {
        user: UserId,
        by: Option<UserId>,
    },
    UserUnlocked {
        user: UserId,
    },
    /// An invite was made. Its number is that of this log entry.
    InviteMade {
        code: TokenHash,
        by: Option<UserId>,
        uses: u32,
        until: Time,
    },
    /// Somebody registered with an invite. The last use removes it.
    InviteUsed {
        invite: Seq,
        user: UserId,
    },
    /// An invite was revoked, or is over.
    InviteRevoked {
        invite: Seq,
    },
}

impl Event {
    /// Whether another server is told of it, or relies on it. Such an event is on stable storage first, whatever
    /// `durability` says (PROTOCOL §6).
    #[must_use]
    pub fn crosses_realms(&self) -> bool {
        match self {
            Self::MessageSent(message) => message.to.remote_realm().is_some(),
            Self::EpochBegun { .. }
            | Self::PeerReceived { .. }
            | Self::PeerConfirmed { .. }
            | Self::OutboxAcknowledged { .. } => true,
            _ => false,
        }
    }
}
