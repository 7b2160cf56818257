//! Property tests of sweeps, against a model of what they must keep.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use rusqlite::Connection;

use super::*;
use crate::chat::{Command, Destination, Entry, Event, Filter, Membership, Record, SeqRange, State, TimelineQuery};
use crate::id::{RealmId, UserId};
use crate::name::{Address, Name};
use crate::settings::Durability;
use crate::store::generators::{CommandKind, GeneratedCommand, any_command};
use crate::store::index::chunk::Direction;
use crate::store::index::runs;
use crate::store::interface::Store;
use crate::store::model::{Model, home, stored_log};
use crate::store::properties::check_conversations;
use crate::store::sqlite::SqliteStore;
use crate::store::testing::{TINY, direct_query, open_tiny, sent};
use crate::time::Time;

const EVERYTHING: Rules = Rules { before: Some(Time(u64::MAX)), newest: None, unread: true };

fn run_sweep(store: &SqliteStore, sweep: &mut Sweep, rules: Rules) -> u64 {
    sweep.begin(rules);
    loop {
        if let Swept::Wholly(deleted) = store.sweep(sweep).unwrap() {
            return deleted;
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Run(GeneratedCommand),
    Sweep(Rules),
    Reopen { close: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let before = prop::option::of((0..20_000_000_u64).prop_map(Time));
    let rules = (before, prop::option::of(1..9_usize), any::<bool>());
    prop_oneof![
        24 => any_command().prop_map(Step::Run),
        2 => rules.prop_map(|(before, newest, unread)| Step::Sweep(Rules { before, newest, unread })),
        1 => any::<bool>().prop_map(|close| Step::Reopen { close }),
    ]
}

/// Messages that a sweep must keep.
#[derive(Default)]
struct Kept {
    timelines: BTreeMap<Timeline, Vec<Entry>>,
    removed: BTreeMap<Timeline, Seq>,
    /// Events other than messages are deleted up to here.
    old: Seq,
    seen: usize,
}

impl Kept {
    fn add(&mut self, model: &Model) {
        for record in &model.log[self.seen..] {
            if let Event::MessageSent(message) = &record.event {
                for (timeline, entry) in message.placements(record.seq) {
                    self.timelines.entry(timeline).or_default().push(entry);
                }
            }
        }
        self.seen = model.log.len();
    }

    fn sweep(&mut self, rules: &Rules, model: &Model) {
        self.add(model);
        let is_old = |time: Time| rules.before.is_some_and(|before| time < before);
        let old = model.log.iter().rev().find(|record| is_old(record.time)).map_or(Seq(0), |record| record.seq);
        self.old = self.old.max(old);
        for (timeline, entries) in &mut self.timelines {
            let may_be_unread = rules.unread && !matches!(timeline, Timeline::Outbox(_));
            let surplus = rules.newest.map_or(0, |newest| entries.len().saturating_sub(newest));
            let is_due = |(place, entry): &(usize, &Entry)| {
                let may = may_be_unread || is_read(&model.state, *timeline, entry);
                (entry.seq <= old || *place < surplus) && may
            };
            let due = entries.iter().enumerate().take_while(is_due).count();
            for entry in entries.drain(..due) {
                self.removed.insert(*timeline, entry.seq);
            }
        }
    }

    /// Whether a record is an event that is no message, or a message that is left in a timeline of the reader.
    fn has_left(&self, reader: UserId, record: &Record) -> bool {
        let Event::MessageSent(message) = &record.event else { return true };
        message.placements(record.seq).any(|(timeline, _)| {
            let is_read = match timeline {
                Timeline::User(user) => user == reader,
                Timeline::Group(_) | Timeline::Broadcast => true,
                Timeline::Outbox(_) => false,
            };
            is_read && self.removed.get(&timeline).is_none_or(|upto| *upto < record.seq)
        })
    }

    fn contains(&self, seq: Seq) -> bool {
        self.timelines.values().flatten().any(|entry| entry.seq == seq)
    }
}

fn is_read(state: &State, timeline: Timeline, entry: &Entry) -> bool {
    let has_read = |id: UserId| {
        let user = state.user(id).unwrap();
        user.unregistered || user.cursor >= entry.seq
    };
    let everyone = || (0..state.user_count() as u64).map(UserId);
    match timeline {
        Timeline::User(user) => entry.sent || has_read(user),
        Timeline::Outbox(realm) => state.peer(realm).is_none_or(|link| entry.seq <= link.cursor),
        Timeline::Broadcast => everyone().all(has_read),
        Timeline::Group(group) => everyone().all(|id| {
            let memberships = &state.user(id).unwrap().memberships;
            let heard = |it: &Membership| it.joined < entry.seq && it.left.is_none_or(|left| entry.seq <= left);
            has_read(id) || !memberships.iter().any(|it| it.group == group && heard(it))
        }),
    }
}

fn check(store: SqliteStore, directory: &Path, model: &Model, kept: &Kept) {
    for (timeline, upto) in &kept.removed {
        let span = SeqRange { timeline: *timeline, after: Seq(0), upto: Seq(u64::MAX) };
        let query = TimelineQuery {
            reader: UserId(0),
            spans: vec![span],
            filter: Filter::Received,
            hidden: Vec::new(),
            only: None,
        };
        assert_eq!(store.low_watermark(&query).unwrap(), *upto);
    }
    assert_eq!(State::restore(home(), store.load().unwrap()), model.state);
    for reader in (0..model.state.user_count() as u64).map(UserId) {
        let left: Vec<_> = model.log.iter().filter(|record| kept.has_left(reader, record)).cloned().collect();
        check_conversations(&store, &model.state, &left, reader);
    }
    store.close().unwrap();
    let stored: Vec<_> = stored_log(directory).iter().map(|record| record.seq).collect();
    let expected = model.log.iter().filter(|record| match record.event {
        Event::MessageSent(_) => kept.contains(record.seq),
        _ => record.seq > kept.old,
    });
    assert_eq!(stored, expected.map(|record| record.seq).collect::<Vec<_>>());
    let database = Connection::open(directory.join("kabar.db")).unwrap();
    for (timeline, entries) in &kept.timelines {
        assert_eq!(indexed(&database, *timeline), *entries, "{timeline:?}");
    }
}

fn indexed(database: &Connection, timeline: Timeline) -> Vec<Entry> {
    let mut entries = Vec::new();
    chunk::walk(database, timeline, Direction::Forward, |chunk| {
        entries.extend(chunk.entries);
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    entries.extend(runs::read(database, Partition::of(timeline, TINY.partition_timelines), timeline).unwrap());
    entries
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_sweep_keeps_what_the_rules_keep_and_nothing_else(steps in prop::collection::vec(step(), 1..250)) {
        let directory = tempfile::tempdir().unwrap();
        let mut store = open_tiny(directory.path());
        let (mut model, mut kept, mut state) = (Model::new(), Kept::default(), Sweep::default());
        for step in &steps {
            match step {
                Step::Run(command) => model.run(command),
                Step::Sweep(rules) => {
                    model.commit(&store);
                    kept.sweep(rules, &model);
                    run_sweep(&store, &mut state, *rules);
                }
                Step::Reopen { close } => {
                    model.commit(&store);
                    if *close {
                        store.close().unwrap();
                    }
                    drop(store);
                    store = open_tiny(directory.path());
                    state = Sweep::default();
                }
            }
        }
        model.commit(&store);
        kept.add(&model);
        check(store, directory.path(), &model, &kept);
    }
}

fn to(user: u64) -> Destination {
    Destination::User(UserId(user))
}

fn commit_many(store: &SqliteStore, messages: std::ops::RangeInclusive<u64>, text: &str) {
    let records: Vec<_> = messages.map(|seq| sent(seq, 1, to(2 + seq % 3), text)).collect();
    records.chunks(100).for_each(|batch| store.commit(batch).unwrap());
}

fn readable(store: &SqliteStore, user: u64) -> Vec<u64> {
    let page = store.page(&direct_query(user, 0), 1_000_000).unwrap();
    page.messages.iter().map(|message| message.seq.0).collect()
}

#[test]
fn a_kill_during_a_sweep_loses_at_most_one_step() {
    const MESSAGES: u64 = 3_000;
    let directory = tempfile::tempdir().unwrap();
    let store = open_tiny(directory.path());
    commit_many(&store, 1..=MESSAGES, "");
    let rules = Rules { before: Some(Time(1_000 * 2_000)), newest: Some(900), unread: true };
    let mut state = Sweep::default();
    state.begin(rules);
    let mut steps = 0;
    while store.sweep(&mut state).unwrap() == Swept::Partly {
        steps += 1;
        let copy = tempfile::tempdir().unwrap();
        for file in ["kabar.db", "kabar.db-wal"] {
            fs::copy(directory.path().join(file), copy.path().join(file)).unwrap();
        }
        let killed = open_tiny(copy.path());
        for user in 2..5_u64 {
            let left = readable(&killed, user);
            let mine: Vec<_> = (2_000..=MESSAGES).filter(|seq| 2 + seq % 3 == user).collect();
            assert!(left.ends_with(&mine));
        }
        run_sweep(&killed, &mut Sweep::default(), rules);
        assert_eq!(killed.load().unwrap().head, Seq(MESSAGES));
        drop(killed);
        let left: Vec<_> = stored_log(copy.path()).iter().map(|record| record.seq.0).collect();
        assert_eq!(left, (2_000..=MESSAGES).collect::<Vec<_>>());
    }
    assert!(steps > 10, "{steps} steps are too few to show anything");
}

#[test]
fn numbers_and_times_continue_after_everything_was_removed() {
    let directory = tempfile::tempdir().unwrap();
    let store = open_tiny(directory.path());
    commit_many(&store, 1..=10, "");
    assert_eq!(run_sweep(&store, &mut Sweep::default(), EVERYTHING), 10);
    drop(store);
    let store = open_tiny(directory.path());
    let loaded = store.load().unwrap();
    assert_eq!((loaded.head, loaded.time), (Seq(10), Time(10_000)));
    store.commit(&[sent(11, 1, to(2), "")]).unwrap();
    assert_eq!(readable(&store, 2), [11]);
}

#[test]
fn free_pages_are_returned_to_the_file_system() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path(), Durability::Fast).unwrap();
    commit_many(&store, 1..=20_000, &"x".repeat(150));
    store.close().unwrap();
    let size = || fs::metadata(directory.path().join("kabar.db")).unwrap().len();
    let before = size();
    run_sweep(&store, &mut Sweep::default(), Rules { before: Some(Time(1_000 * 18_001)), ..EVERYTHING });
    assert!(before > 5_000_000 && size() < before / 5, "{before} bytes became {}", size());
    assert_eq!(readable(&store, 2).len(), 666);
}

#[test]
fn commits_and_reads_continue_during_a_sweep() {
    let directory = tempfile::tempdir().unwrap();
    let store = open_tiny(directory.path());
    commit_many(&store, 1..=2_000, "");
    std::thread::scope(|scope| {
        scope.spawn(|| (2_001..=2_500).for_each(|seq| store.commit(&[sent(seq, 1, to(2), "")]).unwrap()));
        let mut state = Sweep::default();
        for newest in (1..40).rev() {
            run_sweep(&store, &mut state, Rules { before: None, newest: Some(newest), unread: true });
            let left = readable(&store, 2);
            assert!(left.len() >= newest && left.is_sorted(), "{left:?}");
        }
    });
    run_sweep(&store, &mut Sweep::default(), Rules { before: None, newest: Some(1), unread: true });
    assert_eq!(readable(&store, 2), [2_500]);
}

#[test]
fn outbox_entries_stay_until_they_are_acknowledged_or_the_realm_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let store = open_tiny(directory.path());
    let (mut model, messi, timur) = (Model::new(), UserId(0), RealmId(1));
    for kind in [CommandKind::Register, CommandKind::AddPeer] {
        model.run(&GeneratedCommand { kind, user: 0, other: 0, number: 1 });
    }
    for text in ["one", "two", "three"] {
        let to = Address::parse("far@realm0").unwrap();
        model.execute(messi, &Command::SendDirect { to, text: text.into() });
    }
    let first = model.state.peer(timur).unwrap().queue.oldest().unwrap().seq;
    let left = |model: &mut Model| {
        model.commit(&store);
        run_sweep(&store, &mut Sweep::default(), EVERYTHING);
        stored_log(directory.path()).len()
    };
    assert_eq!(left(&mut model), 3);
    model.execute_as_server(&Command::AcknowledgeOutbox { realm: timur, upto: first, bounces: Vec::new() });
    assert_eq!(left(&mut model), 2);
    assert_eq!(State::restore(home(), store.load().unwrap()), model.state);
    model.execute(messi, &Command::RemoveRealm { name: Name::parse("realm0").unwrap(), lost: "lost".into() });
    assert_eq!(left(&mut model), 0);
}

/// A text that nothing else contains.
fn marked(seq: u64) -> String {
    format!("<{seq}>{}", "halo ".repeat((seq * 7 % 40) as usize))
}

/// The numbers of the marked texts that stand somewhere in the files of a directory.
fn marks_in_files(directory: &Path, upto: u64) -> Vec<u64> {
    let files = fs::read_dir(directory).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap());
    let bytes = files.collect::<Vec<_>>().concat();
    let stands = |seq: &u64| memchr::memmem::find(&bytes, format!("<{seq}>").as_bytes()).is_some();
    (1..=upto).filter(stands).collect()
}

#[test]
fn what_was_removed_is_in_no_file_any_more() {
    const MESSAGES: u64 = 4_000;
    let home = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(home.path(), Durability::Fast).unwrap();
    let batch: Vec<_> =
        (1..=MESSAGES).map(|seq| sent(seq, 1, Destination::User(UserId(2 + seq % 7 % 3)), &marked(seq))).collect();
    batch.chunks(90).for_each(|batch| store.commit(batch).unwrap());
    assert_eq!(marks_in_files(home.path(), MESSAGES).len() as u64, MESSAGES);

    // By number, so that of most rows some messages stay; and then by age, so that whole rows go.
    let newest = Rules { before: None, newest: Some(900), unread: true };
    let old = Rules { before: Some(Time(1_000 * 3_500)), newest: None, unread: true };
    for rules in [newest, old] {
        run_sweep(&store, &mut Sweep::default(), rules);
        let stored: Vec<_> = stored_log(home.path()).iter().map(|record| record.seq.0).collect();
        assert!(!stored.is_empty() && stored.len() < 3_000);
        assert_eq!(marks_in_files(home.path(), MESSAGES), stored, "{rules:?}");
    }
}

#[test]
fn a_sweep_by_number_counts_what_the_last_batch_brought() {
    let home = tempfile::tempdir().unwrap();
    let store = open_tiny(home.path());
    let batch: Vec<_> = (1..=9).map(|seq| sent(seq, 1, to(2), "")).collect();
    store.commit(&batch).unwrap();
    let newest = Rules { before: None, newest: Some(TINY.chunk_entries + 1), unread: true };
    run_sweep(&store, &mut Sweep::default(), newest);
    assert_eq!(readable(&store, 2), [5, 6, 7, 8, 9]);
}

#[test]
fn a_sweep_removes_without_the_rows_that_are_damaged() {
    let home = tempfile::tempdir().unwrap();
    let store = open_tiny(home.path());
    (1..=9).for_each(|seq| store.commit(&[sent(seq, 1, Destination::User(UserId(2)), "")]).unwrap());
    let shell = Connection::open(home.path().join("kabar.db")).unwrap();
    shell.execute_batch("UPDATE log SET data = zeroblob(20) WHERE last = 4").unwrap();
    assert_eq!(run_sweep(&store, &mut Sweep::default(), EVERYTHING), 8);
    let left: u64 = shell
        .query_row("SELECT group_concat(last) FROM log", [], |row| row.get::<_, String>(0))
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(left, 4);
}
