//! The response to a request, before it is rendered.

use std::net::IpAddr;
use std::time::Duration;

use crate::chat::model::idempotency::Receipt;
use crate::chat::model::message::StoredMessage;
use crate::chat::model::peer::PeerAddress;
use crate::chat::views::notification::Topics;
use crate::id::{Epoch, InviteCode, PeerKey, Seq, SessionId, Token};
use crate::name::Name;
use crate::time::Time;

/// The response to a successful request. The row of the command (`wire/commands.rs`) has its sentence; `wire` adds the
/// fields.
#[derive(Clone, Debug)]
pub enum Response {
    /// Done; the sentence says everything.
    Done,
    /// Logged in, or registered and logged in.
    LoggedIn {
        user: Name,
        token: Token,
        /// In which the server numbers messages now.
        epoch: Epoch,
        /// The session ends with the server: the store took none.
        is_unstored: bool,
        /// On a text listener: what came while the user was away, if anything did.
        unread: Option<Unread>,
    },
    LoggedOut,
    /// The connection ends.
    Bye,
    Whoami {
        profile: Profile,
        /// As in [`Response::LoggedIn`].
        epoch: Epoch,
    },
    Info(Profile),
    Sent {
        receipt: Receipt,
        /// The recipient, if the reply names it.
        to: Option<Name>,
        /// Whether another realm has stored it, if it is for one.
        delivered: Option<bool>,
    },
    /// A page of the inbox, oldest first.
    Inbox {
        messages: Vec<StoredMessage>,
        /// The page limit cut it.
        more: bool,
        /// The store did not take that they were read.
        is_unread: bool,
    },
    /// A page of another view, oldest first.
    Page {
        messages: Vec<StoredMessage>,
        more: bool,
        /// As in [`Response::Inbox`].
        is_unread: bool,
        /// The page before this one ends before this entry.
        before: Option<Seq>,
    },
    /// Pushes follow.
    Subscribed {
        /// Pushes begin after this entry.
        after: Seq,
        /// The client knows numbers after it that the log does not have, or has given again.
        is_reset: bool,
        /// As in [`Response::LoggedIn`].
        epoch: Epoch,
        topics: Topics,
    },
    /// The inbox cursor stands here now.
    Acknowledged(Seq),
    /// The conversation is read up to here now.
    MarkedRead {
        /// As clients name it.
        conversation: Box<str>,
        mark: Seq,
    },
    /// The newest conversations, newest first.
    Conversations {
        conversations: Vec<ConversationSummary>,
        /// There may be further ones.
        more: bool,
    },
    /// The online users, in the order of coming online.
    Online(Vec<Name>),
    /// The user's groups.
    Groups(Vec<Name>),
    /// A group's members, in the order of joining.
    Members {
        names: Vec<Name>,
        owner: Option<Name>,
    },
    /// Joining the group now asks for a password, or for none.
    GroupPasswordChanged {
        closed: bool,
    },
    /// Blocked users: `USER`, or `USER@REALM`.
    Blocks(Vec<Box<str>>),
    /// The user's open sessions, oldest first.
    Sessions(Vec<SessionStatus>),
    RealmAdded {
        name: Name,
        /// The other server's key; `None` for a further name of this one.
        key: Option<PeerKey>,
    },
    Realms(Vec<RealmStatus>),
    Bans {
        bans: Vec<BanStatus>,
        /// The parameter of the request for the next page, if there is one.
        before: Option<Seq>,
    },
    Users {
        users: Vec<UserStatus>,
        /// The parameter of the request for the next page, if there is one.
        after: Option<Name>,
    },
    /// Oldest first.
    Invites(Vec<InviteStatus>),
    InviteMade {
        code: InviteCode,
        invite: InviteStatus,
    },
    Stats(Box<Stats>),
    /// The connection becomes a link to another server.
    Linking,
    /// Help on a command word, or an overview.
    Help(Option<&'static str>),
    Version,
}

/// Messages that wait in an inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unread {
    pub count: usize,
    /// There are more than were counted.
    pub more: bool,
}

/// A user's profile.
#[derive(Clone, Debug)]
pub struct Profile {
    pub user: Name,
    pub full_name: Box<str>,
    /// May be empty.
    pub country: Box<str>,
    /// The home realm.
    pub realm: Name,
    pub online: bool,
    /// When the last connection ended, or now; `None` for a user who never came.
    pub last_seen: Option<Time>,
}

/// A conversation in the list of a user's conversations.
#[derive(Clone, Debug)]
pub struct ConversationSummary {
    /// As clients name it.
    pub conversation: Box<str>,
    /// The full name of a user of this server; else as in `conversation`.
    pub name: Box<str>,
    /// Read up to here.
    pub mark: Seq,
    pub unread: usize,
    /// There are more unread messages than were counted.
    pub unread_more: bool,
    /// The newest message.
    pub last: Option<StoredMessage>,
}

/// A session in the list of a user's sessions.
#[derive(Clone, Debug)]
pub struct SessionStatus {
    pub id: SessionId,
    pub opened: Time,
    pub used: Time,
    /// The address of the client that opened it.
    pub origin: IpAddr,
    /// The session that asks.
    pub current: bool,
}

/// A ban in the list of bans.
#[derive(Clone, Debug)]
pub struct BanStatus {
    pub id: Seq,
    /// As in a request: a user, a network, or `realm:REALM`.
    pub target: Box<str>,
    /// `None` for the operator at the server's machine.
    pub by: Option<Name>,
    pub since: Time,
    pub until: Option<Time>,
    pub reason: Box<str>,
}

/// A user in the list of all users.
#[derive(Clone, Debug)]
pub struct UserStatus {
    pub user: Name,
    pub full_name: Box<str>,
    pub online: bool,
    /// Open sessions.
    pub sessions: usize,
    /// As in a [`Profile`].
    pub last_seen: Option<Time>,
    pub is_administrator: bool,
    pub is_locked: bool,
    pub is_banned: bool,
}

/// An invite in the list of invites.
#[derive(Clone, Debug)]
pub struct InviteStatus {
    pub id: Seq,
    /// How many may still register with it.
    pub uses: u32,
    pub until: Time,
    pub by: Option<Name>,
}

/// The server in numbers.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    pub users: usize,
    pub online: usize,
    pub connections: usize,
    pub sessions: usize,
    pub groups: usize,
    /// Other servers, and how many of their links are up.
    pub peers: usize,
    pub links_up: usize,
    pub bans: usize,
    pub locked: usize,
    pub invites: usize,
    /// The newest log entry.
    pub head: Seq,
    pub uptime: Duration,
}

/// A realm in the list of realms.
#[derive(Clone, Debug)]
pub struct RealmStatus {
    pub name: Name,
    pub state: RealmState,
    /// Since when the link is up or down, if that is known since this process started.
    pub since: Option<Time>,
    /// Messages in the outbox.
    pub queued: usize,
    /// The age of the oldest of them.
    pub waiting: Option<Duration>,
    /// The other server's key, once it is known.
    pub key: Option<PeerKey>,
    /// The address that is dialled.
    pub address: Option<PeerAddress>,
    /// The last failure, in a sentence for operators.
    pub problem: Option<Box<str>>,
}

/// The state of a realm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RealmState {
    /// The home realm of this server.
    Home,
    /// A further name of this server.
    Name,
    /// Another server, and the link is up.
    Up,
    /// Another server, and the link is down.
    Down,
}
