//! Bits that flip on the disk: what was changed is never served, and what is intact still is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "suite/support/seed.rs"]
mod seed;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use kabar::chat::{
    Author, BodyFields, Destination, EscapedText, Event, Filter, Kind, Message, MessageBody, PasswordHash, Record,
    SeqRange, Timeline, TimelineQuery,
};
use kabar::id::{GroupId, Seq, UserId};
use kabar::name::Name;
use kabar::store::{Durability, SqliteStore, Store, StoreError};
use kabar::time::Time;

const DATABASE: &str = "kabar.db";
const USERS: u64 = 12;
const RECORDS: u64 = 3_000;
const FLIPS: usize = 1_000;

/// Registrations, then messages between the users, and every fifth one to a group.
fn event(seq: u64) -> Event {
    let user = |number: u64| UserId(number % USERS);
    if seq <= USERS {
        let (name, password) = (Name::parse(&format!("user{seq}")).unwrap(), PasswordHash("$hash".into()));
        return Event::UserRegistered {
            user: user(seq - 1),
            name,
            full_name: "Somebody".into(),
            country: "".into(),
            password,
        };
    }
    let (from, to) = (user(seq), user(seq * 7 + 3));
    let to = if seq.is_multiple_of(5) { Destination::Group(GroupId(0)) } else { Destination::User(to) };
    let msg = &EscapedText::new(&format!("message {seq} {}", "halo ".repeat((seq % 30) as usize)));
    let (names, kind) = ("somebody", Kind::Direct);
    let fields = BodyFields { msg_from: names, msg_to: names, msg, from: names, to: names, kind, realm: None };
    Event::MessageSent(Message { from: Author::Local(from), to, realm: None, body: MessageBody::compose(&fields) })
}

fn log() -> Vec<Record> {
    (1..=RECORDS).map(|seq| Record { seq: Seq(seq), time: Time(1_000 * seq), event: event(seq) }).collect()
}

/// A closed store: its log in rows of several and of single records, its index in runs and in chunks.
fn stored(directory: &Path) -> Vec<u8> {
    let store = SqliteStore::open(directory, Durability::Fast).unwrap();
    let log = log();
    let mut rest = log.as_slice();
    for size in [1, 30, 200, 2, 7].into_iter().cycle() {
        let (batch, later) = rest.split_at(rest.len().min(size));
        if batch.is_empty() {
            break;
        }
        store.commit(batch).unwrap();
        rest = later;
    }
    store.close().unwrap();
    drop(store);
    fs::read(directory.join(DATABASE)).unwrap()
}

type Timelines = BTreeMap<Timeline, BTreeMap<Seq, MessageBody>>;

fn sent() -> Timelines {
    let mut timelines = Timelines::new();
    for record in log() {
        let Event::MessageSent(message) = &record.event else { continue };
        for (timeline, _) in message.placements(record.seq) {
            timelines.entry(timeline).or_default().insert(record.seq, message.body.clone());
        }
    }
    timelines
}

fn read(store: &SqliteStore, timeline: Timeline) -> Result<BTreeMap<Seq, MessageBody>, StoreError> {
    let span = SeqRange { timeline, after: Seq(0), upto: Seq(u64::MAX) };
    let filter = Filter::Said { peer: None, realm: None };
    let query = TimelineQuery { reader: UserId(0), spans: vec![span], filter, hidden: Vec::new(), only: None };
    Ok(store.page(&query, usize::MAX)?.messages.into_iter().map(|message| (message.seq, message.body)).collect())
}

/// What came of the messages of a damaged store.
#[derive(Debug, Default)]
struct Tally {
    served: usize,
    marked: usize,
    /// In no timeline, and without a mark in the timeline that lost them.
    unseen: usize,
    /// Messages of stores or timelines that could not be read at all.
    refused: usize,
}

fn tally(directory: &Path, sent: &Timelines, tally: &mut Tally) {
    let Ok(store) = SqliteStore::open(directory, Durability::Fast) else {
        tally.refused += sent.values().map(BTreeMap::len).sum::<usize>();
        return;
    };
    for (timeline, expected) in sent {
        let Ok(found) = read(&store, *timeline) else {
            tally.refused += expected.len();
            continue;
        };
        let mut served = 0;
        for (seq, body) in found.iter().filter(|(_, body)| !body.is_damaged()) {
            assert_eq!(expected.get(seq), Some(body), "entry {seq} of {timeline:?} was served changed");
            served += 1;
        }
        let lost = expected.len() - served;
        tally.served += served;
        let has_mark = found.len() > served;
        *(if has_mark { &mut tally.marked } else { &mut tally.unseen }) += lost;
    }
}

#[test]
fn a_flipped_bit_changes_no_message_that_is_served_and_hides_few() {
    let home = tempfile::tempdir().unwrap();
    let intact = stored(home.path());
    let sent = sent();
    let all = FLIPS * sent.values().map(BTreeMap::len).sum::<usize>();
    let mut random = fastrand::Rng::with_seed(seed::seed());
    let mut total = Tally::default();
    for _ in 0..FLIPS {
        let mut damaged = intact.clone();
        let bit = random.usize(..8 * damaged.len());
        damaged[bit / 8] ^= 1 << (bit % 8);
        fs::write(home.path().join(DATABASE), damaged).unwrap();
        tally(home.path(), &sent, &mut total);
    }
    // A flip in SQLite's own bytes can make a whole store unreadable, one in a chunk loses the entries of that chunk.
    assert!(total.served > all - all / 20 && total.unseen < all / 1_000, "{total:?} of {all}");
}

#[test]
fn a_damaged_row_is_a_mark_for_each_of_its_messages_and_the_others_are_served() {
    let home = tempfile::tempdir().unwrap();
    stored(home.path());
    let shell = rusqlite::Connection::open(home.path().join(DATABASE)).unwrap();
    let (before, last): (u64, u64) = shell
        .query_row("SELECT lag(last) OVER (ORDER BY last), last FROM log LIMIT 1 OFFSET 40", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    shell.execute("UPDATE log SET data = zeroblob(length(data)) WHERE last = ?1", [last]).unwrap();
    let store = SqliteStore::open(home.path(), Durability::Fast).unwrap();
    for (timeline, expected) in sent() {
        let found = read(&store, timeline).unwrap();
        assert!(found.keys().eq(expected.keys()));
        for (seq, body) in found {
            let is_lost = before < seq.0 && seq.0 <= last;
            assert_eq!((body.is_damaged(), body == expected[&seq]), (is_lost, !is_lost), "{seq}");
        }
    }
}
