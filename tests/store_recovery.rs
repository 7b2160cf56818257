//! Stores as a power cut leaves them: synced bytes are intact, later ones may be torn, reordered or missing. An opened
//! store must hold everything that was acknowledged, and a prefix of the log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "suite/support/seed.rs"]
mod seed;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use kabar::chat::{
    Author, BodyFields, Destination, EscapedText, Event, Filter, Kind, Message, MessageBody, PasswordHash, Record,
    SeqRange, State, Timeline, TimelineQuery,
};
use kabar::id::{Seq, UserId};
use kabar::name::Name;
use kabar::store::{Durability, SqliteStore, Store};
use kabar::time::Time;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tempfile::TempDir;

const DATABASE: &str = "kabar.db";
const LOG: &str = "kabar.db-wal";
const READER: UserId = UserId(0);

/// The files of a running store, and the length of its write-ahead log when each batch was acknowledged.
struct RecordedStore {
    records: Vec<Record>,
    /// (bytes of the write-ahead log, records acknowledged).
    acknowledged: Vec<(usize, usize)>,
    database: Vec<u8>,
    log: Vec<u8>,
    /// The database after the write-ahead log was copied into it.
    checkpointed: Vec<u8>,
}

static RECORDED: LazyLock<RecordedStore> = LazyLock::new(record_store);

fn record_store() -> RecordedStore {
    let home = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(home.path(), Durability::Sync).unwrap();
    let records: Vec<_> = (1..=200).map(|seq| Record { seq: Seq(seq), time: Time(seq), event: event(seq) }).collect();
    let mut acknowledged = vec![(0, 0)];
    let mut rest = records.as_slice();
    for size in [1, 2, 40, 1, 7, 60, 3, 1, 85] {
        let (batch, later) = rest.split_at(size);
        store.commit(batch).unwrap();
        acknowledged.push((read(home.path(), LOG).len(), records.len() - later.len()));
        rest = later;
    }
    let (database, log) = (read(home.path(), DATABASE), read(home.path(), LOG));
    rusqlite::Connection::open(home.path().join(DATABASE))
        .unwrap()
        .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
        .unwrap();
    RecordedStore { records, acknowledged, database, log, checkpointed: read(home.path(), DATABASE) }
}

/// A registration, then messages to the reader. Every tenth event is a read of the inbox.
fn event(seq: u64) -> Event {
    if seq == 1 {
        let (name, password) = (Name::parse("messi").unwrap(), PasswordHash("$hash".into()));
        let (full_name, country) = ("Lionel Messi".into(), "Argentina".into());
        return Event::UserRegistered { user: READER, name, full_name, country, password };
    }
    if seq.is_multiple_of(10) {
        return Event::InboxRead { user: READER, upto: Seq(seq - 1) };
    }
    let (from, to, kind) = ("paff", "messi", Kind::Direct);
    let msg = &EscapedText::new(&"halo ".repeat(seq as usize));
    let body = MessageBody::compose(&BodyFields { msg_from: from, msg_to: to, msg, from, to, kind, realm: None });
    Event::MessageSent(Message { from: Author::Local(UserId(1)), to: Destination::User(READER), realm: None, body })
}

fn read(directory: &Path, file: &str) -> Vec<u8> {
    fs::read(directory.join(file)).unwrap()
}

fn acknowledged_within(log_bytes: usize) -> usize {
    RECORDED.acknowledged.iter().filter(|(bytes, _)| *bytes <= log_bytes).map(|(_, records)| *records).max().unwrap()
}

/// Opens a store of these files and checks that it holds a prefix of the log.
fn recovered(database: &[u8], log: &[u8]) -> usize {
    let home = directory_of(database, log);
    let store = SqliteStore::open(home.path(), Durability::Fast).unwrap();
    let snapshot = store.load().unwrap();
    let (prefix, _) = RECORDED.records.split_at(snapshot.head.0 as usize);

    let nobody = Name::parse("local").unwrap();
    let mut expected = State::new(nobody.clone());
    prefix.iter().for_each(|record| expected.apply(record));
    assert_eq!(State::restore(nobody, snapshot), expected);

    let span = SeqRange { timeline: Timeline::User(READER), after: Seq(0), upto: Seq(u64::MAX) };
    let page = store
        .page(
            &TimelineQuery {
                reader: READER,
                spans: vec![span],
                filter: Filter::Received,
                hidden: Vec::new(),
                only: None,
            },
            usize::MAX,
        )
        .unwrap();
    let shown: Vec<_> = page.messages.into_iter().map(|message| (message.seq, message.body)).collect();
    let sent: Vec<_> = prefix.iter().filter_map(message).collect();
    assert_eq!(shown, sent);
    prefix.len()
}

fn message(record: &Record) -> Option<(Seq, MessageBody)> {
    match &record.event {
        Event::MessageSent(message) => Some((record.seq, message.body.clone())),
        _ => None,
    }
}

fn directory_of(database: &[u8], log: &[u8]) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let path = |file: &str| -> PathBuf { home.path().join(file) };
    for (file, bytes) in [(DATABASE, database), (LOG, log)] {
        fs::write(path(file), bytes).unwrap();
        fs::set_permissions(path(file), fs::Permissions::from_mode(0o600)).unwrap();
    }
    home
}

#[test]
fn a_store_cut_at_a_commit_or_a_byte_beside_it_recovers_everything_acknowledged() {
    for (bytes, records) in &RECORDED.acknowledged {
        for cut in [bytes.saturating_sub(1), *bytes, (bytes + 1).min(RECORDED.log.len())] {
            let expected = acknowledged_within(cut);
            assert_eq!(
                recovered(&RECORDED.database, &RECORDED.log[..cut]),
                expected,
                "{records} records, cut at {cut}"
            );
        }
    }
}

fn config() -> ProptestConfig {
    ProptestConfig { rng_seed: RngSeed::Fixed(seed::seed()), ..ProptestConfig::with_cases(64) }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_store_cut_at_any_byte_after_its_last_sync_recovers_everything_acknowledged(cut in 0..RECORDED.log.len()) {
        prop_assert_eq!(recovered(&RECORDED.database, &RECORDED.log[..cut]), acknowledged_within(cut));
    }

    #[test]
    fn garbage_after_the_last_sync_loses_nothing_acknowledged(
        cut in 0..RECORDED.log.len(),
        garbage in prop::collection::vec(any::<u8>(), 1..9_000),
        more_follows in any::<bool>(),
    ) {
        let mut log = RECORDED.log[..cut].to_vec();
        log.extend(garbage);
        if more_follows && log.len() < RECORDED.log.len() {
            log.extend(&RECORDED.log[log.len()..]);
        }
        prop_assert!(recovered(&RECORDED.database, &log) >= acknowledged_within(cut));
    }

    #[test]
    fn a_torn_checkpoint_loses_nothing(copied in prop::collection::vec(any::<bool>(), 256)) {
        let mut database = RECORDED.checkpointed.clone();
        for page in (0..copied.len()).filter(|page| !copied[*page]) {
            let (start, end) = (page * 4096, (page + 1) * 4096);
            let old = RECORDED.database.get(start..end).map_or(vec![0; 4096], <[u8]>::to_vec);
            if let Some(place) = database.get_mut(start..end) {
                place.copy_from_slice(&old);
            }
        }
        prop_assert_eq!(recovered(&database, &RECORDED.log), RECORDED.records.len());
    }
}
