//! What a line asks for.

use std::borrow::Cow;

use secrecy::SecretString;

use crate::chat::Conversation;
use crate::chat::Topics;
use crate::id::{Hash64, Seq, SessionId, Token};
use crate::limits::TAG_BYTES;
use crate::name::{Address, Name};
use crate::wire::codec::LineError;
use crate::wire::commands::CommandSpec;

/// What a line comes to.
#[derive(Debug)]
pub enum Parsed {
    /// Nothing: no answer.
    Blank,
    /// A web page drives somebody's browser: close without an answer (PROTOCOL §1).
    Http,
    /// A request.
    Request(Request),
    /// No request; the answer says why.
    Rejected(Rejection),
}

/// A well-formed request.
#[derive(Debug)]
pub struct Request {
    /// To be echoed in the reply (PROTOCOL §7).
    pub tag: Option<Tag>,
    /// The session to act for, where the request names one.
    pub token: Option<Token>,
    /// The row of its command word.
    pub spec: &'static CommandSpec,
    /// What is asked for.
    pub ask: Ask,
    /// Tells a tagged request from another one with the same tag. Nothing of a password is in it.
    pub digest: Option<Hash64>,
}

/// What is asked for; words that mean the same ask the same.
#[derive(Debug)]
pub enum Ask {
    /// `auth`, `login`.
    LogIn {
        /// Who.
        user: Name,
        /// The account's.
        password: SecretString,
    },
    /// `register`.
    Register {
        /// The account's name.
        user: Name,
        /// The account's.
        password: SecretString,
        /// Given in the form with four parameters.
        profile: Option<NewProfile>,
    },
    /// `logout`.
    LogOut,
    /// `exit`, `quit`.
    Exit,
    /// `whoami`.
    Whoami,
    /// `send`.
    Send {
        /// The receiver.
        to: Address,
        /// What is said.
        text: Box<str>,
    },
    /// `chat`: the same, and the answer names the receiver.
    Chat {
        /// The receiver.
        to: Address,
        /// What is said.
        text: Box<str>,
    },
    /// `inbox`, `kotakmasuk`.
    Inbox,
    /// `peek`.
    Peek,
    /// `ack`.
    Acknowledge {
        /// The newest message that the client has dealt with.
        upto: Seq,
    },
    /// `subscribe`.
    Subscribe {
        /// The newest message that the client has; without one, from now on.
        after: Option<Seq>,
        /// What else it wants to be told.
        topics: Topics,
    },
    /// `unsubscribe`.
    Unsubscribe,
    /// `history`.
    History {
        /// Of what.
        conversation: Conversation,
        /// Only messages with smaller numbers.
        before: Option<Seq>,
        /// At most so many, at least one.
        limit: Option<usize>,
    },
    /// `showuseractive`, `list`, `user_on`, `online`.
    Active,
    /// `info`.
    Info {
        /// About whom; without one, who is active.
        user: Option<Name>,
    },
    /// `broadcast`.
    Broadcast {
        /// What is said.
        text: Box<str>,
    },
    /// `addgroup`, `creategroup`.
    CreateGroup {
        /// Its name.
        group: Name,
        /// What joining will ask for.
        password: Option<SecretString>,
    },
    /// `joingroup`.
    JoinGroup {
        /// Which.
        group: Name,
        /// The group's.
        password: Option<SecretString>,
    },
    /// `sendgroup`, `chatgroup`.
    SendGroup {
        /// The group.
        to: Address,
        /// What is said.
        text: Box<str>,
    },
    /// `leavegroup`.
    LeaveGroup {
        /// Which.
        group: Name,
    },
    /// `kick`.
    Kick {
        /// Out of which group.
        group: Name,
        /// Whom.
        user: Name,
    },
    /// `delgroup`.
    DeleteGroup {
        /// Which.
        group: Name,
    },
    /// `grouppasswd`.
    ChangeGroupPassword {
        /// Of which group.
        group: Name,
        /// What joining will ask for, if anything.
        password: Option<SecretString>,
    },
    /// `block`.
    Block {
        /// Whom.
        user: Address,
    },
    /// `unblock`.
    Unblock {
        /// Whom.
        user: Address,
    },
    /// `blocks`.
    Blocks,
    /// `passwd`.
    ChangePassword {
        /// The account's.
        old: SecretString,
        /// What it is to be.
        new: SecretString,
    },
    /// `sessions`.
    Sessions,
    /// `revoke`.
    Revoke {
        /// Which.
        session: SessionId,
    },
    /// `unregister`.
    Unregister {
        /// The account's.
        password: SecretString,
    },
    /// `addrealm`.
    AddRealm {
        /// Its name here.
        realm: Name,
        /// Host and port of the server to link; without one, a further name of this server.
        peer: Option<(Box<str>, u16)>,
    },
    /// `delrealm`.
    RemoveRealm {
        /// Which.
        realm: Name,
    },
    /// `link`.
    Link {
        /// Of the protocol that links speak.
        version: u16,
    },
    /// `sendprivaterealm`.
    SendPrivateRealm {
        /// Where.
        realm: Name,
        /// The receiver.
        user: Name,
        /// What is said.
        text: Box<str>,
    },
    /// `sendgrouprealm`.
    SendGroupRealm {
        /// Where.
        realm: Name,
        /// The group.
        group: Name,
        /// What is said.
        text: Box<str>,
    },
    /// `getrealminbox`.
    RealmInbox {
        /// Which.
        realm: Name,
    },
    /// `groups`.
    Groups,
    /// `members`.
    Members {
        /// Of which group.
        group: Name,
    },
    /// `realms`.
    Realms,
    /// `help`.
    Help {
        /// With which command word, one of the table; without one, with all.
        command: Option<Box<str>>,
    },
    /// `ping`.
    Ping,
    /// `version`.
    Version,
}

/// Who registers, beyond the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProfile {
    /// 1 to `PROFILE_BYTES` bytes, `_` replaced by a space.
    pub full_name: Box<str>,
    /// Likewise.
    pub country: Box<str>,
}

/// What a client calls its request by: 1-64 of `A-Za-z0-9_-` (PROTOCOL §7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag(Box<str>);

impl Tag {
    /// Reads a tag, without the `#` in front of it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = (1..=TAG_BYTES).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        well_formed.then(|| Self(text.into()))
    }

    /// The tag as it is remembered.
    #[must_use]
    pub fn digest(&self) -> Hash64 {
        Hash64::of(&[&self.0])
    }

    /// The tag as the client wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a line is no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The line's, where it has one.
    pub tag: Option<Tag>,
    /// The row of its command word, where it is one.
    pub spec: Option<&'static CommandSpec>,
    /// What is wrong.
    pub fault: Fault,
    /// Which parameter, and what was expected; nothing of what the client wrote.
    pub detail: Cow<'static, str>,
}

/// What is wrong with a line. Each is one stable error `code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The first word is not in the table.
    UnknownCommand,
    /// Too few or bad parameters.
    BadParameter,
    /// It cannot be read at all.
    Line(LineError),
}

impl Fault {
    /// The reply's `code`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownCommand => "unknown_command",
            Self::BadParameter => "bad_parameter",
            Self::Line(LineError::TooLong { .. }) => "line_too_long",
            Self::Line(LineError::NotUtf8) => "invalid_utf8",
            Self::Line(LineError::ControlCharacter) => "control_character",
        }
    }
}

impl From<LineError> for Rejection {
    fn from(error: LineError) -> Self {
        Self { tag: None, spec: None, fault: Fault::Line(error), detail: error.to_string().into() }
    }
}
