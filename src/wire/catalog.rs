//! The sentences of successful replies that depend on the response (PROTOCOL §4): the documents' own, word for word, and
//! ours for commands of ours.

use std::borrow::Cow;

use crate::chat::{BounceReason, PeerAddress, RealmState, Response, SessionEnd};
use crate::name::Name;
use crate::wire::errors;
use crate::wire::format::{Dialect, ReplyFormat};

pub(super) const SERVER_NAME: &str = env!("CARGO_PKG_NAME");
pub(super) const SERVER_VERSION: &str = env!("CARGO_PKG_VERSION");

/// A person's sentence, which clients of the cli system also find in the key `messages`.
pub(super) const LOGGED_OUT: &str = "Logout berhasil";

/// For a person who reads more slowly than others write.
pub(super) const LAGGED: &str = "Terlalu lambat: ada pesan yang terlewat, lihat dengan inbox";

/// For a person who asks for more than was kept.
pub(super) const TRUNCATED: &str = "Ada pesan lama yang sudah dihapus";

/// For a person who asks for what comes after a message that a restored server has lost.
pub(super) const RESET: &str = "Server dipulihkan dari cadangan: pesan setelah cadangan itu hilang";

/// For a person who reads while the disk takes nothing.
pub(super) const UNREAD: &str = "[inbox] the disk failed, so that these messages stay new";

/// For a person who stops in the middle of a line, or a client that sends none.
pub(super) const UNFINISHED_LINE: &str =
    "Format message tidak sesuai: baris diakhiri dengan Enter (a line ends with Enter)";

/// For a person who registered with four words, and may have meant a password with blanks.
pub(super) const REGISTERED_WITH_PROFILE: &str =
    "the password is the second word, the last two are full name and country: passwd and setname change them";

/// Why a session ended: in a word for programs, and for a person.
pub(super) fn session_end(end: SessionEnd) -> (&'static str, &'static str) {
    match end {
        SessionEnd::LoggedOut => ("logged_out", "logged out from elsewhere"),
        SessionEnd::Revoked => ("revoked", "revoked from elsewhere"),
        SessionEnd::PasswordChanged => ("password_changed", "the password was changed, log in with the new one"),
        SessionEnd::TooManySessions => ("too_many_sessions", "too many newer log-ins of this user, log in again"),
        SessionEnd::Unregistered => ("unregistered", "the account was given up"),
        SessionEnd::Kicked => ("kicked", "an administrator has ended it"),
        SessionEnd::Banned => ("banned", "an administrator has banned the account"),
        SessionEnd::Locked => ("locked", "an administrator has locked the account"),
        SessionEnd::Expired => ("expired", "not used for too long, log in again"),
    }
}

type Sentence = Cow<'static, str>;

/// The layanan system writes a colon, the others do not.
pub(super) fn logged_in(dialect: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    let Response::LoggedIn { user, token, .. } = response else { return Sentence::default() };
    match (dialect, format) {
        (Dialect::Layanan, ReplyFormat::Text(_)) => "login berhasil".into(),
        (Dialect::Layanan, ReplyFormat::Json) => format!("username {user} logged in, token: {}", token.expose()).into(),
        _ => format!("username {user} logged in, token {}", token.expose()).into(),
    }
}

pub(super) fn registered(dialect: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    match response {
        Response::LoggedIn { user, token, .. } if dialect != Dialect::Draft && format == ReplyFormat::Json => {
            format!("registered {user}, token {}", token.expose()).into()
        }
        _ => "sign up berhasil".into(),
    }
}

/// The layanan system's reply names the recipient.
pub(super) fn sent_to(_: Dialect, _: ReplyFormat, response: &Response) -> Sentence {
    match response {
        Response::Sent { to: Some(to), .. } => format!("send to {to}").into(),
        _ => "Message sent".into(),
    }
}

/// A person is told how to go on.
pub(super) fn messages(_: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    match (response, format) {
        (Response::Inbox { messages, more: true, .. }, ReplyFormat::Text(_)) => {
            format!("{} messages, and more: ask again", messages.len()).into()
        }
        (Response::Page { messages, before: Some(before), .. }, ReplyFormat::Text(_)) => {
            format!("{} messages, older ones with before {before}", messages.len()).into()
        }
        (Response::Inbox { messages, .. } | Response::Page { messages, .. }, _) => count(messages.len(), "messages"),
        _ => Sentence::default(),
    }
}

pub(super) fn conversations(_: Dialect, _: ReplyFormat, response: &Response) -> Sentence {
    let Response::Conversations { conversations, .. } = response else { return Sentence::default() };
    count(conversations.len(), "conversations")
}

/// Each system words the list of online users in its own way.
pub(super) fn online(dialect: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    let Response::Online(users) = response else { return Sentence::default() };
    match dialect {
        Dialect::Cli => format!("List user: {}", join(users, ",")).into(),
        Dialect::Layanan => format!("user aktif: {}", join(users, ", ")).into(),
        _ if dialect == Dialect::Service || format.is_text() => count(users.len(), "users"),
        _ => join(users, ",").into(),
    }
}

pub(super) fn info(dialect: Dialect, format: ReplyFormat, response: &Response) -> Sentence {
    match response {
        Response::Whoami { profile, .. } | Response::Info(profile) => profile.user.to_string().into(),
        _ => online(dialect, format, response),
    }
}

pub(super) fn group_password(_: Dialect, _: ReplyFormat, response: &Response) -> Sentence {
    match response {
        Response::GroupPasswordChanged { closed: false } => "Password grup berhasil dihapus".into(),
        _ => "Password grup berhasil diubah".into(),
    }
}

pub(super) fn groups(_: Dialect, _: ReplyFormat, response: &Response) -> Sentence {
    let Response::Groups(names) = response else { return Sentence::default() };
    count(names.len(), "groups")
}

pub(super) fn members(_: Dialect, _: ReplyFormat, response: &Response) -> Sentence {
    let Response::Members { names, .. } = response else { return Sentence::default() };
    count(names.len(), "members")
}

pub(super) fn blocks(_: Dialect, _: ReplyFormat, response: &Response) -> Sentence {
    let Response::Blocks(users) = response else { return Sentence::default() };
    count(users.len(), "users")
}

pub(super) fn sessions(_: Dialect, _: ReplyFormat, response: &Response) -> Sentence {
    let Response::Sessions(sessions) = response else { return Sentence::default() };
    count(sessions.len(), "sessions")
}

pub(super) fn realms(_: Dialect, _: ReplyFormat, response: &Response) -> Sentence {
    let Response::Realms(realms) = response else { return Sentence::default() };
    count(realms.len(), "realms")
}

pub(super) fn bans(_: Dialect, _: ReplyFormat, response: &Response) -> Sentence {
    let Response::Bans { bans, .. } = response else { return Sentence::default() };
    count(bans.len(), "bans")
}

pub(super) fn users(_: Dialect, _: ReplyFormat, response: &Response) -> Sentence {
    let Response::Users { users, .. } = response else { return Sentence::default() };
    count(users.len(), "users")
}

pub(super) fn invites(_: Dialect, _: ReplyFormat, response: &Response) -> Sentence {
    let Response::Invites(invites) = response else { return Sentence::default() };
    count(invites.len(), "invites")
}

pub(super) fn invited(_: Dialect, _: ReplyFormat, response: &Response) -> Sentence {
    let Response::InviteMade { code, invite } = response else { return Sentence::default() };
    format!("code {} for {} until {}", code.expose(), invite.uses, invite.until).into()
}

pub(super) fn stats(_: Dialect, _: ReplyFormat, response: &Response) -> Sentence {
    let Response::Stats(stats) = response else { return Sentence::default() };
    format!("{} users, {} online", stats.users, stats.online).into()
}

pub(super) fn version(_: Dialect, _: ReplyFormat, _: &Response) -> Sentence {
    format!("{SERVER_NAME} {SERVER_VERSION}").into()
}

fn join(names: &[Name], separator: &str) -> String {
    names.iter().map(Name::as_str).collect::<Vec<_>>().join(separator)
}

fn count(number: usize, things: &str) -> Sentence {
    [&number.to_string(), " ", things].concat().into()
}

/// The state of a realm in a word for programs.
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

/// The inbox message to a sender whose message another realm refused after the reply.
#[must_use]
pub fn returned(to: &str, why: BounceReason) -> String {
    format!("Pesan kepada {to} tidak terkirim: {}", errors::bounce_sentence(why))
}

/// The inbox message to a sender whose messages still waited when a realm was removed.
pub(super) fn lost(realm: &Name) -> String {
    format!("Realm {realm} dihapus sebelum semua pesan Anda kepadanya terkirim")
}
