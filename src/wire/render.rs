//! Rendering: what every format of replies can write. All functions append whole frames.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::chat::{CommandError, Notification, Response, SessionEnd, StoredMessage};
use crate::id::Seq;
use crate::wire::format::{DisconnectReason, ReplyFormat};
use crate::wire::request::{ParseError, ReplyContext, Tag};
use crate::wire::{errors, help};

/// Writes replies and pushes in one format.
pub trait Render {
    /// The first line of a connection, if people are to be greeted.
    fn greet(&self, _out: &mut Vec<u8>) {}
    /// The reply to a request.
    fn reply(&self, out: &mut Vec<u8>, context: &ReplyContext, result: Result<&Response, CommandError>);
    /// The reply to a line that is no request.
    fn reject(&self, out: &mut Vec<u8>, error: &ParseError);
    /// The error for a request of which only the tag is still known.
    fn fail(&self, out: &mut Vec<u8>, tag: Option<&Tag>, error: CommandError);
    /// A pushed message. Rendered once for all connections of the format.
    fn push(&self, out: &mut Vec<u8>, message: &StoredMessage);
    fn notify(&self, out: &mut Vec<u8>, notification: &Notification);
    /// Messages after `after` were left out of the pushes because the reader was too slow (PROTOCOL §7).
    fn lagged(&self, out: &mut Vec<u8>, after: Seq);
    /// Some of the requested messages before `before` were removed (PROTOCOL §7).
    fn truncated(&self, out: &mut Vec<u8>, before: Seq);
    /// The log was restored: of the messages that the client knows, it has those up to `after` (PROTOCOL §7).
    fn reset(&self, out: &mut Vec<u8>, after: Seq);
    /// The session ended that the connection was attached to: nothing is pushed any more (PROTOCOL §7).
    fn session_ended(&self, out: &mut Vec<u8>, end: SessionEnd);
    /// A line was begun and not ended. Nothing for a program: it reads one frame per request.
    fn unfinished_line(&self, out: &mut Vec<u8>);
    /// The last reply before the server closes the connection.
    fn disconnect(&self, out: &mut Vec<u8>, reason: DisconnectReason);
    /// Keeps an idle connection open, if the format has something that no client reads.
    fn keep_alive(&self, _out: &mut Vec<u8>) {}
}

/// The sentence of a successful reply.
pub(super) fn success_sentence(context: &ReplyContext, format: ReplyFormat, response: &Response) -> Cow<'static, str> {
    match response {
        Response::Help(word) => help::sentence(*word, format.language()).into(),
        _ => context.spec.success_sentence(context.dialect, format, response),
    }
}

/// The sentence of an error reply.
pub(super) fn error_sentence(context: Option<&ReplyContext>, format: ReplyFormat, error: CommandError) -> &'static str {
    let command = context.map(|context| (context.dialect, context.spec.wordings));
    errors::sentence(error, format, command)
}
