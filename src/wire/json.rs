//! The frames of a `json` listener: one object each, `status` first, in ASCII, ended by an empty line (PROTOCOL §1, §4).

mod administration;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::IpAddr;

use serde::Serialize;

use crate::chat::{
    CommandError, ConversationSummary, Notification, Profile, RealmStatus, Receipt, Response, SessionEnd,
    SessionStatus, StoredMessage,
};
use crate::id::{Epoch, PeerKey, Seq, SessionId, Token};
use crate::json::{self, Object};
use crate::name::Name;
use crate::settings::Language;
use crate::wire::format::{Dialect, DisconnectReason, ReplyFormat};
use crate::wire::render::{self, Render};
use crate::wire::request::{ParseError, ReplyContext, Tag};
use crate::wire::{catalog, errors, help};

pub(super) const END: &[u8] = b"\r\n\r\n";

/// An entry of the list of online users as the service system has it.
#[derive(Serialize)]
struct OnlineUser<'a> {
    username: &'a Name,
}

/// An entry of the list of realms.
#[derive(Serialize)]
struct RealmEntry<'a> {
    realm: &'a Name,
    state: &'a str,
    #[serde(flatten)]
    link: Option<RealmLink<'a>>,
}

/// The fields that only another server has.
#[derive(Serialize)]
struct RealmLink<'a> {
    since: Option<String>,
    queued: usize,
    oldest_seconds: Option<u64>,
    key: Option<String>,
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
}

/// An entry of the list of sessions.
#[derive(Serialize)]
struct SessionEntry {
    id: SessionId,
    opened: String,
    used: String,
    from: IpAddr,
    current: bool,
}

pub(super) struct Json;

impl Render for Json {
    fn reply(&self, out: &mut Vec<u8>, context: &ReplyContext, result: Result<&Response, CommandError>) {
        let tag = context.tag.as_ref();
        let response = match result {
            Ok(response) => response,
            Err(error) => return append_command_error(out, tag, Some(context), error),
        };
        let message = render::success_sentence(context, ReplyFormat::Json, response);
        append_frame(out, tag, |frame| {
            frame.text("status", "OK").text("message", &message);
            append_fields(frame, context, response, &message);
        });
    }

    fn reject(&self, out: &mut Vec<u8>, error: &ParseError) {
        let row = errors::of_line(error.kind);
        let message = row.sentence(ReplyFormat::Json, error.spec.map(|spec| spec.dialect));
        append_error(out, error.tag.as_ref(), message, row.code, Some(&error.detail()), None);
    }

    fn fail(&self, out: &mut Vec<u8>, tag: Option<&Tag>, error: CommandError) {
        append_command_error(out, tag, None, error);
    }

    fn push(&self, out: &mut Vec<u8>, message: &StoredMessage) {
        append_frame(out, None, |frame| {
            frame.text("event", "message");
            message.body.append_object(frame.key("data"), message.seq, message.time);
        });
    }

    fn notify(&self, out: &mut Vec<u8>, notification: &Notification) {
        json::append(out, notification);
        out.extend_from_slice(END);
    }

    fn lagged(&self, out: &mut Vec<u8>, after: Seq) {
        append_frame(out, None, |frame| {
            frame.text("event", "lagged").field("after", &after);
        });
    }

    fn truncated(&self, out: &mut Vec<u8>, before: Seq) {
        append_frame(out, None, |frame| {
            frame.text("event", "truncated").field("before", &before);
        });
    }

    fn reset(&self, out: &mut Vec<u8>, after: Seq) {
        append_frame(out, None, |frame| {
            frame.text("event", "reset").field("after", &after);
        });
    }

    fn session_ended(&self, out: &mut Vec<u8>, end: SessionEnd) {
        append_frame(out, None, |frame| {
            frame.text("event", "session_ended").text("reason", catalog::session_end(end).0);
        });
    }

    fn unfinished_line(&self, _: &mut Vec<u8>) {}

    fn disconnect(&self, out: &mut Vec<u8>, reason: DisconnectReason) {
        let row = errors::of_disconnect(reason);
        let (sentence, detail) = (row.sentence(ReplyFormat::Json, None), row.detail(Language::Documents));
        append_error(out, None, sentence, row.code, detail.as_deref(), None);
    }
}

fn append_command_error(out: &mut Vec<u8>, tag: Option<&Tag>, context: Option<&ReplyContext>, error: CommandError) {
    let (row, sentence) = (errors::of(error), render::error_sentence(context, ReplyFormat::Json, error));
    append_error(out, tag, sentence, row.code, row.detail(Language::Documents).as_deref(), error.retry_after());
}

/// `data` repeats the message: the realm document puts some of its error texts there.
fn append_error(
    out: &mut Vec<u8>,
    tag: Option<&Tag>,
    message: &str,
    code: &str,
    detail: Option<&str>,
    retry_after: Option<u32>,
) {
    append_frame(out, tag, |frame| {
        frame.text("status", "ERROR").text("message", message).text("code", code).text("data", message);
        if let Some(detail) = detail {
            frame.text("detail", detail);
        }
        if let Some(seconds) = retry_after {
            frame.field("retry_after", &seconds);
        }
    });
}

fn append_frame(out: &mut Vec<u8>, tag: Option<&Tag>, fill: impl FnOnce(&mut Object<'_>)) {
    let mut frame = Object::open(out);
    fill(&mut frame);
    if let Some(tag) = tag {
        frame.text("tag", tag.as_str());
    }
    drop(frame);
    out.extend_from_slice(END);
}

/// The fields of a response besides its sentence.
fn append_fields(frame: &mut Object<'_>, context: &ReplyContext, response: &Response, message: &str) {
    match response {
        Response::LoggedIn { user, token, epoch, is_unstored, .. } => {
            append_login(frame, user, token, *epoch, *is_unstored);
        }
        Response::Whoami { profile, epoch } => append_whoami(frame, profile, *epoch),
        Response::Info(profile) => append_info(frame, profile),
        Response::Sent { receipt, delivered, .. } => {
            append_receipt(frame, receipt, delivered.or(context.spec.always_tells_delivery.then_some(true)));
        }
        Response::Inbox { messages, more, is_unread } => append_inbox(frame, messages, *more, *is_unread),
        Response::Page { messages, more, is_unread, before } => {
            append_page(frame, messages, (*more, *is_unread), *before)
        }
        Response::Online(users) => append_online(frame, context.dialect, users, message),
        Response::Groups(names) => append_names(frame, names),
        Response::Blocks(people) => {
            frame.field("data", people);
        }
        Response::Members { names, owner } => append_members(frame, names, owner.as_ref()),
        Response::Sessions(sessions) => append_sessions(frame, sessions),
        Response::RealmAdded { name, key } => append_realm(frame, name, *key),
        Response::Realms(realms) => append_realms(frame, realms),
        Response::Help(word) => append_help(frame, *word),
        Response::Version => append_version(frame),
        Response::Subscribed { after, epoch, .. } => {
            frame.object("data").field("after", after).text("epoch", &epoch.to_string());
        }
        Response::Acknowledged(cursor) => {
            frame.object("data").field("id", cursor);
        }
        Response::MarkedRead { conversation, mark } => {
            frame.object("data").text("conversation", conversation).field("mark", mark);
        }
        Response::Conversations { conversations, more } => append_conversations(frame, conversations, *more),
        Response::LoggedOut => append_logout(frame),
        Response::Bans { bans, before } => administration::append_bans(frame, bans, *before),
        Response::Users { users, after } => administration::append_users(frame, users, after.as_ref()),
        Response::Invites(invites) => administration::append_invites(frame, invites),
        Response::InviteMade { code, invite } => administration::append_invite(frame, code, invite),
        Response::Stats(stats) => administration::append_stats(frame, stats),
        Response::Done | Response::Bye | Response::Linking | Response::GroupPasswordChanged { .. } => {}
    }
}

fn append_login(frame: &mut Object<'_>, user: &Name, token: &Token, epoch: Epoch, is_unstored: bool) {
    let token = token.expose();
    frame.text("tokenid", &token);
    let mut data = frame.object("data");
    data.field("user", user).text("tokenid", &token).text("epoch", &epoch.to_string());
    if is_unstored {
        data.field("stored", &false);
    }
}

/// Clients of the cli system print `messages`.
fn append_logout(frame: &mut Object<'_>) {
    frame.text("messages", catalog::LOGGED_OUT);
}

fn append_whoami(frame: &mut Object<'_>, profile: &Profile, epoch: Epoch) {
    let mut data = frame.object("data");
    append_profile(&mut data, profile);
    data.text("epoch", &epoch.to_string());
}

fn append_info(frame: &mut Object<'_>, profile: &Profile) {
    let mut data = frame.object("data");
    append_profile(&mut data, profile);
    let last_seen = profile.last_seen.map(|time| time.to_string());
    data.field("online", &profile.online).field("last_seen", &last_seen);
}

fn append_profile(data: &mut Object<'_>, profile: &Profile) {
    data.field("user", &profile.user)
        .field("full_name", &profile.full_name)
        .field("country", &profile.country)
        .field("realm", &profile.realm);
}

fn append_receipt(frame: &mut Object<'_>, receipt: &Receipt, delivered: Option<bool>) {
    let mut data = frame.object("data");
    data.field("id", &receipt.seq).text("time", receipt.time.text().as_str());
    if let Some(delivered) = delivered {
        data.field("delivered", &delivered);
    }
}

fn append_inbox(frame: &mut Object<'_>, messages: &[StoredMessage], more: bool, is_unread: bool) {
    let objects = objects(messages);
    let mut by_sender = frame.object("messages");
    for (sender, objects) in group_by_sender(messages, &objects) {
        by_sender.array(sender, objects);
    }
    drop(by_sender);
    append_objects(frame, &objects, more, is_unread);
}

/// `before` is what the next request is to say.
fn append_page(
    frame: &mut Object<'_>,
    messages: &[StoredMessage],
    (more, is_unread): (bool, bool),
    before: Option<Seq>,
) {
    let objects = objects(messages);
    frame.array("messages", &objects);
    append_objects(frame, &objects, more, is_unread);
    if let Some(before) = before {
        frame.field("before", &before);
    }
}

/// `is_unread`: the disk did not take that they were read, and they come again.
fn append_objects(frame: &mut Object<'_>, objects: &[Vec<u8>], more: bool, is_unread: bool) {
    frame.array("data", objects);
    if more {
        frame.field("more", &more);
    }
    if is_unread {
        frame.field("stored", &false);
    }
}

fn objects(messages: &[StoredMessage]) -> Vec<Vec<u8>> {
    messages.iter().map(|message| message.body.object(message.seq, message.time)).collect()
}

/// The objects of each sender, senders in the order of their first message.
fn group_by_sender<'a>(messages: &'a [StoredMessage], objects: &'a [Vec<u8>]) -> Vec<(&'a str, Vec<&'a Vec<u8>>)> {
    let mut places = HashMap::new();
    let mut senders: Vec<(&str, Vec<&Vec<u8>>)> = Vec::new();
    for (message, object) in messages.iter().zip(objects) {
        let sender = message.body.sender().unwrap_or_default();
        let place = *places.entry(sender).or_insert(senders.len());
        match senders.get_mut(place) {
            Some((_, objects)) => objects.push(object),
            None => senders.push((sender, vec![object])),
        }
    }
    senders
}

fn append_conversations(frame: &mut Object<'_>, conversations: &[ConversationSummary], more: bool) {
    let objects: Vec<_> = conversations.iter().map(conversation).collect();
    append_objects(frame, &objects, more, false);
}

fn conversation(summary: &ConversationSummary) -> Vec<u8> {
    let mut out = Vec::new();
    let mut object = Object::open(&mut out);
    object.text("conversation", &summary.conversation).text("name", &summary.name);
    object.field("mark", &summary.mark).field("unread", &summary.unread);
    if summary.unread_more {
        object.field("unread_more", &true);
    }
    match &summary.last {
        Some(message) => message.body.append_object(object.key("last"), message.seq, message.time),
        None => {
            object.field("last", &None::<()>);
        }
    }
    drop(object);
    out
}

/// Each system has its own shape of the same list.
fn append_online(frame: &mut Object<'_>, dialect: Dialect, users: &[Name], message: &str) {
    match dialect {
        Dialect::Service => {
            let online: Vec<_> = users.iter().map(|username| OnlineUser { username }).collect();
            frame.object("messages").field("users", &online);
        }
        Dialect::Cli => {
            frame.text("messages", message);
        }
        _ => {}
    }
    append_names(frame, users);
}

fn append_names(frame: &mut Object<'_>, names: &[Name]) {
    frame.field("data", names);
}

fn append_members(frame: &mut Object<'_>, names: &[Name], owner: Option<&Name>) {
    append_names(frame, names);
    frame.field("owner", &owner);
}

fn append_sessions(frame: &mut Object<'_>, sessions: &[SessionStatus]) {
    let session = |status: &SessionStatus| SessionEntry {
        id: status.id,
        opened: status.opened.to_string(),
        used: status.used.to_string(),
        from: status.origin,
        current: status.current,
    };
    frame.field("data", &sessions.iter().map(session).collect::<Vec<_>>());
}

/// The key is that of the linked server; a further name of this server has none.
fn append_realm(frame: &mut Object<'_>, realm: &Name, key: Option<PeerKey>) {
    let key = key.map(|key| key.to_string());
    frame.object("data").field("realm", realm).field("key", &key);
}

fn append_realms(frame: &mut Object<'_>, realms: &[RealmStatus]) {
    frame.field("data", &realms.iter().map(realm).collect::<Vec<_>>());
}

fn realm(status: &RealmStatus) -> RealmEntry<'_> {
    let link = catalog::is_link(status.state).then(|| RealmLink {
        since: status.since.map(|since| since.to_string()),
        queued: status.queued,
        oldest_seconds: status.waiting.map(|waiting| waiting.as_secs()),
        key: status.key.map(|key| key.to_string()),
        address: status.address.as_ref().map(catalog::address),
        problem: status.problem.as_deref(),
    });
    RealmEntry { realm: &status.name, state: catalog::realm_state(status.state), link }
}

fn append_help(frame: &mut Object<'_>, command: Option<&str>) {
    frame.field("data", &help::lines(command));
}

fn append_version(frame: &mut Object<'_>) {
    frame.object("data").text("name", catalog::SERVER_NAME).text("version", catalog::SERVER_VERSION);
}
