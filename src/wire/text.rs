//! The lines of a `text` listener: `[OK] text` or `[ERR] text`, lists one item a line before it (PROTOCOL §1).

mod administration;
mod line;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::chat::{
    CommandError, ConversationSummary, Kind, MessageFields, Notification, Profile, RealmStatus, Response, SessionEnd,
    SessionStatus, StoredMessage, Unread,
};
use crate::id::Seq;
use crate::name::Name;
use crate::settings::Language;
use crate::wire::format::{Dialect, DisconnectReason, ReplyFormat};
use crate::wire::render::{self, Render};
use crate::wire::request::{ParseError, ReplyContext, Tag};
use crate::wire::text::line::append_line;
use crate::wire::{catalog, errors, help};

pub(super) struct Text;

impl Render for Text {
    fn reply(&self, out: &mut Vec<u8>, context: &ReplyContext, result: Result<&Response, CommandError>) {
        match result {
            Ok(response) => {
                append_items(out, context, response);
                append_line(
                    out,
                    &["[OK] ", &render::success_sentence(context, ReplyFormat::Text(Language::Documents), response)],
                );
                append_notice(out, context, response);
            }
            Err(error) => append_command_error(out, Some(context), error),
        }
    }

    fn reject(&self, out: &mut Vec<u8>, error: &ParseError) {
        let sentence = errors::of_line(error.kind).sentence(ReplyFormat::Text(Language::Documents), None);
        match error.spec {
            Some(spec) => append_error(out, sentence, Some(&format!("{} ({})", spec.usage(), error.problem))),
            None => append_error(out, sentence, Some(&error.problem)),
        }
    }

    fn fail(&self, out: &mut Vec<u8>, _: Option<&Tag>, error: CommandError) {
        append_command_error(out, None, error);
    }

    fn push(&self, out: &mut Vec<u8>, message: &StoredMessage) {
        append_message(out, message);
    }

    /// One line, in the form of a pushed message.
    fn notify(&self, out: &mut Vec<u8>, notification: &Notification) {
        match notification {
            Notification::Presence { user, online } => {
                append_line(out, &["[presence] ", user.as_str(), if *online { " online" } else { " offline" }]);
            }
            Notification::Group { group, user, change } => {
                let user = user.as_ref().map_or("", Name::as_str);
                append_line(out, &["[group] ", group.as_str(), ": ", change.word(), " ", user]);
            }
            Notification::Read { conversation, mark } => {
                append_line(out, &["[read] ", conversation, ": ", &mark.to_string()]);
            }
            Notification::Inbox { cursor } => append_line(out, &["[inbox] ", &cursor.to_string()]),
        }
    }

    fn lagged(&self, out: &mut Vec<u8>, _: Seq) {
        append_error(out, catalog::LAGGED, None);
    }

    fn truncated(&self, out: &mut Vec<u8>, _: Seq) {
        append_error(out, catalog::TRUNCATED, None);
    }

    fn reset(&self, out: &mut Vec<u8>, _: Seq) {
        append_error(out, catalog::RESET, None);
    }

    fn session_ended(&self, out: &mut Vec<u8>, end: SessionEnd) {
        append_line(out, &["[session] ended: ", catalog::session_end(end).1]);
    }

    fn unfinished_line(&self, out: &mut Vec<u8>) {
        append_error(out, catalog::UNFINISHED_LINE, None);
    }

    fn disconnect(&self, out: &mut Vec<u8>, reason: DisconnectReason) {
        let row = errors::of_disconnect(reason);
        append_error(out, row.sentence(ReplyFormat::Text(Language::Documents), None), row.detail.as_deref());
    }
}

/// A message as it is pushed.
fn append_message(out: &mut Vec<u8>, message: &StoredMessage) {
    append_shown_message(out, message, "", false);
}

/// A message in a list: with the id that `history` and `ack` ask for, the time, and in a history both names.
fn append_listed_message(out: &mut Vec<u8>, message: &StoredMessage, is_history: bool) {
    let start = format!("#{} {} ", message.seq, message.time.to_minute());
    append_shown_message(out, message, &start, is_history);
}

fn append_shown_message(out: &mut Vec<u8>, message: &StoredMessage, start: &str, is_history: bool) {
    // A body that cannot be read was not written by this server; it is not shown.
    let Some(MessageFields { from, to, msg_to, msg, kind, .. }) = message.body.fields() else { return };
    match kind {
        Kind::Direct if is_history => append_line(out, &[start, "[", &from, " -> ", &to, "] ", &msg]),
        Kind::Direct | Kind::Damaged => append_line(out, &[start, "[", &from, "] ", &msg]),
        Kind::Group => append_line(out, &[start, "[group ", &msg_to, "] ", &from, ": ", &msg]),
        Kind::Broadcast => append_line(out, &[start, "[broadcast] ", &from, ": ", &msg]),
    }
}

/// What came while a person was away is not pushed; what the disk did not take as read is not read. And whoever typed a
/// password of three words is told how they were read.
fn append_notice(out: &mut Vec<u8>, context: &ReplyContext, response: &Response) {
    if let Response::Inbox { is_unread: true, .. } | Response::Page { is_unread: true, .. } = response {
        return append_line(out, &[catalog::UNREAD]);
    }
    let Response::LoggedIn { unread, .. } = response else { return };
    if context.spec.takes_profile() && context.dialect != Dialect::Draft {
        append_line(out, &["[account] ", catalog::REGISTERED_WITH_PROFILE]);
    }
    let Some(Unread { count, more }) = unread else { return };
    let count = if *more { format!("{count}+") } else { count.to_string() };
    append_line(out, &["[inbox] ", &count, " new: inbox shows what came while you were away, quit leaves"]);
}

fn append_command_error(out: &mut Vec<u8>, context: Option<&ReplyContext>, error: CommandError) {
    let sentence = render::error_sentence(context, ReplyFormat::Text(Language::Documents), error);
    let wait = error.retry_after().map(|seconds| format!("wait {seconds} s").into());
    append_error(out, sentence, wait.or(errors::of(error).detail).as_deref());
}

/// The documents' sentence comes first: their clients know it.
fn append_error(out: &mut Vec<u8>, sentence: &str, detail: Option<&str>) {
    match detail {
        Some(detail) => append_line(out, &["[ERR] ", sentence, ": ", detail]),
        None => append_line(out, &["[ERR] ", sentence]),
    }
}

/// The items of a response, if the sentence does not name them already.
fn append_items(out: &mut Vec<u8>, context: &ReplyContext, response: &Response) {
    match response {
        Response::Info(profile) => append_profile(out, profile),
        Response::Inbox { messages, .. } => {
            messages.iter().for_each(|message| append_listed_message(out, message, false));
        }
        Response::Page { messages, .. } => {
            messages.iter().for_each(|message| append_listed_message(out, message, true));
        }
        Response::Conversations { conversations, .. } => {
            conversations.iter().for_each(|summary| append_conversation(out, summary));
        }
        Response::Online(_) if matches!(context.dialect, Dialect::Cli | Dialect::Layanan) => {}
        Response::Online(names) | Response::Groups(names) | Response::Members { names, .. } => append_names(out, names),
        Response::Blocks(users) => users.iter().for_each(|user| append_line(out, &[user])),
        Response::Sessions(sessions) => sessions.iter().for_each(|session| append_session(out, session)),
        Response::Realms(realms) => realms.iter().for_each(|realm| append_realm(out, realm)),
        Response::Bans { bans, .. } => bans.iter().for_each(|ban| administration::append_ban(out, ban)),
        Response::Users { users, .. } => users.iter().for_each(|user| administration::append_user(out, user)),
        Response::Invites(invites) => invites.iter().for_each(|invite| administration::append_invite(out, invite)),
        Response::Stats(stats) => administration::append_stats(out, stats),
        Response::Help(None) => help::overview().for_each(|line| append_line(out, &[&line])),
        _ => {}
    }
}

fn append_names(out: &mut Vec<u8>, names: &[Name]) {
    names.iter().for_each(|name| append_line(out, &[name.as_str()]));
}

fn append_conversation(out: &mut Vec<u8>, summary: &ConversationSummary) {
    let ConversationSummary { conversation, unread, unread_more, last, .. } = summary;
    let over = if *unread_more { "+" } else { "" };
    let last = last.as_ref().map_or(String::new(), |last| format!(", newest {} {}", last.seq, last.time));
    append_line(out, &[conversation, ": ", &format!("{unread}{over} unread{last}")]);
}

fn append_session(out: &mut Vec<u8>, session: &SessionStatus) {
    let SessionStatus { id, opened, used, origin, current } = session;
    let this_one = if *current { " (this one)" } else { "" };
    append_line(out, &[&format!("{id} from {origin}, opened {opened}, used {used}{this_one}")]);
}

fn append_realm(out: &mut Vec<u8>, realm: &RealmStatus) {
    let mut line = format!("{} {}", realm.name, catalog::realm_state(realm.state));
    if catalog::is_link(realm.state) {
        let since = realm.since.map_or(String::new(), |since| format!(" since {since}"));
        let age = realm.waiting.map_or(String::new(), |waiting| format!(", the oldest for {} s", waiting.as_secs()));
        let key = realm.key.map_or(String::new(), |key| format!(", key {key}"));
        let problem = realm.problem.as_ref().map_or(String::new(), |problem| format!(": {problem}"));
        line += &format!("{since}, {} waiting{age}{key}{problem}", realm.queued);
    }
    append_line(out, &[&line]);
}

fn append_profile(out: &mut Vec<u8>, profile: &Profile) {
    let last_seen = profile.last_seen.map_or(Cow::Borrowed("never"), |time| time.to_string().into());
    append_line(out, &["full name: ", &profile.full_name]);
    append_line(out, &["country: ", &profile.country]);
    append_line(out, &["realm: ", profile.realm.as_str()]);
    append_line(out, &["online: ", if profile.online { "yes" } else { "no" }]);
    append_line(out, &["last seen: ", &last_seen]);
}
