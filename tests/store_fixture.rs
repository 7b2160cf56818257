//! The store of each released version, as that version wrote it, opens in this one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kabar::chat::{
    Ban, BanTarget, BounceReason, Conversation, ConversationId, Event, Filter, IdempotencyKey, Invite, Network,
    PeerAddress, PeerInfo, RealmKind, Record, SeqRange, State, StoredMessage, Timeline, TimelineQuery, UserRef,
};
use kabar::id::{Epoch, GroupId, Hash64, InviteCode, PeerKey, RealmId, Seq, SessionId, TokenHash, UserId};
use kabar::name::{Address, Name};
use kabar::store::{Durability, SqliteStore, Store};
use kabar::time::Time;
use rusqlite::Connection;

const MESSI: UserId = UserId(0);
const HENDERSON: UserId = UserId(1);
const NEKO: UserId = UserId(2);
const PAFF: UserId = UserId(3);
const ROBO: UserId = UserId(4);

/// Opens a copy of the store that version 3 wrote.
fn version_3(home: &Path) -> SqliteStore {
    opened(home, include_str!("fixtures/store-v3/kabar.sql"))
}

/// Opens a copy of the store that version 4 wrote.
fn version_4(home: &Path) -> SqliteStore {
    opened(home, include_str!("fixtures/store-v4/kabar.sql"))
}

fn opened(home: &Path, dump: &str) -> SqliteStore {
    Connection::open(home.join("kabar.db")).unwrap().execute_batch(dump).unwrap();
    fs::set_permissions(home.join("kabar.db"), fs::Permissions::from_mode(0o600)).unwrap();
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
    messages.iter().map(|message| message.body.fields().unwrap().msg.into_owned()).collect()
}

#[test]
fn version_3_has_its_accounts_and_sessions() {
    let home = tempfile::tempdir().unwrap();
    let state = state(&version_3(home.path()));
    assert_eq!((state.head(), state.time(), state.user_count()), (Seq(66), Time(1_795_285_700_123), 3));

    let (id, messi) = state.user_named(&Name::parse("MESSI").unwrap()).unwrap();
    assert_eq!((id, &*messi.full_name, &*messi.country), (MESSI, "Lionel Messi", "Argentina"));
    assert_eq!(&*messi.password.0, "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$messi");
    assert_eq!((messi.registered, messi.seen, messi.last), (Seq(1), Some(Time(1_795_255_600_123)), Seq(66)));
    assert_eq!((messi.sessions.as_slice(), messi.realm_cursor(RealmId(1))), (&[SessionId(2)][..], Seq(15)));

    let (id, session) = state.session_of(&TokenHash([2; 32])).unwrap();
    assert_eq!((id, session.user, session.ephemeral), (SessionId(4), HENDERSON, false));
    assert!(state.session_of(&TokenHash([3; 32])).is_none());
    assert_eq!(state.user(NEKO).unwrap().read_ranges, [(Seq(14), Seq(15))]);
}

#[test]
fn version_3_has_its_groups_and_realms() {
    let home = tempfile::tempdir().unwrap();
    let state = state(&version_3(home.path()));
    let tim = state.group(GroupId(0)).unwrap();
    assert_eq!((tim.name.as_str(), tim.owner, tim.password.is_none(), tim.last), ("tim", MESSI, true, Seq(40)));
    assert_eq!(*tim.members, [MESSI, NEKO]);
    assert_eq!(&*state.group(GroupId(1)).unwrap().password.clone().unwrap().0, "$argon2id$grup");
    assert!(state.user(HENDERSON).unwrap().is_member(GroupId(1)));
    let realms: Vec<_> = state.realms().map(|(_, realm)| (realm.name.as_str(), realm.by)).collect();
    let expected =
        [("local", None), ("barat", Some(MESSI)), ("timur", Some(MESSI)), ("utara", None), ("selatan", None)];
    assert_eq!(realms, expected);
    assert_eq!(state.realm(RealmId(4)).unwrap().kind, RealmKind::Removed(Some(PeerKey([9; 32]))));
}

#[test]
fn version_3_has_its_link_to_another_server() {
    let home = tempfile::tempdir().unwrap();
    let state = state(&version_3(home.path()));
    let (timur, _, link) = state.peer_of(&PeerKey([7; 32])).unwrap();
    let address = PeerAddress { host: "timur.example".into(), port: 8889 };
    let called = state.realm_to_read(&Name::parse("utara").unwrap());
    let info = PeerInfo { key: Some(PeerKey([7; 32])), address: Some(address), self_named: false, our_alias: called };
    assert_eq!((timur, &link.info, called), (RealmId(2), &info, Some(RealmId(3))));
    assert_eq!(state.epoch_of(Seq(22)), (Epoch(0xa7a7_a7a7_a7a7_a7a7), Seq(u64::MAX)));
    assert_eq!(link.received, [(Epoch(u64::MAX - 5), Seq(9))]);
    assert_eq!(link.refused, [(Epoch(u64::MAX - 5), Seq(8), BounceReason::UserNotFound)]);
    assert_eq!(state.user(NEKO).unwrap().blocks, [UserRef::Remote(timur, Name::parse("jauh").unwrap().folded())]);
}

#[test]
fn version_3_has_the_messages_that_wait_for_another_server() {
    let home = tempfile::tempdir().unwrap();
    let store = version_3(home.path());
    let state = state(&store);
    let link = state.peer(RealmId(2)).unwrap();
    let waiting: Vec<_> = link.queue.iter().map(|queued| (queued.seq, queued.from)).collect();
    assert_eq!(waiting, [(Seq(30), HENDERSON), (Seq(37), MESSI)]);
    assert_eq!((link.cursor, link.last, link.queue.bytes()), (Seq(28), Seq(37), 403));
    let outbox = store.page(&TimelineQuery::outbox(RealmId(2), link.cursor), 100).unwrap();
    assert_eq!(texts(&outbox.messages), ["menunggu", "juga menunggu"]);
    let once = IdempotencyKey { user: MESSI, tag: Hash64(u64::MAX - 6), request: Hash64(6) };
    let done = state.completed_request(&once, state.time()).unwrap().unwrap();
    assert_eq!((done.receipt.seq, done.refused), (Seq(28), Some(BounceReason::Blocked)));
}

#[test]
fn version_3_has_its_messages_by_realm() {
    let home = tempfile::tempdir().unwrap();
    let store = version_3(home.path());
    assert_eq!(texts(&inbox(&store, NEKO)), ["gól 😀"]);
    let crossed = store.page(&state(&store).realm_inbox(MESSI, RealmId(1)).unwrap(), 100).unwrap();
    assert_eq!(texts(&crossed.messages), ["lewat barat"]);
    let by_the_other_name = store.page(&state(&store).realm_inbox(HENDERSON, RealmId(3)).unwrap(), 100).unwrap();
    assert_eq!(texts(&by_the_other_name.messages), ["dari timur"]);
    assert_eq!(crossed.messages[0].time, Time(1_795_254_900_123));
}

#[test]
fn version_3_accepts_new_records() {
    let home = tempfile::tempdir().unwrap();
    let store = version_3(home.path());
    let event = Event::InboxRead { user: MESSI, upto: Seq(66) };
    store.commit(&[Record { seq: Seq(67), time: Time(1_795_285_700_123), event }]).unwrap();
    store.close().unwrap();
    drop(store);
    let store = SqliteStore::open(home.path(), Durability::Fast).unwrap();
    assert_eq!(texts(&inbox(&store, MESSI)), [""; 0]);
    let span = SeqRange { timeline: Timeline::User(MESSI), after: Seq(0), upto: Seq(67) };
    let view =
        TimelineQuery { reader: MESSI, spans: vec![span], filter: Filter::Received, hidden: Vec::new(), only: None };
    assert_eq!(texts(&store.page(&view, 100).unwrap().messages), ["lewat barat", "jauh@timur tidak mau", "berdekatan"]);
}

#[test]
fn version_3_has_its_messages_in_chunks_in_runs_and_after_them() {
    let home = tempfile::tempdir().unwrap();
    let store = version_3(home.path());
    let crossed = ["lewat barat", "jauh@timur tidak mau", "dari timur"];
    assert_eq!(texts(&inbox(&store, MESSI)), [&["halo semua"], &crossed[..], &["berdekatan", "meong"]].concat());
    let sent = (41..66).map(|seq| format!("pesan {seq}"));
    let before = ["dari timur", "masih di memori"].map(str::to_owned);
    let expected: Vec<_> = before.into_iter().chain(sent).chain(["belum berdekatan".to_owned()]).collect();
    assert_eq!(texts(&inbox(&store, HENDERSON)), expected);
    let state = state(&store);
    assert_eq!((state.user(MESSI).unwrap().last, state.user(HENDERSON).unwrap().last), (Seq(66), Seq(66)));
    assert_eq!(state.group(GroupId(0)).unwrap().last, Seq(40));
    let with_messi = Conversation::User(Address::parse("messi").unwrap());
    let view = state.history(HENDERSON, Some(&with_messi), Seq(42)).unwrap();
    assert_eq!(texts(&store.newest_page(&view, 3).unwrap().messages), ["masih di memori", "berdekatan", "pesan 41"]);
}

#[test]
fn version_4_has_what_version_3_had() {
    let home = tempfile::tempdir().unwrap();
    let store = version_4(home.path());
    let state = state(&store);
    assert_eq!((state.head(), state.time(), state.user_count()), (Seq(97), Time(1_795_759_688_583), 5));
    assert_eq!(&*state.user(MESSI).unwrap().password.0, "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$messi");
    assert_eq!(*state.group(GroupId(0)).unwrap().members, [MESSI, NEKO, PAFF]);
    assert_eq!(state.peer(RealmId(2)).unwrap().queue.len(), 2);
    let old = ["halo semua", "lewat barat", "jauh@timur tidak mau", "dari timur", "berdekatan", "meong"];
    assert_eq!(texts(&inbox(&store, MESSI)), [&old[..], &["halo messi"]].concat());
}

#[test]
fn version_4_has_its_bans_and_locks() {
    let home = tempfile::tempdir().unwrap();
    let state = state(&version_4(home.path()));
    let until = Some(Time(2_111_119_633_194));
    let ban = Ban { id: Seq(68), by: None, since: Time(1_795_759_633_194), until, reason: "spam".into() };
    assert_eq!(state.bans().get(&BanTarget::User(HENDERSON)), Some(&ban));
    let network = |text| BanTarget::Network(Network::parse(text).unwrap());
    assert_eq!(&*state.bans().get(&network("192.0.2.0/24")).unwrap().reason, "flood");
    assert_eq!(state.bans().get(&network("2001:db8::/64")).unwrap().until, Some(Time(2_111_119_633_224)));
    let far = BanTarget::RemoteUser(RealmId(2), Name::parse("jauh").unwrap().folded());
    assert!(state.bans().get(&far).is_some() && state.bans().get(&BanTarget::Realm(RealmId(2))).is_some());
    assert_eq!(state.bans().count(), 5, "one was lifted");
    assert!(state.is_locked(NEKO) && !state.is_locked(HENDERSON));
}

#[test]
fn version_4_has_its_invites() {
    let home = tempfile::tempdir().unwrap();
    let state = state(&version_4(home.path()));
    let invites: Vec<_> =
        state.invites().map(|(id, Invite { by, uses, until, .. })| (id, *by, *uses, *until)).collect();
    let expected = [
        (Seq(75), None, 5, Time(1_827_295_633_277)),
        (Seq(76), None, 3, Time(1_798_351_633_288)),
        (Seq(79), None, 1, Time(1_795_846_033_332)),
    ];
    assert_eq!(invites, expected);
    let code = InviteCode::typed("KPH3WJWPSCA2IZXE").hash();
    assert_eq!(state.invite_of(&code, state.time()).map(|(id, _)| id), Some(Seq(75)));
}

#[test]
fn version_4_has_its_read_marks() {
    let home = tempfile::tempdir().unwrap();
    let state = state(&version_4(home.path()));
    let mark = state.read_mark(ROBO, &ConversationId::User(PAFF)).unwrap();
    assert_eq!((mark.upto, mark.time), (Seq(89), Time(1_795_759_688_583)));
}

#[test]
fn version_4_accepts_new_records() {
    let home = tempfile::tempdir().unwrap();
    let store = version_4(home.path());
    let event = Event::Unbanned { target: BanTarget::User(HENDERSON) };
    store.commit(&[Record { seq: Seq(98), time: Time(1_795_759_688_583), event }]).unwrap();
    store.close().unwrap();
    drop(store);
    let store = SqliteStore::open(home.path(), Durability::Fast).unwrap();
    assert_eq!(state(&store).bans().count(), 4);
    assert_eq!(texts(&inbox(&store, ROBO)), ["pesan 0", "pesan 1", "pesan 2"]);
}
