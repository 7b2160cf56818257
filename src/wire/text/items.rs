//! The items of a list, a line each.

use std::borrow::Cow;

use crate::chat::{ConversationSummary, Profile, RealmState, RealmStatus, Response, SessionStatus, StoredMessage};
use crate::name::Name;
use crate::settings::Language;
use crate::wire::format::Dialect;
use crate::wire::phrase::{Phrase, phrase, say, shown_time};
use crate::wire::request::ReplyContext;
use crate::wire::text::line::append_line;
use crate::wire::text::message::append_message;
use crate::wire::text::{administration, words};
use crate::wire::{catalog, help};

/// The items of a response, if the sentence does not name them already.
pub(super) fn append_items(out: &mut Vec<u8>, context: &ReplyContext, response: &Response, language: Language) {
    match response {
        Response::Info(profile) => append_profile(out, profile, language),
        Response::Inbox { messages, .. } => {
            messages.iter().for_each(|message| append_listed_message(out, message, false, language));
        }
        Response::Page { messages, .. } => {
            messages.iter().for_each(|message| append_listed_message(out, message, true, language));
        }
        Response::Conversations { conversations, .. } => {
            conversations.iter().for_each(|summary| append_conversation(out, summary, language));
        }
        Response::Online(_)
            if language == Language::Documents && matches!(context.dialect, Dialect::Cli | Dialect::Layanan) => {}
        Response::Online(names) | Response::Groups(names) => {
            names.iter().for_each(|name| append_line(out, &[name.as_str()]));
        }
        Response::Members { names, owner } => {
            names.iter().for_each(|name| append_member(out, name, owner.as_ref(), language));
        }
        Response::Blocks(users) => users.iter().for_each(|user| append_line(out, &[user])),
        Response::Sessions(sessions) => sessions.iter().for_each(|session| append_session(out, session, language)),
        Response::Realms(realms) => realms.iter().for_each(|realm| append_realm(out, realm, language)),
        Response::Bans { bans, .. } => bans.iter().for_each(|ban| administration::append_ban(out, ban, language)),
        Response::Users { users, .. } => {
            users.iter().for_each(|user| administration::append_user(out, user, language));
        }
        Response::Invites(invites) => {
            invites.iter().for_each(|invite| administration::append_invite(out, invite, language));
        }
        Response::Stats(stats) => administration::append_stats(out, stats, language),
        Response::Help(None) => help::overview(language).for_each(|line| append_line(out, &[&line])),
        _ => {}
    }
}

/// A message with the id that `history` and `ack` ask for, the time, and in a history both names.
fn append_listed_message(out: &mut Vec<u8>, message: &StoredMessage, is_history: bool, language: Language) {
    let start = format!("#{} {} ", message.seq, message.time.to_minute());
    append_message(out, message, &start, is_history, language);
}

fn append_member(out: &mut Vec<u8>, name: &Name, owner: Option<&Name>, language: Language) {
    let is_owner = owner.is_some_and(|owner| owner.is_same(name));
    append_line(out, &[name.as_str(), if is_owner { words::OWNER.text(language) } else { "" }]);
}

fn append_conversation(out: &mut Vec<u8>, summary: &ConversationSummary, language: Language) {
    let ConversationSummary { conversation, unread, unread_more, last, .. } = summary;
    let over = if *unread_more { "+" } else { "" };
    let last = last.as_ref().map_or(String::new(), |last| {
        let (id, time) = (last.seq, shown_time(last.time, language));
        say!(language, ", newest {id} {time}", ", newest {id} {time}", ", terbaru {id} {time}")
    });
    let unread = say!(language, "{unread}{over} unread", "{unread}{over} unread", "{unread}{over} belum dibaca");
    append_line(out, &[conversation, ": ", &unread, &last]);
}

fn append_session(out: &mut Vec<u8>, session: &SessionStatus, language: Language) {
    let SessionStatus { id, opened, used, origin, current } = session;
    let (opened, used) = (shown_time(*opened, language), shown_time(*used, language));
    let line = say!(
        language,
        "{id} from {origin}, opened {opened}, used {used}",
        "{id} from {origin}, opened {opened}, used {used}",
        "{id} dari {origin}, dibuka {opened}, dipakai {used}"
    );
    append_line(out, &[&line, if *current { words::THIS_SESSION.text(language) } else { "" }]);
}

fn append_realm(out: &mut Vec<u8>, realm: &RealmStatus, language: Language) {
    let mut line = format!("{} {}", realm.name, realm_state(realm.state).text(language));
    if catalog::is_link(realm.state) {
        line += &link(realm, language);
    }
    append_line(out, &[&line]);
}

/// The status of a link. Its problem is worded as in the log.
fn link(realm: &RealmStatus, language: Language) -> String {
    let since = realm.since.map_or(String::new(), |since| {
        let since = shown_time(since, language);
        say!(language, " since {since}", " since {since}", " sejak {since}")
    });
    let age = realm.waiting.map_or(String::new(), |waiting| {
        let age = waiting.as_secs();
        say!(language, ", the oldest for {age} s", ", the oldest for {age} s", ", yang terlama {age} detik")
    });
    let key = realm.key.map_or(String::new(), |key| say!(language, ", key {key}", ", key {key}", ", kunci {key}"));
    let problem = realm.problem.as_ref().map_or(String::new(), |problem| format!(": {problem}"));
    let queued = realm.queued;
    let waiting = say!(language, ", {queued} waiting", ", {queued} waiting", ", {queued} menunggu");
    [since, waiting, age, key, problem].concat()
}

fn realm_state(state: RealmState) -> Phrase {
    match state {
        RealmState::Home => phrase("home", "this server", "server ini"),
        RealmState::Name => phrase("name", "this server, too", "server ini juga"),
        RealmState::Up => phrase("up", "up", "tersambung"),
        RealmState::Down => phrase("down", "down", "terputus"),
    }
}

fn append_profile(out: &mut Vec<u8>, profile: &Profile, language: Language) {
    let never = Cow::Borrowed(words::NEVER.text(language));
    let last_seen = profile.last_seen.map_or(never, |time| shown_time(time, language).into());
    let online = if profile.online { words::YES } else { words::NO };
    for (label, value) in [
        (words::FULL_NAME, &*profile.full_name),
        (words::COUNTRY, &profile.country),
        (words::REALM, profile.realm.as_str()),
        (words::IS_ONLINE, online.text(language)),
        (words::LAST_SEEN, &last_seen),
    ] {
        append_line(out, &[label.text(language), value]);
    }
}
