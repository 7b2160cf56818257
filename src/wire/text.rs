//! The lines of a `text` listener: `[OK] text` or `[ERR] text`, lists one item a line before it (PROTOCOL §1).

mod administration;
mod items;
mod line;
mod message;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vocabulary;
mod words;

use crate::chat::{CommandError, GroupChange, Notification, Response, SessionEnd, StoredMessage, Unread};
use crate::id::Seq;
use crate::name::Name;
use crate::settings::Language;
use crate::wire::catalog;
use crate::wire::errors;
use crate::wire::format::{Dialect, DisconnectReason, ReplyFormat};
use crate::wire::phrase::{Phrase, ours, phrase, say};
use crate::wire::render::{self, Render};
use crate::wire::request::{ParseError, ReplyContext, Tag};
use crate::wire::text::line::append_line;
use crate::wire::text::message::append_message;

/// The renderer of a language.
pub(super) struct Text(pub(super) Language);

impl Render for Text {
    fn greet(&self, out: &mut Vec<u8>) {
        let greeting = words::GREETING.text(self.0);
        if !greeting.is_empty() {
            append_line(out, &[greeting]);
        }
    }

    fn reply(&self, out: &mut Vec<u8>, context: &ReplyContext, result: Result<&Response, CommandError>) {
        match result {
            Ok(response) => {
                items::append_items(out, context, response, self.0);
                append_line(out, &["[OK] ", &render::success_sentence(context, ReplyFormat::Text(self.0), response)]);
                self.append_notice(out, context, response);
            }
            Err(error) => self.append_command_error(out, Some(context), error),
        }
    }

    fn reject(&self, out: &mut Vec<u8>, error: &ParseError) {
        let sentence = errors::of_line(error.kind).sentence(ReplyFormat::Text(self.0), None);
        let problem = error.problem.text(self.0);
        match error.spec {
            Some(spec) => append_error(out, sentence, Some(&format!("{} ({problem})", spec.usage(self.0)))),
            None => append_error(out, sentence, Some(&problem)),
        }
    }

    fn fail(&self, out: &mut Vec<u8>, _: Option<&Tag>, error: CommandError) {
        self.append_command_error(out, None, error);
    }

    fn push(&self, out: &mut Vec<u8>, message: &StoredMessage) {
        append_message(out, message, "", false, self.0);
    }

    /// One line, in the form of a pushed message.
    fn notify(&self, out: &mut Vec<u8>, notification: &Notification) {
        match notification {
            Notification::Presence { user, online } => {
                let standing = if *online { words::ONLINE } else { words::OFFLINE };
                append_line(out, &[words::PRESENCE.text(self.0), user.as_str(), " ", standing.text(self.0)]);
            }
            Notification::Group { group, user, change } => {
                let user = user.as_ref().map_or("", Name::as_str);
                let (before, after) = group_change(change);
                let (event, before, after) = (words::GROUP_EVENT.text(self.0), before.text(self.0), after.text(self.0));
                append_line(out, &[event, group.as_str(), ": ", before, user, after]);
            }
            Notification::Read { conversation, mark } => {
                append_line(out, &[words::READ.text(self.0), conversation, ": ", &mark.to_string()]);
            }
            Notification::Inbox { cursor } => {
                let cursor = say!(self.0, "{cursor}", "read up to {cursor}", "dibaca sampai {cursor}");
                append_line(out, &[words::INBOX.text(self.0), &cursor]);
            }
        }
    }

    fn lagged(&self, out: &mut Vec<u8>, _: Seq) {
        append_error(out, words::LAGGED.text(self.0), None);
    }

    fn truncated(&self, out: &mut Vec<u8>, _: Seq) {
        append_error(out, words::TRUNCATED.text(self.0), None);
    }

    fn reset(&self, out: &mut Vec<u8>, _: Seq) {
        append_error(out, words::RESET.text(self.0), None);
    }

    fn session_ended(&self, out: &mut Vec<u8>, end: SessionEnd) {
        append_line(out, &[words::SESSION_ENDED.text(self.0), catalog::session_end(end).1.text(self.0)]);
    }

    fn unfinished_line(&self, out: &mut Vec<u8>) {
        append_error(out, words::UNFINISHED_LINE.text(self.0), None);
    }

    fn disconnect(&self, out: &mut Vec<u8>, reason: DisconnectReason) {
        let row = errors::of_disconnect(reason);
        append_error(out, row.sentence(ReplyFormat::Text(self.0), None), row.detail(self.0).as_deref());
    }
}

impl Text {
    /// What came while a person was away is not pushed; what the disk did not take as read is not read. A person
    /// who typed a password of three words is told how they were read.
    fn append_notice(&self, out: &mut Vec<u8>, context: &ReplyContext, response: &Response) {
        if let Response::Inbox { is_unread: true, .. } | Response::Page { is_unread: true, .. } = response {
            return append_line(out, &[words::INBOX.text(self.0), words::UNREAD.text(self.0)]);
        }
        let Response::LoggedIn { unread, .. } = response else { return };
        if context.spec.takes_profile() && context.dialect != Dialect::Draft {
            append_line(out, &[words::ACCOUNT.text(self.0), words::REGISTERED_WITH_PROFILE.text(self.0)]);
        }
        let Some(Unread { count, more }) = unread else { return };
        let count = if *more { format!("{count}+") } else { count.to_string() };
        append_line(out, &[words::INBOX.text(self.0), &count, words::NEW.text(self.0)]);
    }

    fn append_command_error(&self, out: &mut Vec<u8>, context: Option<&ReplyContext>, error: CommandError) {
        let sentence = render::error_sentence(context, ReplyFormat::Text(self.0), error);
        let wait = |seconds| say!(self.0, "wait {seconds} s", "wait {seconds} s", "tunggu {seconds} detik");
        let detail =
            error.retry_after().map(|seconds| wait(seconds).into()).or_else(|| errors::of(error).detail(self.0));
        append_error(out, sentence, detail.as_deref());
    }
}

/// The sentence comes first: the documents' clients know theirs.
fn append_error(out: &mut Vec<u8>, sentence: &str, detail: Option<&str>) {
    match detail {
        Some(detail) => append_line(out, &["[ERR] ", sentence, ": ", detail]),
        None => append_line(out, &["[ERR] ", sentence]),
    }
}

/// The words before and after the user's name.
fn group_change(change: &GroupChange) -> (Phrase, Phrase) {
    match change {
        GroupChange::Joined => (phrase("joined ", "", ""), phrase("", " joined", " bergabung")),
        GroupChange::Left => (phrase("left ", "", ""), phrase("", " left", " keluar")),
        GroupChange::Kicked => (phrase("kicked ", "", ""), phrase("", " was put out", " dikeluarkan")),
        GroupChange::Owner => (phrase("owner ", "", ""), phrase("", " is the owner now", " kini pemiliknya")),
        GroupChange::Renamed { .. } => {
            (phrase("renamed ", "", ""), phrase("", " changed the full name", " mengganti nama lengkap"))
        }
        GroupChange::Deleted => (phrase("deleted ", "the group was ended", "grup dibubarkan"), ours("", "")),
    }
}
