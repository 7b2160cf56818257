//! Every sentence that is written to a client (PROTOCOL §4): the documents' own, word for word, and ours where they
//! have none. The explaining details are ours.
//!
//! No error of `auth`, `login` or `register` may contain the letters "ok": a real graphical client takes them for
//! success (PROTOCOL §1).

use std::borrow::Cow;

use crate::chat::{GroupChange, Limit, Notice, Outcome, PeerAddress, RealmState, Refusal, Undeliverable};
use crate::id::Token;
use crate::name::Name;
use crate::wire::help;
use crate::wire::request::{Fault, Rejection};
use crate::wire::style::{Farewell, Heading, Style};

pub(super) const SERVER_NAME: &str = env!("CARGO_PKG_NAME");
pub(super) const SERVER_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The sentence for what a request came to.
pub(super) fn success(style: Style, heading: &Heading, outcome: &Outcome) -> Cow<'static, str> {
    let word = heading.verb.word;
    let is_text = style == Style::Text;
    match outcome {
        Outcome::LoggedIn { .. } if is_text && word == "login" => "login berhasil".into(),
        Outcome::LoggedIn { user, token } => logged_in(word, user, token).into(),
        Outcome::Registered { .. } if is_text || heading.draft => "sign up berhasil".into(),
        Outcome::Registered { user, token } => format!("registered {user}, token {}", token.reveal()).into(),
        Outcome::LoggedOut if is_text => "Logout berhasil".into(),
        Outcome::LoggedOut => "Logout successful".into(),
        Outcome::Bye => "bye".into(),
        Outcome::Whoami(profile) | Outcome::Info(profile) => profile.user.to_string().into(),
        Outcome::Sent { to: Some(to), .. } if word == "chat" => format!("send to {to}").into(),
        Outcome::Sent { .. } if is_text => "pesan terkirim".into(),
        Outcome::Sent { .. } => "Message sent".into(),
        Outcome::SentToGroup { .. } if heading.draft => "Pesan terkirim".into(),
        Outcome::SentToGroup { .. } => "Message sent to group".into(),
        Outcome::SentToRealm { .. } => "Message sent to user in realm".into(),
        Outcome::SentToRealmGroup { .. } => "Message sent to group in realm".into(),
        Outcome::Subscribed { .. } => "Subscribed".into(),
        Outcome::Unsubscribed => "Unsubscribed".into(),
        Outcome::Acknowledged(_) => "Acknowledged".into(),
        Outcome::Inbox { messages, .. } | Outcome::RealmInbox { messages, .. } | Outcome::History { messages, .. } => {
            count(messages.len(), "messages")
        }
        Outcome::Active(users) => active(style, word, users),
        Outcome::GroupCreated if heading.draft => "Grup berhasil dibuat".into(),
        Outcome::GroupCreated => "Add group successful".into(),
        Outcome::GroupJoined { with_password: true } => "Join grup berhasil".into(),
        Outcome::GroupJoined { with_password: false } => "Join group successful".into(),
        Outcome::Groups(groups) => count(groups.len(), "groups"),
        Outcome::Members { names, .. } => count(names.len(), "members"),
        Outcome::GroupLeft => "Berhasil keluar dari grup".into(),
        Outcome::Kicked => "User dikeluarkan dari grup".into(),
        Outcome::GroupDeleted => "Grup berhasil dihapus".into(),
        Outcome::GroupPasswordChanged { closed: true } => "Password grup berhasil diubah".into(),
        Outcome::GroupPasswordChanged { closed: false } => "Password grup berhasil dihapus".into(),
        Outcome::Blocked => "User diblokir".into(),
        Outcome::Unblocked => "User tidak lagi diblokir".into(),
        Outcome::Blocks(users) => count(users.len(), "users"),
        Outcome::PasswordChanged => "Password berhasil diubah".into(),
        Outcome::Sessions(sessions) => count(sessions.len(), "sessions"),
        Outcome::Revoked => "Session berhasil diakhiri".into(),
        Outcome::Unregistered => "Akun berhasil dihapus".into(),
        Outcome::RealmAdded { .. } => "Realm added successfully".into(),
        Outcome::RealmRemoved => "Realm berhasil dihapus".into(),
        Outcome::Linking => "link".into(),
        Outcome::Realms(realms) => count(realms.len(), "realms"),
        Outcome::Help(command) => help::sentence(command.as_deref()).into(),
        Outcome::Pong => "pong".into(),
        Outcome::Version => format!("{SERVER_NAME} {SERVER_VERSION}").into(),
    }
}

/// The layanan system writes a colon where the others do not.
fn logged_in(word: &str, user: &Name, token: &Token) -> String {
    let colon = if word == "login" { ":" } else { "" };
    format!("username {user} logged in, token{colon} {}", token.reveal())
}

fn active(style: Style, word: &str, users: &[Name]) -> Cow<'static, str> {
    match word {
        "list" => format!("List user: {}", join(users, ",")).into(),
        "user_on" => format!("user aktif: {}", join(users, ", ")).into(),
        _ if word == "showuseractive" || style == Style::Text => count(users.len(), "users"),
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
pub(super) fn refusal(style: Style, heading: Option<&Heading>, refusal: Refusal) -> &'static str {
    let word = heading.map_or("", |heading| heading.verb.word);
    let is_draft = heading.is_some_and(|heading| heading.draft);
    let is_text = style == Style::Text;
    match (refusal, word) {
        (Refusal::UserNotFound, "login") if is_text => "Username belum tersedia",
        (Refusal::UserNotFound, "auth" | "login") => "User Tidak Ada",
        (Refusal::UserNotFound | Refusal::UserOffline, "send" | "chat") if is_text => "penerima tidak tersedia",
        (Refusal::UserNotFound | Refusal::UserOffline, _) => "User tidak ditemukan",
        (Refusal::WrongPassword, "login") if is_text => "Password yang dimasukkan salah",
        (Refusal::WrongPassword, "joingroup") => "Password grup salah",
        (Refusal::WrongPassword, _) => "Password Salah",
        (Refusal::PasswordTooShort | Refusal::Oneself, _) if is_text => "Format message tidak sesuai",
        (Refusal::PasswordTooShort | Refusal::Oneself, _) => "parameter salah / tidak ada",
        (Refusal::UserExists, _) if is_text => "Username sudah terpakai",
        (Refusal::UserExists, _) => "User sudah ada",
        (Refusal::NoSession | Refusal::SessionNotFound, _) => "Session tidak ditemukan",
        (Refusal::Forbidden, _) => "Tidak diizinkan",
        (Refusal::NotOwner, _) => "Hanya untuk pemilik grup",
        (Refusal::Blocked, _) => "Pesan ditolak oleh penerima",
        (Refusal::GroupExists, _) if is_draft => "Nama grup sudah terpakai",
        (Refusal::GroupExists, _) => "Group sudah ada",
        (Refusal::GroupNotFound, "joingroup") if is_draft => "Grup tidak tersedia",
        (Refusal::GroupNotFound, _) if is_draft => "Nama grup tidak tersedia",
        (Refusal::GroupNotFound, _) => "Group tidak ditemukan",
        (Refusal::AlreadyMember, _) if is_draft => "Anda telah bergabung dalam grup",
        (Refusal::AlreadyMember, _) => "User sudah dalam group",
        (Refusal::NotMember, _) => "Anda belum bergabung dalam grup",
        (Refusal::UserNotMember, _) => "User belum bergabung dalam grup",
        (Refusal::RealmExists, _) => "Realm sudah ada",
        (Refusal::RealmNotFound, _) => "Realm tidak ditemukan",
        (Refusal::RealmUnreachable, _) => "Realm tidak dapat dihubungi",
        (Refusal::LinkVersion, _) => "Versi link tidak dikenal",
        (Refusal::RealmRefused, _) => "Realm menolak",
        (Refusal::RealmKeyChanged, _) => "Kunci realm berubah",
        (Refusal::RealmIsThisServer, _) => "Realm itu server ini sendiri",
        (Refusal::RealmQueueFull, _) => "Antrean realm penuh",
        (Refusal::Throttled, _) => "Terlalu sering salah, coba lagi nanti",
        (Refusal::Busy | Refusal::CursorMoved, _) => "Server sedang sibuk, coba lagi",
        (Refusal::LimitReached(_), _) => "Batas server tercapai",
        (Refusal::TagReused, _) => "Tag sudah dipakai",
        (Refusal::StorageFailed, _) => "Gagal disimpan",
        (Refusal::UnknownOutcome, _) => "Tidak diketahui apakah tersimpan",
    }
}

/// What helps somebody who was refused, where anything does.
pub(super) fn refusal_detail(refusal: Refusal) -> Option<&'static str> {
    let detail = match refusal {
        Refusal::WrongPassword | Refusal::AlreadyMember => return None,
        Refusal::UserNotFound => "no user has that name",
        Refusal::UserOffline => "the user is not online, and nothing was stored",
        Refusal::PasswordTooShort => "PASSWORD: expected a longer one, as this server is configured",
        Refusal::UserExists | Refusal::GroupExists => "the name is taken: choose another",
        Refusal::RealmExists => "the name is taken, or that server has one here: realms lists them",
        Refusal::NoSession => "log in first: auth USER PASSWORD",
        Refusal::SessionNotFound => "no open session of yours has that number: sessions lists them",
        Refusal::Forbidden => "this server does not let you do that",
        Refusal::NotOwner => "only the owner of the group may: members names the owner",
        Refusal::Oneself => "USER: expected a name other than your own",
        Refusal::Blocked => "this user does not want to hear from you",
        Refusal::GroupNotFound => "no group has that name",
        Refusal::NotMember => "join the group first: joingroup GROUP; from another realm nobody can",
        Refusal::UserNotMember => "that user is not in the group: members lists who is",
        Refusal::RealmNotFound => "no realm that this server knows has that name",
        Refusal::RealmUnreachable => "no kabar server answered at HOST PORT in time",
        Refusal::LinkVersion => "VERSION: expected 1, the link protocol that this server speaks",
        Refusal::RealmRefused => {
            "the other server does not take it: its operator allows no such link, or the text is too long there"
        }
        Refusal::RealmKeyChanged => {
            "one of the two servers knows another key for the other: if it was changed on purpose, delrealm and addrealm"
        }
        Refusal::RealmIsThisServer => "HOST PORT is this very server: addrealm REALM gives it one more name",
        Refusal::RealmQueueFull => "too much waits for that realm: try again when its link is up",
        Refusal::Throttled => "too many failures of this name or address: wait a minute",
        Refusal::Busy | Refusal::CursorMoved => "too much at once: try again",
        Refusal::LimitReached(Limit::Users) => "this server takes no more users",
        Refusal::LimitReached(Limit::Groups) => "this server takes no more groups",
        Refusal::LimitReached(Limit::Memberships) => "a user can be in no more groups",
        Refusal::LimitReached(Limit::Realms) => "this server takes no more realms",
        Refusal::TagReused => "the tag stood on another request within a day: choose another",
        Refusal::LimitReached(Limit::Blocks) => "a user can block no more others",
        Refusal::StorageFailed => "the disk failed, and nothing was changed: try again",
        Refusal::UnknownOutcome => "the disk failed half-way: repeat it with the same tag, or find out",
    };
    Some(detail)
}

/// The sentence for a line that is no request.
pub(super) fn rejection(style: Style, rejection: &Rejection) -> &'static str {
    let is_draft = style == Style::Text || rejection.verb.is_some_and(|verb| verb.of_draft);
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
pub fn returned(to: &str, why: Undeliverable) -> String {
    let why = match why {
        Undeliverable::UserNotFound => "User tidak ditemukan",
        Undeliverable::GroupNotFound => "Group tidak ditemukan",
        Undeliverable::NotMember => "Anda belum bergabung dalam grup",
        Undeliverable::Blocked => "Pesan ditolak oleh penerima",
        Undeliverable::Malformed => "Realm menolak",
    };
    format!("Pesan kepada {to} tidak terkirim: {why}")
}

/// What a sender is told in the inbox whose messages still waited when a realm was removed.
#[must_use]
pub fn lost(realm: &Name) -> String {
    format!("Realm {realm} dihapus sebelum semua pesan Anda kepadanya terkirim")
}

/// The word that a notice is asked for by, and told under.
pub(super) fn topic(notice: &Notice) -> &'static str {
    match notice {
        Notice::Presence { .. } => "presence",
        Notice::Group { .. } => "group",
        Notice::Inbox { .. } => "inbox",
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
pub(super) fn farewell(why: Farewell) -> &'static str {
    match why {
        Farewell::ShuttingDown => "Server berhenti",
        Farewell::Evicted | Farewell::TooManyConnections => "Terlalu banyak koneksi",
    }
}

/// What helps somebody whose connection ends.
pub(super) fn farewell_detail(why: Farewell) -> &'static str {
    match why {
        Farewell::ShuttingDown => "the server is stopping: connect again later",
        Farewell::Evicted => "the server needed room, and this connection was silent without a log-in: connect again",
        Farewell::TooManyConnections => "close one, or try again later",
    }
}
