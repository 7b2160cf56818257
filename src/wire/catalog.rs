//! Every sentence that is written to a client (PROTOCOL §4): the documents' own, word for word, and ours where they
//! have none. The explaining details are ours.
//!
//! No error of `auth`, `login` or `register` may contain the letters "ok": a real graphical client takes them for
//! success (PROTOCOL §1).

use std::borrow::Cow;

use crate::chat::{BounceReason, CommandError, GroupChange, Limit, Notification, PeerAddress, RealmState, Response};
use crate::id::Token;
use crate::name::Name;
use crate::wire::format::{DisconnectReason, ReplyContext, ReplyFormat};
use crate::wire::help;
use crate::wire::request::{Fault, Rejection};

pub(super) const SERVER_NAME: &str = env!("CARGO_PKG_NAME");
pub(super) const SERVER_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The sentence for what a request came to.
pub(super) fn success(format: ReplyFormat, context: &ReplyContext, response: &Response) -> Cow<'static, str> {
    let word = context.spec.word;
    let is_text = format == ReplyFormat::Text;
    match response {
        Response::LoggedIn { .. } if is_text && word == "login" => "login berhasil".into(),
        Response::LoggedIn { user, token } => logged_in(word, user, token).into(),
        Response::Registered { .. } if is_text || context.draft => "sign up berhasil".into(),
        Response::Registered { user, token } => format!("registered {user}, token {}", token.expose()).into(),
        Response::LoggedOut if is_text => "Logout berhasil".into(),
        Response::LoggedOut => "Logout successful".into(),
        Response::Bye => "bye".into(),
        Response::Whoami(profile) | Response::Info(profile) => profile.user.to_string().into(),
        Response::Sent { to: Some(to), .. } if word == "chat" => format!("send to {to}").into(),
        Response::Sent { .. } if is_text => "pesan terkirim".into(),
        Response::Sent { .. } => "Message sent".into(),
        Response::SentToGroup { .. } if context.draft => "Pesan terkirim".into(),
        Response::SentToGroup { .. } => "Message sent to group".into(),
        Response::SentToRealm { .. } => "Message sent to user in realm".into(),
        Response::SentToRealmGroup { .. } => "Message sent to group in realm".into(),
        Response::Subscribed { .. } => "Subscribed".into(),
        Response::Unsubscribed => "Unsubscribed".into(),
        Response::Acknowledged(_) => "Acknowledged".into(),
        Response::Inbox { messages, .. }
        | Response::RealmInbox { messages, .. }
        | Response::History { messages, .. } => count(messages.len(), "messages"),
        Response::Active(users) => active(format, word, users),
        Response::GroupCreated if context.draft => "Grup berhasil dibuat".into(),
        Response::GroupCreated => "Add group successful".into(),
        Response::GroupJoined { with_password: true } => "Join grup berhasil".into(),
        Response::GroupJoined { with_password: false } => "Join group successful".into(),
        Response::Groups(groups) => count(groups.len(), "groups"),
        Response::Members { names, .. } => count(names.len(), "members"),
        Response::GroupLeft => "Berhasil keluar dari grup".into(),
        Response::Kicked => "User dikeluarkan dari grup".into(),
        Response::GroupDeleted => "Grup berhasil dihapus".into(),
        Response::GroupPasswordChanged { closed: true } => "Password grup berhasil diubah".into(),
        Response::GroupPasswordChanged { closed: false } => "Password grup berhasil dihapus".into(),
        Response::Blocked => "User diblokir".into(),
        Response::Unblocked => "User tidak lagi diblokir".into(),
        Response::Blocks(users) => count(users.len(), "users"),
        Response::PasswordChanged => "Password berhasil diubah".into(),
        Response::Sessions(sessions) => count(sessions.len(), "sessions"),
        Response::Revoked => "Session berhasil diakhiri".into(),
        Response::Unregistered => "Akun berhasil dihapus".into(),
        Response::RealmAdded { .. } => "Realm added successfully".into(),
        Response::RealmRemoved => "Realm berhasil dihapus".into(),
        Response::Linking => "link".into(),
        Response::Realms(realms) => count(realms.len(), "realms"),
        Response::Help(command) => help::sentence(command.as_deref()).into(),
        Response::Pong => "pong".into(),
        Response::Version => format!("{SERVER_NAME} {SERVER_VERSION}").into(),
    }
}

/// The layanan system writes a colon where the others do not.
fn logged_in(word: &str, user: &Name, token: &Token) -> String {
    let colon = if word == "login" { ":" } else { "" };
    format!("username {user} logged in, token{colon} {}", token.expose())
}

fn active(format: ReplyFormat, word: &str, users: &[Name]) -> Cow<'static, str> {
    match word {
        "list" => format!("List user: {}", join(users, ",")).into(),
        "user_on" => format!("user aktif: {}", join(users, ", ")).into(),
        _ if word == "showuseractive" || format == ReplyFormat::Text => count(users.len(), "users"),
        _ => join(users, ",").into(),
    }
}

fn join(names: &[Name], separator: &str) -> String {
    names.iter().map(Name::as_str).collect::<Vec<_>>().join(separator)
}

fn count(number: usize, things: &str) -> Cow<'static, str> {
    [&number.to_string(), " ", things].concat().into()
}

/// The sentence for why a request was refused. Where nothing is known of the request, that of most requests.
pub(super) fn error(format: ReplyFormat, context: Option<&ReplyContext>, error: CommandError) -> &'static str {
    let word = context.map_or("", |context| context.spec.word);
    let is_draft = context.is_some_and(|context| context.draft);
    let is_text = format == ReplyFormat::Text;
    match (error, word) {
        (CommandError::UserNotFound, "login") if is_text => "Username belum tersedia",
        (CommandError::UserNotFound, "auth" | "login") => "User Tidak Ada",
        (CommandError::UserNotFound | CommandError::UserOffline, "send" | "chat") if is_text => {
            "penerima tidak tersedia"
        }
        (CommandError::UserNotFound | CommandError::UserOffline, _) => "User tidak ditemukan",
        (CommandError::WrongPassword, "login") if is_text => "Password yang dimasukkan salah",
        (CommandError::WrongPassword, "joingroup") => "Password grup salah",
        (CommandError::WrongPassword, _) => "Password Salah",
        (CommandError::PasswordTooShort | CommandError::Oneself, _) if is_text => "Format message tidak sesuai",
        (CommandError::PasswordTooShort | CommandError::Oneself, _) => "parameter salah / tidak ada",
        (CommandError::UserExists, _) if is_text => "Username sudah terpakai",
        (CommandError::UserExists, _) => "User sudah ada",
        (CommandError::NoSession | CommandError::SessionNotFound, _) => "Session tidak ditemukan",
        (CommandError::Forbidden, _) => "Tidak diizinkan",
        (CommandError::NotOwner, _) => "Hanya untuk pemilik grup",
        (CommandError::Blocked, _) => "Pesan ditolak oleh penerima",
        (CommandError::GroupExists, _) if is_draft => "Nama grup sudah terpakai",
        (CommandError::GroupExists, _) => "Group sudah ada",
        (CommandError::GroupNotFound, "joingroup") if is_draft => "Grup tidak tersedia",
        (CommandError::GroupNotFound, _) if is_draft => "Nama grup tidak tersedia",
        (CommandError::GroupNotFound, _) => "Group tidak ditemukan",
        (CommandError::AlreadyMember, _) if is_draft => "Anda telah bergabung dalam grup",
        (CommandError::AlreadyMember, _) => "User sudah dalam group",
        (CommandError::NotMember, _) => "Anda belum bergabung dalam grup",
        (CommandError::UserNotMember, _) => "User belum bergabung dalam grup",
        (CommandError::RealmExists, _) => "Realm sudah ada",
        (CommandError::RealmNotFound, _) => "Realm tidak ditemukan",
        (CommandError::RealmUnreachable, _) => "Realm tidak dapat dihubungi",
        (CommandError::LinkVersion, _) => "Versi link tidak dikenal",
        (CommandError::RealmRefused, _) => "Realm menolak",
        (CommandError::RealmKeyChanged, _) => "Kunci realm berubah",
        (CommandError::RealmIsThisServer, _) => "Realm itu server ini sendiri",
        (CommandError::RealmQueueFull, _) => "Antrean realm penuh",
        (CommandError::Throttled, _) => "Terlalu sering salah, coba lagi nanti",
        (CommandError::Busy | CommandError::CursorMoved, _) => "Server sedang sibuk, coba lagi",
        (CommandError::LimitReached(_), _) => "Batas server tercapai",
        (CommandError::TagReused, _) => "Tag sudah dipakai",
        (CommandError::StorageFailed, _) => "Gagal disimpan",
        (CommandError::UnknownOutcome, _) => "Tidak diketahui apakah tersimpan",
    }
}

/// What helps somebody who was refused, where anything does.
pub(super) fn refusal_detail(error: CommandError) -> Option<&'static str> {
    let detail = match error {
        CommandError::WrongPassword | CommandError::AlreadyMember => return None,
        CommandError::UserNotFound => "no user has that name",
        CommandError::UserOffline => "the user is not online, and nothing was stored",
        CommandError::PasswordTooShort => "PASSWORD: expected a longer one, as this server is configured",
        CommandError::UserExists | CommandError::GroupExists => "the name is taken: choose another",
        CommandError::RealmExists => "the name is taken, or that server has one here: realms lists them",
        CommandError::NoSession => "log in first: auth USER PASSWORD",
        CommandError::SessionNotFound => "no open session of yours has that number: sessions lists them",
        CommandError::Forbidden => "this server does not let you do that",
        CommandError::NotOwner => "only the owner of the group may: members names the owner",
        CommandError::Oneself => "USER: expected a name other than your own",
        CommandError::Blocked => "this user does not want to hear from you",
        CommandError::GroupNotFound => "no group has that name",
        CommandError::NotMember => "join the group first: joingroup GROUP; from another realm nobody can",
        CommandError::UserNotMember => "that user is not in the group: members lists who is",
        CommandError::RealmNotFound => "no realm that this server knows has that name",
        CommandError::RealmUnreachable => "no kabar server answered at HOST PORT in time",
        CommandError::LinkVersion => "VERSION: expected 1, the link protocol that this server speaks",
        CommandError::RealmRefused => {
            "the other server does not take it: its operator allows no such link, or the text is too long there"
        }
        CommandError::RealmKeyChanged => {
            "one of the two servers knows another key for the other: if it was changed on purpose, delrealm and addrealm"
        }
        CommandError::RealmIsThisServer => "HOST PORT is this very server: addrealm REALM gives it one more name",
        CommandError::RealmQueueFull => "too much waits for that realm: try again when its link is up",
        CommandError::Throttled => "too many failures of this name or address: wait a minute",
        CommandError::Busy | CommandError::CursorMoved => "too much at once: try again",
        CommandError::LimitReached(Limit::Users) => "this server takes no more users",
        CommandError::LimitReached(Limit::Groups) => "this server takes no more groups",
        CommandError::LimitReached(Limit::Memberships) => "a user can be in no more groups",
        CommandError::LimitReached(Limit::Realms) => "this server takes no more realms",
        CommandError::TagReused => "the tag stood on another request within a day: choose another",
        CommandError::LimitReached(Limit::Blocks) => "a user can block no more others",
        CommandError::StorageFailed => "the disk failed, and nothing was changed: try again",
        CommandError::UnknownOutcome => "the disk failed half-way: repeat it with the same tag, or find out",
    };
    Some(detail)
}

/// The sentence for a line that is no request.
pub(super) fn rejection(format: ReplyFormat, rejection: &Rejection) -> &'static str {
    let is_draft = format == ReplyFormat::Text || rejection.spec.is_some_and(|spec| spec.of_draft);
    match rejection.fault {
        Fault::UnknownCommand => "*Maaf, command tidak benar",
        Fault::BadParameter | Fault::Line(_) if is_draft => "Format message tidak sesuai",
        Fault::BadParameter | Fault::Line(_) => "parameter salah / tidak ada",
    }
}

/// How a realm is, in a word for programs.
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

/// Where a server is dialled, in one word. The colons of an IPv6 address are told from the port's by brackets.
pub(super) fn address(PeerAddress { host, port }: &PeerAddress) -> String {
    let is_bare = host.contains(':') && !host.starts_with('[');
    if is_bare { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// What a sender is told in the inbox whose message another realm did not take after all.
#[must_use]
pub fn returned(to: &str, why: BounceReason) -> String {
    let why = match why {
        BounceReason::UserNotFound => "User tidak ditemukan",
        BounceReason::GroupNotFound => "Group tidak ditemukan",
        BounceReason::NotMember => "Anda belum bergabung dalam grup",
        BounceReason::Blocked => "Pesan ditolak oleh penerima",
        BounceReason::Malformed => "Realm menolak",
    };
    format!("Pesan kepada {to} tidak terkirim: {why}")
}

/// What a sender is told in the inbox whose messages still waited when a realm was removed.
#[must_use]
pub fn lost(realm: &Name) -> String {
    format!("Realm {realm} dihapus sebelum semua pesan Anda kepadanya terkirim")
}

/// The word that a notice is asked for by, and told under.
pub(super) fn topic(notification: &Notification) -> &'static str {
    match notification {
        Notification::Presence { .. } => "presence",
        Notification::Group { .. } => "group",
        Notification::Inbox { .. } => "inbox",
    }
}

/// What changed in a group, in a word for programs.
pub(super) fn group_change(change: GroupChange) -> &'static str {
    match change {
        GroupChange::Joined => "joined",
        GroupChange::Left => "left",
        GroupChange::Kicked => "kicked",
        GroupChange::Owner => "owner",
        GroupChange::Deleted => "deleted",
    }
}

/// For a person who reads more slowly than others write.
pub(super) const LAGGED: &str = "Terlalu lambat: ada pesan yang terlewat, lihat dengan inbox";

/// For a person who asks for more than was kept.
pub(super) const TRUNCATED: &str = "Ada pesan lama yang sudah dihapus";

/// The last sentence on a connection.
pub(super) fn farewell(why: DisconnectReason) -> &'static str {
    match why {
        DisconnectReason::ShuttingDown => "Server berhenti",
        DisconnectReason::Evicted | DisconnectReason::TooManyConnections => "Terlalu banyak koneksi",
    }
}

/// What helps somebody whose connection ends.
pub(super) fn farewell_detail(why: DisconnectReason) -> &'static str {
    match why {
        DisconnectReason::ShuttingDown => "the server is stopping: connect again later",
        DisconnectReason::Evicted => {
            "the server needed room, and this connection was silent without a log-in: connect again"
        }
        DisconnectReason::TooManyConnections => "close one, or try again later",
    }
}
