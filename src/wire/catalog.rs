//! The sentences of successful replies that depend on the response (PROTOCOL §4): the documents' own, word for word, and
//! those of other languages beside them.

use std::borrow::Cow;

use crate::chat::{BounceReason, PeerAddress, RealmState, Response, SessionEnd};
use crate::name::Name;
use crate::settings::Language;
use crate::wire::errors;
use crate::wire::format::{Dialect, ReplyFormat};
use crate::wire::phrase::{Phrase, ours, say, shown_time};

pub(super) const SERVER_NAME: &str = env!("CARGO_PKG_NAME");
pub(super) const SERVER_VERSION: &str = env!("CARGO_PKG_VERSION");

/// A person's sentence, which clients of the cli system also find in the key `messages`.
pub(super) const LOGGED_OUT: &str = "Logout berhasil";

/// Why a session ended: in a word for programs, and for a person.
pub(super) fn session_end(end: SessionEnd) -> (&'static str, Phrase) {
    match end {
        SessionEnd::LoggedOut => ("logged_out", ours("logged out from elsewhere", "Anda keluar dari tempat lain")),
        SessionEnd::Revoked => ("revoked", ours("revoked from elsewhere", "diakhiri dari tempat lain")),
        SessionEnd::PasswordChanged => (
            "password_changed",
            ours("the password was changed, log in with the new one", "kata sandi diganti, masuklah dengan yang baru"),
        ),
        SessionEnd::TooManySessions => (
            "too_many_sessions",
            ours(
                "too many newer log-ins of this user, log in again",
                "terlalu banyak sesi baru pengguna ini, masuklah lagi",
            ),
        ),
        SessionEnd::Unregistered => ("unregistered", ours("the account was given up", "akunnya dihapus")),
        SessionEnd::Kicked => ("kicked", ours("an administrator has ended it", "administrator mengakhirinya")),
        SessionEnd::Banned => {
            ("banned", ours("an administrator has banned the account", "administrator mencekal akun ini"))
        }
        SessionEnd::Locked => {
            ("locked", ours("an administrator has locked the account", "administrator mengunci akun ini"))
        }
        SessionEnd::Expired => {
            ("expired", ours("not used for too long, log in again", "terlalu lama tidak dipakai, masuklah lagi"))
        }
    }
}

type Sentence = Cow<'static, str>;

/// The layanan system writes a colon, the others do not. On a text listener its command shows no token.
pub(super) fn logged_in(dialect: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    let Response::LoggedIn { user, token, .. } = response else { return Sentence::default() };
    let token = token.expose();
    match (dialect, format) {
        (Dialect::Layanan, ReplyFormat::Text(language)) => {
            say!(language, "login berhasil", "logged in as {user}", "Anda masuk sebagai {user}").into()
        }
        (Dialect::Layanan, ReplyFormat::Json) => format!("username {user} logged in, token: {token}").into(),
        _ => say!(
            format.language(),
            "username {user} logged in, token {token}",
            "logged in as {user}, token {token}",
            "Anda masuk sebagai {user}, token {token}"
        )
        .into(),
    }
}

pub(super) fn registered(dialect: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    let Response::LoggedIn { user, token, .. } = response else { return Sentence::default() };
    if dialect != Dialect::Draft && format == ReplyFormat::Json {
        return format!("registered {user}, token {}", token.expose()).into();
    }
    say!(
        format.language(),
        "sign up berhasil",
        "account made, logged in as {user}",
        "akun dibuat, Anda masuk sebagai {user}"
    )
    .into()
}

/// The layanan system's reply names the recipient.
pub(super) fn sent_to(_: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    match response {
        Response::Sent { to: Some(to), .. } => {
            say!(format.language(), "send to {to}", "message sent to {to}", "pesan terkirim ke {to}").into()
        }
        _ => say!(format.language(), "Message sent", "message sent", "pesan terkirim").into(),
    }
}

/// A person is told how to go on.
pub(super) fn messages(_: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    let (Response::Inbox { messages, .. } | Response::Page { messages, .. }) = response else {
        return Sentence::default();
    };
    let count = MESSAGES.count(messages.len(), format);
    let ReplyFormat::Text(language) = format else { return count };
    match response {
        Response::Inbox { more: true, .. } => say!(
            language,
            "{count}, and more: ask again",
            "{count}, and more: inbox again",
            "{count}, masih ada lagi: ulangi inbox"
        )
        .into(),
        Response::Page { before: Some(before), .. } => say!(
            language,
            "{count}, older ones with before {before}",
            "{count}, older ones with before {before}",
            "{count}, yang lebih lama dengan before {before}"
        )
        .into(),
        _ => count,
    }
}

pub(super) fn conversations(_: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    let Response::Conversations { conversations, .. } = response else { return Sentence::default() };
    CONVERSATIONS.count(conversations.len(), format)
}

/// Each system words the list of online users in its own way.
pub(super) fn online(dialect: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    let Response::Online(users) = response else { return Sentence::default() };
    if format.language() != Language::Documents {
        return ONLINE.count(users.len(), format);
    }
    match dialect {
        Dialect::Cli => format!("List user: {}", join(users, ",")).into(),
        Dialect::Layanan => format!("user aktif: {}", join(users, ", ")).into(),
        _ if dialect == Dialect::Service || format.is_text() => USERS.count(users.len(), format),
        _ => join(users, ",").into(),
    }
}

pub(super) fn info(dialect: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    match response {
        Response::Whoami { profile, .. } | Response::Info(profile) => profile.user.to_string().into(),
        _ => online(dialect, format, response),
    }
}

pub(super) fn group_password(_: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    match response {
        Response::GroupPasswordChanged { closed: false } => say!(
            format.language(),
            "Password grup berhasil dihapus",
            "the group is open, without a password",
            "kata sandi grup dihapus, siapa pun boleh bergabung"
        ),
        _ => say!(
            format.language(),
            "Password grup berhasil diubah",
            "password of the group changed",
            "kata sandi grup diganti"
        ),
    }
    .into()
}

pub(super) fn groups(_: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    let Response::Groups(names) = response else { return Sentence::default() };
    GROUPS.count(names.len(), format)
}

pub(super) fn members(_: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    let Response::Members { names, .. } = response else { return Sentence::default() };
    MEMBERS.count(names.len(), format)
}

pub(super) fn blocks(_: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    let Response::Blocks(users) = response else { return Sentence::default() };
    USERS.count(users.len(), format)
}

pub(super) fn sessions(_: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    let Response::Sessions(sessions) = response else { return Sentence::default() };
    SESSIONS.count(sessions.len(), format)
}

pub(super) fn realms(_: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    let Response::Realms(realms) = response else { return Sentence::default() };
    REALMS.count(realms.len(), format)
}

pub(super) fn bans(_: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    let Response::Bans { bans, .. } = response else { return Sentence::default() };
    BANS.count(bans.len(), format)
}

pub(super) fn users(_: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    let Response::Users { users, .. } = response else { return Sentence::default() };
    USERS.count(users.len(), format)
}

pub(super) fn invites(_: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    let Response::Invites(invites) = response else { return Sentence::default() };
    INVITES.count(invites.len(), format)
}

pub(super) fn invited(_: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    let Response::InviteMade { code, invite } = response else { return Sentence::default() };
    let (code, uses) = (code.expose(), invite.uses);
    let until = shown_time(invite.until, format.language());
    say!(
        format.language(),
        "code {code} for {uses} until {until}",
        "code {code} for {uses} until {until}",
        "kode {code} untuk {uses} orang sampai {until}"
    )
    .into()
}

pub(super) fn stats(_: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    let Response::Stats(stats) = response else { return Sentence::default() };
    let (users, online) = (stats.users, stats.online);
    say!(
        format.language(),
        "{users} users, {online} online",
        "{users} users, {online} online",
        "{users} pengguna, {online} daring"
    )
    .into()
}

pub(super) fn version(_: Dialect, _: ReplyFormat, _: &Response) -> Sentence {
    format!("{SERVER_NAME} {SERVER_VERSION}").into()
}

fn join(names: &[Name], separator: &str) -> String {
    names.iter().map(Name::as_str).collect::<Vec<_>>().join(separator)
}

const MESSAGES: Things = Things { one: ours("message", "pesan"), many: ours("messages", "pesan") };
const CONVERSATIONS: Things =
    Things { one: ours("conversation", "percakapan"), many: ours("conversations", "percakapan") };
const USERS: Things = Things { one: ours("user", "pengguna"), many: ours("users", "pengguna") };
const ONLINE: Things =
    Things { one: ours("user online", "pengguna daring"), many: ours("users online", "pengguna daring") };
const GROUPS: Things = Things { one: ours("group", "grup"), many: ours("groups", "grup") };
const MEMBERS: Things = Things { one: ours("member", "anggota"), many: ours("members", "anggota") };
const SESSIONS: Things = Things { one: ours("session", "sesi"), many: ours("sessions", "sesi") };
const REALMS: Things = Things { one: ours("realm", "realm"), many: ours("realms", "realm") };
const BANS: Things = Things { one: ours("ban", "cekal"), many: ours("bans", "cekal") };
const INVITES: Things = Things { one: ours("invite", "undangan"), many: ours("invites", "undangan") };

/// The noun that a list counts.
struct Things {
    one: Phrase,
    many: Phrase,
}

impl Things {
    /// The documents count one as they count many.
    fn count(&self, number: usize, format: ReplyFormat) -> Sentence {
        let language = format.language();
        let things = if number == 1 && language != Language::Documents { self.one } else { self.many };
        [&number.to_string(), " ", things.text(language)].concat().into()
    }
}

/// The state of a realm in a word, for programs.
pub(super) fn realm_state(state: RealmState) -> &'static str {
    match state {
        RealmState::Home => "home",
        RealmState::Name => "name",
        RealmState::Up => "up",
        RealmState::Down => "down",
    }
}

/// Whether a realm is another server.
pub(super) fn is_link(state: RealmState) -> bool {
    matches!(state, RealmState::Up | RealmState::Down)
}

/// `HOST:PORT`, with brackets around an IPv6 address.
pub(super) fn address(PeerAddress { host, port }: &PeerAddress) -> String {
    let is_bare = host.contains(':') && !host.starts_with('[');
    if is_bare { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

const NOT_DELIVERED: [&str; 2] = ["Pesan kepada ", " tidak terkirim: "];
const REALM_REMOVED: [&str; 2] = ["Realm ", " dihapus sebelum semua pesan Anda kepadanya terkirim"];

/// The inbox message to a sender whose message another realm refused after the reply. It is stored, so that it is the same
/// for every listener.
#[must_use]
pub fn returned(to: &str, why: BounceReason) -> String {
    let [before, after] = NOT_DELIVERED;
    format!("{before}{to}{after}{}", errors::bounce_sentence(why, Language::Documents))
}

/// The inbox message to a sender whose messages still waited when a realm was removed.
pub(super) fn lost(realm: &Name) -> String {
    let [before, after] = REALM_REMOVED;
    format!("{before}{realm}{after}")
}

/// A stored message of the server itself in another language. `None` if it is not one of those above, but words of an
/// administrator.
pub(super) fn translated(stored: &str, language: Language) -> Option<String> {
    let [before, after] = REALM_REMOVED;
    if let Some(realm) = stored.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)) {
        return Some(say!(
            language,
            "{before}{realm}{after}",
            "realm {realm} was removed before all of your messages to it were delivered",
            "realm {realm} dihapus sebelum semua pesan Anda ke sana terkirim"
        ));
    }
    let [before, after] = NOT_DELIVERED;
    let (to, sentence) = stored.strip_prefix(before)?.split_once(after)?;
    let is_it = |why: &BounceReason| errors::bounce_sentence(*why, Language::Documents) == sentence;
    let why = errors::bounce_sentence(BounceReason::ALL.into_iter().find(is_it)?, language);
    Some(say!(
        language,
        "{before}{to}{after}{why}",
        "the message to {to} was not delivered: {why}",
        "pesan kepada {to} tidak terkirim: {why}"
    ))
}
