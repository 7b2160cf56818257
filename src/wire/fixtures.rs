//! What the tests of replies reply to: the people of the documents.

use std::time::Duration;

use proptest::prelude::*;

use crate::chat::{
    BodyFields, EscapedText, Kind, MessageBody, PeerAddress, Profile, RealmState, RealmStatus, Receipt, Response,
    SessionStatus, StoredMessage,
};
use crate::id::{PeerKey, Seq, SessionId, Token};
use crate::name::Name;
use crate::time::Time;
use crate::wire::{ParseError, Parsed, ReplyContext, parse};

pub(super) const TOKEN: &str = "0b5c3f2e-1111-4222-8333-444455556666";

pub(super) const RECEIPT: Receipt = Receipt { seq: Seq(42), time: Time(1_795_244_400_123) };

/// The requests that carry a password of an account, in every form that errors.
pub(super) const LOG_INS: [&str; 4] = ["auth messi x", "login messi x", "register messi x", "register messi x A B"];

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

pub(super) fn rejection(line: &str) -> ParseError {
    match parse(line) {
        Parsed::Rejected(error) => error,
        other => panic!("{line:?} is {other:?}"),
    }
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

pub(super) fn sessions() -> Response {
    let (opened, used, origin) = (RECEIPT.time, RECEIPT.time, [127, 0, 0, 1].into());
    Response::Sessions(vec![SessionStatus { id: SessionId(7), opened, used, origin, current: true }])
}

pub(super) fn message(seq: u64, from: &str, msg: &str, kind: Kind) -> StoredMessage {
    let (to, group) = match kind {
        Kind::Direct => ("henderson", None),
        Kind::Group => ("informatika21", Some("informatika21")),
        Kind::Broadcast => ("*", None),
    };
    let msg = &EscapedText::new(msg);
    let fields = BodyFields { msg_from: from, msg_to: to, msg, from, to, kind, group, realm: None };
    StoredMessage { seq: Seq(seq), time: RECEIPT.time, body: MessageBody::compose(&fields) }
}

/// Any message with any text.
pub(super) fn any_message() -> impl Strategy<Value = StoredMessage> {
    let kind = prop_oneof![Just(Kind::Direct), Just(Kind::Group), Just(Kind::Broadcast)];
    (any::<u64>(), "[a-z]{1,3}", any::<String>(), kind)
        .prop_map(|(seq, from, msg, kind)| message(seq, &from, &msg, kind))
}
