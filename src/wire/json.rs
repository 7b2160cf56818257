//! The frames of a `json` listener: one object each, `status` first, in ASCII, ended by an empty line (PROTOCOL §1, §4).

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::IpAddr;

use serde::Serialize;

use crate::chat::{CommandError, Notification, Profile, RealmStatus, Receipt, Response, SessionStatus, StoredMessage};
use crate::id::{PeerKey, Seq, SessionId, Token};
use crate::json::Object;
use crate::name::Name;
use crate::wire::format::{DisconnectReason, ReplyContext, ReplyFormat};
use crate::wire::request::{Rejection, Tag};
use crate::wire::{catalog, help};

const STYLE: ReplyFormat = ReplyFormat::Json;
const END: &[u8] = b"\r\n\r\n";

/// An entry of the list of active users as the service system has it.
#[derive(Serialize)]
struct ActiveUser<'a> {
    username: &'a Name,
}

/// An entry of the list of realms.
#[derive(Serialize)]
struct Realm<'a> {
    realm: &'a Name,
    state: &'a str,
    #[serde(flatten)]
    link: Option<RealmLink<'a>>,
}

/// What of a realm only another server has.
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
struct Session {
    id: SessionId,
    opened: String,
    used: String,
    from: IpAddr,
    current: bool,
}

pub(super) fn append_reply(out: &mut Vec<u8>, context: &ReplyContext, result: Result<&Response, CommandError>) {
    let response = match result {
        Ok(response) => response,
        Err(error) => return append_refusal(out, context.tag.as_ref(), Some(context), error),
    };
    let message = catalog::success(STYLE, context, response);
    append_frame(out, context.tag.as_ref(), |frame| {
        frame.text("status", "OK").text("message", &message);
        append_fields(frame, context, response, &message);
    });
}

pub(super) fn append_rejection(out: &mut Vec<u8>, rejection: &Rejection) {
    let message = catalog::rejection(STYLE, rejection);
    append_error(out, rejection.tag.as_ref(), message, rejection.fault.code(), Some(&rejection.detail));
}

pub(super) fn append_refusal(
    out: &mut Vec<u8>,
    tag: Option<&Tag>,
    context: Option<&ReplyContext>,
    error: CommandError,
) {
    let message = catalog::error(STYLE, context, error);
    append_error(out, tag, message, error.code(), catalog::refusal_detail(error));
}

pub(super) fn append_farewell(out: &mut Vec<u8>, why: DisconnectReason) {
    append_error(out, None, catalog::farewell(why), why.code(), Some(catalog::farewell_detail(why)));
}

pub(super) fn append_event(out: &mut Vec<u8>, message: &StoredMessage) {
    append_frame(out, None, |frame| {
        frame.text("event", "message");
        message.body.append_object(frame.key("data"), message.seq, message.time);
    });
}

pub(super) fn append_notice(out: &mut Vec<u8>, notification: &Notification) {
    append_frame(out, None, |frame| {
        frame.text("event", catalog::topic(notification));
        let mut data = frame.object("data");
        match notification {
            Notification::Presence { user, online } => data.field("user", user).field("online", online),
            Notification::Group { group, user, change } => {
                data.field("group", group).text("change", catalog::group_change(*change)).field("user", user)
            }
            Notification::Inbox { cursor } => data.field("cursor", cursor),
        };
    });
}

pub(super) fn append_lagged(out: &mut Vec<u8>, after: Seq) {
    append_frame(out, None, |frame| {
        frame.text("event", "lagged").field("after", &after);
    });
}

pub(super) fn append_truncated(out: &mut Vec<u8>, before: Seq) {
    append_frame(out, None, |frame| {
        frame.text("event", "truncated").field("before", &before);
    });
}

/// `data` repeats the message: the realm document puts some of its error texts there.
fn append_error(out: &mut Vec<u8>, tag: Option<&Tag>, message: &str, code: &str, detail: Option<&str>) {
    append_frame(out, tag, |frame| {
        frame.text("status", "ERROR").text("message", message).text("code", code).text("data", message);
        if let Some(detail) = detail {
            frame.text("detail", detail);
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

/// What an outcome carries besides its sentence.
fn append_fields(frame: &mut Object<'_>, context: &ReplyContext, response: &Response, message: &str) {
    match response {
        Response::LoggedIn { user, token } | Response::Registered { user, token } => append_login(frame, user, token),
        Response::LoggedOut => append_logout(frame, context),
        Response::Whoami(profile) => append_whoami(frame, profile),
        Response::Info(profile) => append_info(frame, profile),
        Response::Sent { receipt, delivered, .. } | Response::SentToGroup { receipt, delivered } => {
            append_receipt(frame, receipt, *delivered);
        }
        Response::SentToRealm { receipt, delivered } | Response::SentToRealmGroup { receipt, delivered } => {
            append_receipt(frame, receipt, Some(*delivered));
        }
        Response::Inbox { messages, more } => append_inbox(frame, messages, *more),
        Response::RealmInbox { messages, more } => append_list(frame, messages, *more),
        Response::History { messages, before } => append_history(frame, messages, *before),
        Response::Active(users) => append_active(frame, context, users, message),
        Response::Groups(names) => append_names(frame, names),
        Response::Blocks(people) => {
            frame.field("data", people);
        }
        Response::Members { names, owner } => append_members(frame, names, owner.as_ref()),
        Response::Sessions(sessions) => append_sessions(frame, sessions),
        Response::RealmAdded { name, key } => append_realm(frame, name, *key),
        Response::Realms(realms) => append_realms(frame, realms),
        Response::Help(command) => append_help(frame, command.as_deref()),
        Response::Version => append_version(frame),
        Response::Subscribed { after: Some(after), .. } => {
            frame.object("data").field("after", after);
        }
        Response::Acknowledged(cursor) => {
            frame.object("data").field("id", cursor);
        }
        Response::Subscribed { after: None, .. }
        | Response::Unsubscribed
        | Response::Bye
        | Response::GroupCreated
        | Response::GroupJoined { .. }
        | Response::GroupLeft
        | Response::Kicked
        | Response::GroupDeleted
        | Response::GroupPasswordChanged { .. }
        | Response::Blocked
        | Response::Unblocked
        | Response::PasswordChanged
        | Response::Revoked
        | Response::Unregistered
        | Response::RealmRemoved
        | Response::Linking
        | Response::Pong => {}
    }
}

fn append_login(frame: &mut Object<'_>, user: &Name, token: &Token) {
    let token = token.expose();
    frame.text("tokenid", &token);
    frame.object("data").field("user", user).text("tokenid", &token);
}

/// Clients of the cli system print `messages`.
fn append_logout(frame: &mut Object<'_>, context: &ReplyContext) {
    frame.text("messages", &catalog::success(ReplyFormat::Text, context, &Response::LoggedOut));
}

fn append_whoami(frame: &mut Object<'_>, profile: &Profile) {
    append_profile(&mut frame.object("data"), profile);
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

fn append_inbox(frame: &mut Object<'_>, messages: &[StoredMessage], more: bool) {
    let objects = objects(messages);
    let mut by_sender = frame.object("messages");
    for (sender, objects) in group_by_sender(messages, &objects) {
        by_sender.array(&sender, objects);
    }
    drop(by_sender);
    append_page(frame, &objects, more);
}

fn append_list(frame: &mut Object<'_>, messages: &[StoredMessage], more: bool) {
    let objects = objects(messages);
    frame.array("messages", &objects);
    append_page(frame, &objects, more);
}

/// `before` is what the next request is to say.
fn append_history(frame: &mut Object<'_>, messages: &[StoredMessage], before: Option<Seq>) {
    append_list(frame, messages, before.is_some());
    if let Some(before) = before {
        frame.field("before", &before);
    }
}

fn append_page(frame: &mut Object<'_>, objects: &[Vec<u8>], more: bool) {
    frame.array("data", objects);
    if more {
        frame.field("more", &more);
    }
}

fn objects(messages: &[StoredMessage]) -> Vec<Vec<u8>> {
    messages.iter().map(|message| message.body.object(message.seq, message.time)).collect()
}

/// The objects of each sender, senders in the order of their first message.
fn group_by_sender<'a>(messages: &[StoredMessage], objects: &'a [Vec<u8>]) -> Vec<(String, Vec<&'a Vec<u8>>)> {
    let mut places = HashMap::new();
    let mut senders: Vec<(String, Vec<&Vec<u8>>)> = Vec::new();
    for (message, object) in messages.iter().zip(objects) {
        let sender = message.body.read(|parts| parts.from.into_owned()).unwrap_or_default();
        let place = *places.entry(sender.clone()).or_insert(senders.len());
        match senders.get_mut(place) {
            Some((_, objects)) => objects.push(object),
            None => senders.push((sender, vec![object])),
        }
    }
    senders
}

/// Each system had its own shape for the same list.
fn append_active(frame: &mut Object<'_>, context: &ReplyContext, users: &[Name], message: &str) {
    match context.spec.word {
        "showuseractive" => {
            let active: Vec<_> = users.iter().map(|username| ActiveUser { username }).collect();
            frame.object("messages").field("users", &active);
        }
        "list" => {
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
    let session = |status: &SessionStatus| Session {
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

fn realm(status: &RealmStatus) -> Realm<'_> {
    let link = catalog::is_link(status.state).then(|| RealmLink {
        since: status.since.map(|since| since.to_string()),
        queued: status.queued,
        oldest_seconds: status.waiting.map(|waiting| waiting.as_secs()),
        key: status.key.map(|key| key.to_string()),
        address: status.address.as_ref().map(catalog::address),
        problem: status.problem.as_deref(),
    });
    Realm { realm: &status.name, state: catalog::realm_state(status.state), link }
}

fn append_help(frame: &mut Object<'_>, command: Option<&str>) {
    frame.field("data", &help::lines(command));
}

fn append_version(frame: &mut Object<'_>) {
    frame.object("data").text("name", catalog::SERVER_NAME).text("version", catalog::SERVER_VERSION);
}
