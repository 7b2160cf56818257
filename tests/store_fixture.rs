//! Stores of every released version, as they were written then, open now.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use kabar::chat::{Event, Record, Span, State, StoredMessage, Timeline, View, Which};
use kabar::id::{GroupId, RealmId, Seq, SessionId, TokenHash, UserId};
use kabar::name::Name;
use kabar::store::{Durability, SqliteStore, Store};
use kabar::time::Time;
use rusqlite::Connection;

const MESSI: UserId = UserId(0);
const HENDERSON: UserId = UserId(1);
const NEKO: UserId = UserId(2);

/// Opens a copy of the store that version 1 left behind.
fn version_1(home: &Path) -> SqliteStore {
    let dump = include_str!("fixtures/store-v1/kabar.sql");
    Connection::open(home.join("kabar.db")).unwrap().execute_batch(dump).unwrap();
    SqliteStore::open(home, Durability::Fast).unwrap()
}

fn state(store: &SqliteStore) -> State {
    State::restore(Name::parse("local").unwrap(), store.load().unwrap())
}

fn inbox(store: &SqliteStore, user: UserId) -> Vec<StoredMessage> {
    let view = state(store).inbox(user).unwrap();
    store.page(&view, 100).unwrap().messages
}

fn texts(messages: &[StoredMessage]) -> Vec<String> {
    messages.iter().map(|message| message.body.read(|parts| parts.msg.into_owned()).unwrap()).collect()
}

#[test]
fn version_1_has_its_accounts_and_sessions() {
    let home = tempfile::tempdir().unwrap();
    let state = state(&version_1(home.path()));
    assert_eq!((state.head(), state.time(), state.user_count()), (Seq(22), Time(1_795_259_100_123), 3));

    let (id, messi) = state.user_named(&Name::parse("MESSI").unwrap()).unwrap();
    assert_eq!((id, &*messi.full_name, &*messi.country), (MESSI, "Lionel Messi", "Argentina"));
    assert_eq!(&*messi.password.0, "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$messi");
    assert_eq!((messi.registered, messi.seen, messi.last), (Seq(1), Some(Time(1_795_255_600_123)), Seq(21)));
    assert_eq!((messi.sessions.as_slice(), messi.realm_cursor(RealmId(1))), (&[SessionId(2)][..], Seq(15)));

    let (id, session) = state.session_of(&TokenHash([2; 32])).unwrap();
    assert_eq!((id, session.user, session.ephemeral), (SessionId(4), HENDERSON, false));
    assert!(state.session_of(&TokenHash([3; 32])).is_none());
    assert_eq!(state.user(NEKO).unwrap().live, [(Seq(14), Seq(15))]);
}

#[test]
fn version_1_has_its_groups_and_realms() {
    let home = tempfile::tempdir().unwrap();
    let state = state(&version_1(home.path()));
    let tim = state.group(GroupId(0)).unwrap();
    assert_eq!((tim.name.as_str(), tim.owner, tim.password.is_none(), tim.last), ("tim", MESSI, true, Seq(14)));
    assert_eq!(*tim.members, [MESSI, NEKO]);
    assert_eq!(&*state.group(GroupId(1)).unwrap().password.clone().unwrap().0, "$argon2id$grup");
    assert!(state.user(HENDERSON).unwrap().is_member(GroupId(1)));
    assert_eq!(state.realms().iter().map(|realm| realm.name.as_str()).collect::<Vec<_>>(), ["local", "barat"]);
}

#[test]
fn version_1_has_its_messages_in_chunks_and_after_them() {
    let home = tempfile::tempdir().unwrap();
    let store = version_1(home.path());
    assert_eq!(texts(&inbox(&store, MESSI)), ["halo semua", "lewat barat"]);
    assert_eq!(texts(&inbox(&store, HENDERSON)), ["masih di memori"]);
    assert_eq!(texts(&inbox(&store, NEKO)), ["gól 😀"]);
    let crossed = store.page(&state(&store).realm_inbox(MESSI, RealmId(1)).unwrap(), 100).unwrap();
    assert_eq!(texts(&crossed.messages), ["lewat barat"]);
    assert_eq!(crossed.messages[0].time, Time(1_795_254_900_123));
}

#[test]
fn version_1_takes_more() {
    let home = tempfile::tempdir().unwrap();
    let store = version_1(home.path());
    let event = Event::InboxRead { user: MESSI, upto: Seq(22) };
    store.commit(&[Record { seq: Seq(23), time: Time(1_795_259_100_123), event }]).unwrap();
    store.close().unwrap();
    drop(store);
    let store = SqliteStore::open(home.path(), Durability::Fast).unwrap();
    assert_eq!(texts(&inbox(&store, MESSI)), [""; 0]);
    let span = Span { timeline: Timeline::User(MESSI), after: Seq(0), upto: Seq(23) };
    let view = View { reader: MESSI, spans: vec![span], which: Which::Received, hidden: Vec::new(), only: None };
    assert_eq!(texts(&store.page(&view, 100).unwrap().messages), ["lewat barat"]);
}

#[test]
fn an_operator_reads_the_messages_with_a_query() {
    let home = tempfile::tempdir().unwrap();
    let _store = version_1(home.path());
    let shell = Connection::open(home.path().join("kabar.db")).unwrap();
    let row =
        shell.query_row("SELECT time, kind, sender, receiver, realm, msg FROM messages WHERE id = 16", [], |row| {
            (0..6).map(|column| row.get::<_, String>(column)).collect::<rusqlite::Result<Vec<_>>>()
        });
    assert_eq!(row.unwrap(), ["2026-11-21T09:55:00.123Z", "direct", "henderson", "messi", "barat", "lewat barat"]);
}
