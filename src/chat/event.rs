//! What happened. Events are the only thing that changes state and the only thing stored.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::chat::accounts::PasswordHash;
use crate::chat::error::BounceReason;
use crate::chat::idempotency::{IdempotencyKey, ReadPage};
use crate::chat::message::{Author, Message};
use crate::chat::peer::PeerInfo;
use crate::id::{GroupId, Incarnation, RealmId, Seq, SessionId, TokenHash, UserId};
use crate::name::Name;
use crate::time::Time;

/// An event with its place in the log and the server's time, which never goes back along the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the log.
    pub seq: Seq,
    /// When it was decided.
    pub time: Time,
    /// What happened.
    pub event: Event,
}

/// What happened, decided.
///
/// The stored form is positional: variants and fields are only ever added at the end, and a frozen log of every
/// released version is read in the tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// An account was made.
    UserRegistered {
        /// The next free number.
        user: UserId,
        /// As it will be shown.
        name: Name,
        /// The person's name.
        full_name: Box<str>,
        /// Where the person is from; may be empty.
        country: Box<str>,
        /// Of the account's password.
        password: PasswordHash,
    },
    /// A user logged in. The session's number is that of this log entry.
    SessionOpened {
        /// Who.
        user: UserId,
        /// Of the token that was handed out.
        token: TokenHash,
        /// Ends with its connection (a text listener's).
        ephemeral: bool,
        /// The address of the client that logged in.
        origin: IpAddr,
    },
    /// A session was used after a while (not every use is an event).
    SessionUsed {
        /// Which.
        session: SessionId,
    },
    /// A session ended: logged out, revoked, expired, or pushed out by newer ones.
    SessionClosed {
        /// Which.
        session: SessionId,
    },
    /// A message was said.
    MessageSent(Message),
    /// A user's inbox was read.
    InboxRead {
        /// Whose.
        user: UserId,
        /// The inbox is read up to and with this one.
        upto: Seq,
    },
    /// What came in an interval was pushed to a text listener, where that counts as read.
    PushedRead {
        /// Whose.
        user: UserId,
        /// The interval is open here …
        after: Seq,
        /// … and closed here. It holds every earlier interval that it touches.
        upto: Seq,
    },
    /// A user's view of what crossed realms was read.
    RealmInboxRead {
        /// Whose.
        user: UserId,
        /// Of which realm.
        realm: RealmId,
        /// Read up to and with this one.
        upto: Seq,
    },
    /// A group was made; its owner is its first member.
    GroupCreated {
        /// The next free number.
        group: GroupId,
        /// As it will be shown.
        name: Name,
        /// Who made it.
        owner: UserId,
        /// Of the group's password, where it has one.
        password: Option<PasswordHash>,
    },
    /// A user joined a group.
    GroupJoined {
        /// Which.
        group: GroupId,
        /// Who.
        user: UserId,
    },
    /// This server answers to one more name.
    RealmAdded {
        /// The next free number.
        realm: RealmId,
        /// The name.
        name: Name,
        /// Who added it.
        by: Option<UserId>,
    },
    /// A tagged request was done: by the entries from `first` to the one before this.
    RequestDone {
        /// Whose, under which tag.
        once: IdempotencyKey,
        /// What it was answered with: this entry's number, and this event's time.
        first: Seq,
        /// The page that it read, where it read one.
        page: Option<Box<ReadPage>>,
    },
    /// A user's membership of a group ended.
    GroupLeft {
        /// Which.
        group: GroupId,
        /// Whose.
        user: UserId,
        /// Who ended it: the user, or the owner who put the user out.
        by: UserId,
    },
    /// A group has a new owner, one of its members.
    GroupHandedOver {
        /// Which.
        group: GroupId,
        /// The new owner.
        owner: UserId,
    },
    /// A group came to its end, and with it all memberships. Its name is free again, its number is not.
    GroupDeleted {
        /// Which.
        group: GroupId,
    },
    /// Joining a group asks for another password, or for none.
    GroupPasswordChanged {
        /// Which.
        group: GroupId,
        /// Of the new password, where there is one.
        password: Option<PasswordHash>,
    },
    /// A user does not want to hear from somebody.
    UserBlocked {
        /// Who does not want to hear …
        user: UserId,
        /// … from whom.
        blocked: Author,
    },
    /// A user wants to hear from somebody again.
    UserUnblocked {
        /// Who wants to hear …
        user: UserId,
        /// … from whom.
        blocked: Author,
    },
    /// A user has another password.
    PasswordChanged {
        /// Who.
        user: UserId,
        /// Of the new password.
        password: PasswordHash,
    },
    /// A user has given up the account, after the sessions and memberships. Its name stays reserved.
    UserUnregistered {
        /// Who.
        user: UserId,
    },
    /// From here on the numbers that other servers are told are of a new incarnation.
    IncarnationBegun {
        /// Which.
        incarnation: Incarnation,
    },
    /// Another server was linked.
    PeerAdded {
        /// The next free number, or that of a name of this server which becomes the other one's.
        realm: RealmId,
        /// Its name here.
        name: Name,
        /// Who added it; nobody where that was the configuration, or where it came by itself.
        by: Option<UserId>,
        /// What is known of it.
        info: PeerInfo,
    },
    /// Something else is known of another server.
    PeerChanged {
        /// Which.
        realm: RealmId,
        /// Its name here.
        name: Name,
        /// What is known of it.
        info: PeerInfo,
    },
    /// Another server calls this one by a name that is none of its own.
    AliasAdded {
        /// The next free number, or that of the name that it used before.
        realm: RealmId,
        /// The name.
        name: Name,
    },
    /// A realm is no more. Its name is free again, its number is not.
    RealmRemoved {
        /// Which.
        realm: RealmId,
    },
    /// Everything up to a number of another server was taken in, with the messages before this entry.
    PeerReceived {
        /// From which.
        realm: RealmId,
        /// In which of its incarnations.
        incarnation: Incarnation,
        /// Up to and with this number.
        upto: Seq,
        /// What of it was refused.
        refused: Vec<(Seq, BounceReason)>,
        /// The incarnation that is forgotten for it, where there are too many.
        forgotten: Option<Incarnation>,
    },
    /// Another server has noted what was refused of what it sent.
    PeerConfirmed {
        /// Which.
        realm: RealmId,
        /// In which of its incarnations.
        incarnation: Incarnation,
        /// Up to and with this number.
        upto: Seq,
    },
    /// Another server has everything of its outbox up to an entry.
    OutboxAcknowledged {
        /// Which.
        realm: RealmId,
        /// Up to and with this one.
        upto: Seq,
        /// What of it was refused, and who had sent that.
        refused: Vec<(Seq, UserId, BounceReason)>,
    },
}

impl Event {
    /// Whether another server is told of it, or relies on it. That is on stable storage first, whatever else need not be
    /// (PROTOCOL §6).
    #[must_use]
    pub fn crosses_realms(&self) -> bool {
        match self {
            Self::MessageSent(message) => message.to.remote_realm().is_some(),
            Self::IncarnationBegun { .. }
            | Self::PeerReceived { .. }
            | Self::PeerConfirmed { .. }
            | Self::OutboxAcknowledged { .. } => true,
            _ => false,
        }
    }
}
