//! How a listener answers: frames for programs, or lines for people.

use crate::chat::{CommandError, Notification, Response, StoredMessage};
use crate::id::Seq;
use crate::wire::commands::CommandSpec;
use crate::wire::request::{Ask, Rejection, Request, Tag};
use crate::wire::{json, text};

/// The kind of a listener (PROTOCOL §1). Every function appends whole frames: nothing is ever written in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyFormat {
    /// One JSON object a reply, in ASCII.
    Json,
    /// `[OK] text` or `[ERR] text`, in UTF-8.
    Text,
}

/// What a reply must know of its request once the rest of it is gone.
#[derive(Clone, Debug)]
pub struct ReplyContext {
    /// The row of the command word.
    pub spec: &'static CommandSpec,
    /// To be echoed.
    pub tag: Option<Tag>,
    /// The request is one that only the draft system has: a word of its own, `register` with two parameters, or
    /// `joingroup` with a password. It is answered in that system's wording.
    pub draft: bool,
}

/// Why the server closes a connection (PROTOCOL §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisconnectReason {
    /// The server stops.
    ShuttingDown,
    /// The connection was the longest silent one when room was needed.
    Evicted,
    /// There are as many connections as there may be, of this address or at all.
    TooManyConnections,
}

impl ReplyFormat {
    /// Appends the reply to a request.
    pub fn reply(self, out: &mut Vec<u8>, context: &ReplyContext, result: Result<&Response, CommandError>) {
        match self {
            Self::Json => json::append_reply(out, context, result),
            Self::Text => text::append_reply(out, context, result),
        }
    }

    /// Appends the reply to a line that is no request.
    pub fn reject(self, out: &mut Vec<u8>, rejection: &Rejection) {
        match self {
            Self::Json => json::append_rejection(out, rejection),
            Self::Text => text::append_rejection(out, rejection),
        }
    }

    /// Appends the refusal of a request of which nothing but the tag is known any more.
    pub fn refuse(self, out: &mut Vec<u8>, tag: Option<&Tag>, error: CommandError) {
        match self {
            Self::Json => json::append_refusal(out, tag, None, error),
            Self::Text => text::append_refusal(out, None, error),
        }
    }

    /// Appends a message as it is pushed. Made once a message, and copied to all connections it goes to.
    pub fn push(self, out: &mut Vec<u8>, message: &StoredMessage) {
        match self {
            Self::Json => json::append_event(out, message),
            Self::Text => text::append_message(out, message),
        }
    }

    /// Appends what is told beside messages.
    pub fn notify(self, out: &mut Vec<u8>, notification: &Notification) {
        match self {
            Self::Json => json::append_notice(out, notification),
            Self::Text => text::append_notice(out, notification),
        }
    }

    /// Appends the notice that messages after `after` were left out of the pushes, for the reader was too slow
    /// (PROTOCOL §7).
    pub fn lagged(self, out: &mut Vec<u8>, after: Seq) {
        match self {
            Self::Json => json::append_lagged(out, after),
            Self::Text => text::append_lagged(out),
        }
    }

    /// Appends the notice that of the messages before `before` some that were asked for are gone (PROTOCOL §7).
    pub fn truncated(self, out: &mut Vec<u8>, before: Seq) {
        match self {
            Self::Json => json::append_truncated(out, before),
            Self::Text => text::append_truncated(out),
        }
    }

    /// Appends the last words before the server closes a connection.
    pub fn farewell(self, out: &mut Vec<u8>, why: DisconnectReason) {
        match self {
            Self::Json => json::append_farewell(out, why),
            Self::Text => text::append_farewell(out, why),
        }
    }
}

impl Request {
    /// What the reply to this request must know of it.
    #[must_use]
    pub fn context(&self) -> ReplyContext {
        let has_the_form_of_draft =
            matches!(self.ask, Ask::Register { profile: None, .. } | Ask::JoinGroup { password: Some(_), .. });
        ReplyContext { spec: self.spec, tag: self.tag.clone(), draft: self.spec.of_draft || has_the_form_of_draft }
    }
}

impl DisconnectReason {
    /// The error's `code`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::ShuttingDown => "shutting_down",
            Self::Evicted | Self::TooManyConnections => "connection_limit",
        }
    }
}
