//! Fixtures of the tests of replies: requests, responses with the users of the documents, and all variants.

use std::iter;
use std::time::Duration;

use proptest::prelude::*;

use crate::chat::{
    BanStatus, BodyFields, ConversationSummary, EscapedText, GroupChange, InviteStatus, Kind, MessageBody,
    Notification, PeerAddress, Profile, RealmState, RealmStatus, Receipt, Response, SessionStatus, Stats,
    StoredMessage, Topics, UserStatus,
};
use crate::id::{Epoch, InviteCode, PeerKey, Seq, SessionId, Token};
use crate::name::Name;
use crate::settings::Language;
use crate::time::Time;
use crate::wire::{Dialect, DisconnectReason, LineError, ParseError, Parsed, ReplyContext, parse};

pub(super) const TOKEN: &str = "0b5c3f2e-1111-4222-8333-444455556666";

pub(super) const RECEIPT: Receipt = Receipt { seq: Seq(42), time: Time(1_795_244_400_123) };

/// The requests that log in, in every form.
pub(super) const LOGINS: [&str; 4] = ["auth messi x", "login messi x", "register messi x", "register messi x A B"];

pub(super) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(super) fn names(texts: &[&str]) -> Vec<Name> {
    texts.iter().map(|text| name(text)).collect()
}

pub(super) fn token() -> Token {
    Token::parse(TOKEN).unwrap()
}

pub(super) fn context(line: &str) -> ReplyContext {
    match parse(line) {
        Parsed::Request(request) => request.context(),
        other => panic!("{line:?} is {other:?}"),
    }
}

pub(super) fn parse_error(line: &str) -> ParseError {
    match parse(line) {
        Parsed::Rejected(error) => error,
        other => panic!("{line:?} is {other:?}"),
    }
}

/// The one JSON frame that was appended, without its end.
pub(super) fn frame(append: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = b"before".to_vec();
    append(&mut out);
    let text = String::from_utf8(out).unwrap();
    let frame = text.strip_prefix("before").unwrap().strip_suffix("\r\n\r\n").unwrap();
    assert!(frame.is_ascii() && !frame.contains(['\r', '\n']), "{frame}");
    frame.to_owned()
}

/// The lines that were appended.
pub(super) fn text(append: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    append(&mut out);
    String::from_utf8(out).unwrap()
}

pub(super) fn messi() -> Profile {
    Profile {
        user: name("messi"),
        full_name: "Lionel Messi".into(),
        country: "Argentina".into(),
        realm: name("local"),
        online: true,
        last_seen: Some(RECEIPT.time),
    }
}

/// The key of another server, and how it is shown.
pub(super) const PEER_KEY: PeerKey = PeerKey([0xAB; 32]);
pub(super) const SHOWN_KEY: &str = "abababababababababababababababababababababababababababababababab";

pub(super) fn realms() -> Response {
    Response::Realms(vec![realm("local", RealmState::Home), realm("timur", RealmState::Name)])
}

/// One that is linked, and one that never was.
pub(super) fn links() -> Response {
    let up = RealmStatus {
        since: Some(RECEIPT.time),
        key: Some(PEER_KEY),
        address: Some(PeerAddress { host: "2001:db8::7".into(), port: 8889 }),
        ..realm("timur", RealmState::Up)
    };
    let down = RealmStatus {
        queued: 3,
        waiting: Some(Duration::from_millis(61_900)),
        address: Some(PeerAddress { host: "chat.example".into(), port: 9889 }),
        problem: Some("no answer within 5s".into()),
        ..realm("utara", RealmState::Down)
    };
    Response::Realms(vec![up, down])
}

fn realm(text: &str, state: RealmState) -> RealmStatus {
    RealmStatus {
        name: name(text),
        state,
        since: None,
        queued: 0,
        waiting: None,
        key: None,
        address: None,
        problem: None,
    }
}

fn marked() -> Response {
    Response::MarkedRead { conversation: "messi".into(), mark: Seq(42) }
}

/// One with a message, and a silent group.
pub(super) fn conversations() -> Response {
    let (conversation, name) = ("messi".into(), "Lionel Messi".into());
    let last = Some(message(1, "messi", "goal!", Kind::Direct));
    let with_messi = ConversationSummary { conversation, name, mark: Seq(42), unread: 1_000, unread_more: true, last };
    let (conversation, name) = ("group:fans".into(), "fans".into());
    let fans = ConversationSummary { conversation, name, mark: Seq(7), unread: 0, unread_more: false, last: None };
    Response::Conversations { conversations: vec![with_messi, fans], more: true }
}

pub(super) fn sessions() -> Response {
    let (opened, used, origin) = (RECEIPT.time, RECEIPT.time, [127, 0, 0, 1].into());
    Response::Sessions(vec![SessionStatus { id: SessionId(7), opened, used, origin, current: true }])
}

/// A ban for ever, and one by the operator for a time.
pub(super) fn bans() -> Response {
    let (since, reason) = (RECEIPT.time, "spam".into());
    let ever = BanStatus { id: Seq(9), target: "paff".into(), by: Some(name("messi")), since, until: None, reason };
    let (target, until) = ("10.0.0.0/8".into(), Some(RECEIPT.time));
    let for_a_time = BanStatus { id: Seq(7), target, by: None, since, until, reason: "".into() };
    Response::Bans { bans: vec![ever, for_a_time], before: Some(Seq(7)) }
}

pub(super) fn users() -> Response {
    let user = UserStatus {
        user: name("messi"),
        full_name: "Lionel Messi".into(),
        online: true,
        sessions: 2,
        last_seen: Some(RECEIPT.time),
        is_administrator: true,
        is_locked: false,
        is_banned: false,
    };
    let away =
        UserStatus { user: name("paff"), online: false, last_seen: None, is_administrator: false, ..user.clone() };
    Response::Users {
        users: vec![user, UserStatus { is_locked: true, is_banned: true, ..away }],
        after: Some(name("paff")),
    }
}

pub(super) fn invite_status() -> InviteStatus {
    InviteStatus { id: Seq(9), uses: 5, until: RECEIPT.time, by: Some(name("messi")) }
}

pub(super) fn message(seq: u64, from: &str, msg: &str, kind: Kind) -> StoredMessage {
    let to = match kind {
        Kind::Direct | Kind::Damaged => "henderson",
        Kind::Group => "informatika21",
        Kind::Broadcast => "*",
    };
    let msg = &EscapedText::new(msg);
    let fields = BodyFields { msg_from: from, msg_to: to, msg, from, to, kind, realm: None };
    StoredMessage { seq: Seq(seq), time: RECEIPT.time, body: MessageBody::compose(&fields) }
}

/// Any message with any text.
pub(super) fn any_message() -> impl Strategy<Value = StoredMessage> {
    let kind = proptest::sample::select(kinds().collect::<Vec<_>>());
    (any::<u64>(), "[a-z]{1,3}", any::<String>(), kind)
        .prop_map(|(seq, from, msg, kind)| message(seq, &from, &msg, kind))
}

// All variants of a type: each names the next one in an exhaustive match, so that a new variant has to be added.

fn kinds() -> impl Iterator<Item = Kind> {
    iter::successors(Some(Kind::Direct), |kind| match kind {
        Kind::Direct => Some(Kind::Group),
        Kind::Group => Some(Kind::Broadcast),
        Kind::Broadcast => Some(Kind::Damaged),
        Kind::Damaged => None,
    })
}

pub(super) fn languages() -> impl Iterator<Item = Language> {
    iter::successors(Some(Language::Documents), |language| match language {
        Language::Documents => Some(Language::English),
        Language::English => Some(Language::Indonesian),
        Language::Indonesian => None,
    })
}

pub(super) fn dialects() -> impl Iterator<Item = Dialect> {
    iter::successors(Some(Dialect::Realm), |dialect| match dialect {
        Dialect::Realm => Some(Dialect::Service),
        Dialect::Service => Some(Dialect::Cli),
        Dialect::Cli => Some(Dialect::Layanan),
        Dialect::Layanan => Some(Dialect::Draft),
        Dialect::Draft => None,
    })
}

pub(super) fn line_errors() -> impl Iterator<Item = LineError> {
    iter::successors(Some(LineError::NotUtf8), |error| match error {
        LineError::NotUtf8 => Some(LineError::ControlCharacter),
        LineError::ControlCharacter => Some(LineError::TooLong { limit: 8192 }),
        LineError::TooLong { .. } => Some(LineError::Tls),
        LineError::Tls => None,
    })
}

pub(super) fn disconnect_reasons() -> impl Iterator<Item = DisconnectReason> {
    iter::successors(Some(DisconnectReason::ShuttingDown), |reason| match reason {
        DisconnectReason::ShuttingDown => Some(DisconnectReason::Evicted),
        DisconnectReason::Evicted => Some(DisconnectReason::TooManyOfUser),
        DisconnectReason::TooManyOfUser => Some(DisconnectReason::TooManyConnections),
        DisconnectReason::TooManyConnections => Some(DisconnectReason::Kicked),
        DisconnectReason::Kicked => Some(DisconnectReason::Banned),
        DisconnectReason::Banned => Some(DisconnectReason::AddressBanned),
        DisconnectReason::AddressBanned => Some(DisconnectReason::TlsExpected),
        DisconnectReason::TlsExpected => None,
    })
}

pub(super) fn notifications() -> impl Iterator<Item = Notification> {
    let group = |change, user| Notification::Group { group: name("fans"), change, user };
    let first = Notification::Presence { user: name("messi"), online: true };
    iter::successors(Some(first), move |notification| match notification {
        Notification::Presence { user, online: true } => {
            Some(Notification::Presence { user: user.clone(), online: false })
        }
        Notification::Presence { .. } => Some(Notification::Inbox { cursor: Seq(42) }),
        Notification::Inbox { .. } => Some(Notification::Read { conversation: "group:fans".into(), mark: Seq(42) }),
        Notification::Read { .. } => Some(group(GroupChange::Joined, Some(name("messi")))),
        Notification::Group { change, user, .. } => match change {
            GroupChange::Joined => Some(group(GroupChange::Left, user.clone())),
            GroupChange::Left => Some(group(GroupChange::Kicked, user.clone())),
            GroupChange::Kicked => Some(group(GroupChange::Owner, user.clone())),
            GroupChange::Owner => Some(group(GroupChange::Renamed { full_name: "Léo".into() }, user.clone())),
            GroupChange::Renamed { .. } => Some(group(GroupChange::Deleted, None)),
            GroupChange::Deleted => None,
        },
    })
}

/// Each with a request that it answers.
pub(super) fn responses() -> impl Iterator<Item = (&'static str, Response)> {
    iter::successors(Some(("ping", Response::Done)), |(_, response)| next_response(response))
}

fn next_response(response: &Response) -> Option<(&'static str, Response)> {
    let messages = || vec![message(1, "messi", "goal!", Kind::Direct)];
    Some(match response {
        Response::Done => (
            "auth messi x",
            Response::LoggedIn {
                user: name("messi"),
                token: token(),
                epoch: Epoch(7),
                is_unstored: false,
                unread: None,
            },
        ),
        Response::LoggedIn { .. } => ("logout", Response::LoggedOut),
        Response::LoggedOut => ("exit", Response::Bye),
        Response::Bye => ("whoami", Response::Whoami { profile: messi(), epoch: Epoch(7) }),
        Response::Whoami { .. } => ("info messi", Response::Info(messi())),
        Response::Info(_) => ("send messi hi", Response::Sent { receipt: RECEIPT, to: None, delivered: None }),
        Response::Sent { .. } => ("inbox", Response::Inbox { messages: messages(), more: true, is_unread: false }),
        Response::Inbox { .. } => {
            ("history", Response::Page { messages: messages(), more: true, is_unread: false, before: Some(Seq(1)) })
        }
        Response::Page { .. } => (
            "subscribe",
            Response::Subscribed { after: Seq(42), is_reset: false, epoch: Epoch(7), topics: Topics::default() },
        ),
        Response::Subscribed { .. } => ("ack 42", Response::Acknowledged(Seq(42))),
        Response::Acknowledged(_) => ("markread messi 42", marked()),
        Response::MarkedRead { .. } => ("conversations", conversations()),
        Response::Conversations { .. } => ("online", Response::Online(names(&["paff"]))),
        Response::Online(_) => ("groups", Response::Groups(names(&["g1"]))),
        Response::Groups(_) => ("members g1", Response::Members { names: names(&["paff"]), owner: None }),
        Response::Members { .. } => ("grouppasswd g1", Response::GroupPasswordChanged { closed: false }),
        Response::GroupPasswordChanged { .. } => ("blocks", Response::Blocks(vec!["paff".into()])),
        Response::Blocks(_) => ("sessions", sessions()),
        Response::Sessions(_) => ("addrealm timur", Response::RealmAdded { name: name("timur"), key: None }),
        Response::RealmAdded { .. } => ("realms", links()),
        Response::Realms(_) => ("bans", bans()),
        Response::Bans { .. } => ("users", users()),
        Response::Users { .. } => ("invites", Response::Invites(vec![invite_status()])),
        Response::Invites(_) => {
            ("invite", Response::InviteMade { code: InviteCode::typed("abc234"), invite: invite_status() })
        }
        Response::InviteMade { .. } => {
            ("stats", Response::Stats(Box::new(Stats { users: 3, online: 2, head: Seq(42), ..Stats::default() })))
        }
        Response::Stats(_) => ("link 1", Response::Linking),
        Response::Linking => ("help", Response::Help(None)),
        Response::Help(_) => ("version", Response::Version),
        Response::Version => return None,
    })
}
