//! Actions of requests.

use secrecy::SecretString;

use crate::chat::{Command, Conversation, Position, Query, Topics};
use crate::id::{InviteCode, Seq};
use crate::name::Name;

/// The action of a request. Words that mean the same have the same action.
#[derive(Clone, Debug)]
pub enum Action {
    /// A change that the hub decides.
    Change(Command),
    /// A question that the state answers.
    Read(Query),
    /// Actions that need the connection, a password hash, a page of the store or another server first.
    Session(SessionRequest),
}

impl Action {
    /// Whether the request is done once for each tag. Another one only gets its tag back.
    #[must_use]
    pub fn is_done_once(&self) -> bool {
        match self {
            Self::Change(_) => true,
            Self::Read(_) => false,
            Self::Session(request) => matches!(
                request,
                SessionRequest::ChangePassword { .. }
                    | SessionRequest::SetPassword { .. }
                    | SessionRequest::AddUser { .. }
                    | SessionRequest::Unregister { .. }
                    | SessionRequest::CreateGroup { .. }
                    | SessionRequest::JoinGroup { .. }
                    | SessionRequest::ChangeGroupPassword { .. }
                    | SessionRequest::Inbox
                    | SessionRequest::RealmInbox { .. }
                    | SessionRequest::LinkRealm { .. }
            ),
        }
    }
}

/// A request that the connection's session handles itself.
#[derive(Clone, Debug)]
pub enum SessionRequest {
    LogIn {
        user: Name,
        password: SecretString,
    },
    Register {
        user: Name,
        password: SecretString,
        /// Given in the form with four parameters.
        profile: Option<NewProfile>,
        invite: Option<InviteCode>,
    },
    /// Give a user another password, for administrators.
    SetPassword {
        user: Name,
        password: SecretString,
    },
    /// Make an account, for administrators.
    AddUser {
        user: Name,
        password: SecretString,
        profile: Option<NewProfile>,
    },
    /// Make an invite, for administrators.
    Invite {
        uses: u32,
        days: u32,
    },
    ChangePassword {
        old: SecretString,
        new: SecretString,
    },
    Unregister {
        password: SecretString,
    },
    CreateGroup {
        group: Name,
        password: SecretString,
    },
    JoinGroup {
        group: Name,
        password: SecretString,
    },
    ChangeGroupPassword {
        group: Name,
        password: SecretString,
    },
    Inbox,
    /// The inbox without moving its cursor.
    Peek,
    RealmInbox {
        realm: Name,
    },
    History {
        /// `None`: everything.
        conversation: Option<Conversation>,
        /// Only messages with smaller numbers.
        before: Option<Seq>,
        /// At least one.
        limit: Option<usize>,
    },
    Conversations {
        /// At least one.
        limit: Option<usize>,
    },
    /// Move the read mark of a conversation.
    MarkRead {
        conversation: Conversation,
        upto: Position,
    },
    Subscribe {
        /// The newest message that the client has; `None`: from now on.
        after: Option<Position>,
        topics: Topics,
    },
    Unsubscribe,
    /// Link another server.
    LinkRealm {
        realm: Name,
        host: Box<str>,
        port: u16,
    },
    /// Another server wants to link this one.
    Link {
        version: u16,
    },
    Exit,
    /// With the command word, one of the table; `None`: an overview.
    Help(Option<&'static str>),
    Ping,
    Version,
}

/// The profile of a new account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProfile {
    /// 1 to `PROFILE_BYTES` bytes, `_` replaced by a space.
    pub full_name: Box<str>,
    /// As `full_name`.
    pub country: Box<str>,
}
