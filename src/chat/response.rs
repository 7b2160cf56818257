//! What a request came to, before anybody puts it into words.

use std::net::IpAddr;
use std::time::Duration;

use crate::chat::message::MessageBody;
use crate::chat::notification::Topics;
use crate::chat::peer::PeerAddress;
use crate::id::{PeerKey, Seq, SessionId, Token};
use crate::name::Name;
use crate::time::Time;

/// The log's receipt for a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The number of the (first) log entry.
    pub seq: Seq,
    /// The server's time for it.
    pub time: Time,
}

/// What a request came to. `wire` writes it as a reply.
#[derive(Clone, Debug)]
pub enum Response {
    /// Logged in.
    LoggedIn {
        /// As registered.
        user: Name,
        /// The new session's.
        token: Token,
    },
    /// Registered and logged in.
    Registered {
        /// As registered.
        user: Name,
        /// The new session's.
        token: Token,
    },
    /// Logged out.
    LoggedOut,
    /// The connection ends on the user's wish.
    Bye,
    /// About oneself.
    Whoami(Profile),
    /// About a user.
    Info(Profile),
    /// A direct message or broadcast was sent.
    Sent {
        /// The message's.
        receipt: Receipt,
        /// The receiver as registered, where the answer names one.
        to: Option<Name>,
        /// Whether another realm has it, where it is for one.
        delivered: Option<bool>,
    },
    /// A message to a group was sent.
    SentToGroup {
        /// The message's.
        receipt: Receipt,
        /// Whether another realm has it, where it is for one.
        delivered: Option<bool>,
    },
    /// A message to a user of a realm was sent.
    SentToRealm {
        /// The message's.
        receipt: Receipt,
        /// Whether the other side has it.
        delivered: bool,
    },
    /// A message to a group of a realm was sent.
    SentToRealmGroup {
        /// The message's.
        receipt: Receipt,
        /// Whether the other side has it.
        delivered: bool,
    },
    /// A page of the inbox.
    Inbox {
        /// Oldest first.
        messages: Vec<StoredMessage>,
        /// A page limit cut it.
        more: bool,
    },
    /// A page of what crossed realms.
    RealmInbox {
        /// Oldest first.
        messages: Vec<StoredMessage>,
        /// A page limit cut it.
        more: bool,
    },
    /// From now on the connection is told what is said.
    Subscribed {
        /// It is told what comes after this one; none: from now on.
        after: Option<Seq>,
        /// What it is told beside messages.
        topics: Topics,
    },
    /// The connection is told nothing any more.
    Unsubscribed,
    /// The inbox cursor stands here now.
    Acknowledged(Seq),
    /// A page of a conversation.
    History {
        /// Oldest first.
        messages: Vec<StoredMessage>,
        /// Where the next page ends: before this one. None where there is nothing older.
        before: Option<Seq>,
    },
    /// The active users, in the order of coming online.
    Active(Vec<Name>),
    /// A group was made.
    GroupCreated,
    /// A group was joined.
    GroupJoined {
        /// A password was given, which words the answer differently.
        with_password: bool,
    },
    /// The user's groups.
    Groups(Vec<Name>),
    /// A group's members.
    Members {
        /// In the order of joining.
        names: Vec<Name>,
        /// One of them.
        owner: Option<Name>,
    },
    /// A group was left.
    GroupLeft,
    /// A member was put out of a group.
    Kicked,
    /// A group was deleted.
    GroupDeleted,
    /// Joining a group asks for another password …
    GroupPasswordChanged {
        /// … or for none.
        closed: bool,
    },
    /// Somebody is heard no more.
    Blocked,
    /// Somebody is heard again.
    Unblocked,
    /// Whom the user blocks: `USER`, or `USER@REALM`.
    Blocks(Vec<Box<str>>),
    /// The user's password is another.
    PasswordChanged,
    /// The user's open sessions, in the order of opening.
    Sessions(Vec<SessionStatus>),
    /// A session was ended from another.
    Revoked,
    /// The account was given up.
    Unregistered,
    /// A realm was added.
    RealmAdded {
        /// Its name here.
        name: Name,
        /// The other server's key; none for a further name of this one.
        key: Option<PeerKey>,
    },
    /// A realm was removed.
    RealmRemoved,
    /// The realms this server knows.
    Realms(Vec<RealmStatus>),
    /// The connection becomes a link to another server.
    Linking,
    /// How to use the server, or one command.
    Help(Option<Box<str>>),
    /// Still here.
    Pong,
    /// Which server this is.
    Version,
}

/// What is known of a user.
#[derive(Clone, Debug)]
pub struct Profile {
    /// As registered.
    pub user: Name,
    /// The person's name.
    pub full_name: Box<str>,
    /// May be empty.
    pub country: Box<str>,
    /// The home realm.
    pub realm: Name,
    /// Has an open connection.
    pub online: bool,
    /// When the last connection ended, or now; none for one who never came.
    pub last_seen: Option<Time>,
}

/// A session in the list of a user's sessions.
#[derive(Clone, Debug)]
pub struct SessionStatus {
    /// Its number, by which it is revoked.
    pub id: SessionId,
    /// When it was opened.
    pub opened: Time,
    /// When its use was last noted.
    pub used: Time,
    /// The address of the client that opened it.
    pub origin: IpAddr,
    /// It is the one that asks.
    pub current: bool,
}

/// A realm in the list of realms.
#[derive(Clone, Debug)]
pub struct RealmStatus {
    /// Its name here.
    pub name: Name,
    /// How it is.
    pub state: RealmState,
    /// Since when, where it is another server and that is known since this one started.
    pub since: Option<Time>,
    /// How many messages wait for it.
    pub queued: usize,
    /// For how long the oldest of them has waited.
    pub waiting: Option<Duration>,
    /// Its key, where it is another server and was met.
    pub key: Option<PeerKey>,
    /// Where it is dialled.
    pub address: Option<PeerAddress>,
    /// What was wrong when it was last tried, in a sentence for operators.
    pub problem: Option<Box<str>>,
}

/// How a realm is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RealmState {
    /// The home realm of this server.
    Home,
    /// A further name of this server.
    Name,
    /// Another server, and the link is up.
    Up,
    /// Another server, and there is no link.
    Down,
}

/// A message as the store gives it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its `id`.
    pub seq: Seq,
    /// The server's time.
    pub time: Time,
    /// The rest of its object.
    pub body: MessageBody,
}
