//! Sweeps against a model of what they are to leave.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use rusqlite::Connection;

use super::*;
use crate::chat::{Command, Destination, Entry, Event, Filter, Membership, SeqRange, State, TimelineQuery};
use crate::id::{RealmId, UserId};
use crate::name::{Address, Name};
use crate::store::index::chunk::{self, Direction};
use crate::store::index::partition::Partition;
use crate::store::index::runs;
use crate::store::properties::{Live, home, stored_log};
use crate::store::testing::{TINY, direct_view, open_tiny, said};
use crate::store::wishes::{Wish, wish};
use crate::store::{Durability, SqliteStore, Store};

const EVERYTHING: Rules = Rules { before: Some(Time(u64::MAX)), newest: None, unread: true };

fn sweep(store: &SqliteStore, sweep: &mut Sweep, rules: Rules) -> u64 {
    sweep.begin(rules);
    loop {
        if let Swept::Wholly(deleted) = store.sweep(sweep).unwrap() {
            return deleted;
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Want(Wish),
    Sweep(Rules),
    Reopen { close: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let before = prop::option::of((0..20_000_000_u64).prop_map(Time));
    let rules = (before, prop::option::of(1..9_usize), any::<bool>());
    prop_oneof![
        24 => wish().prop_map(Step::Want),
        2 => rules.prop_map(|(before, newest, unread)| Step::Sweep(Rules { before, newest, unread })),
        1 => any::<bool>().prop_map(|close| Step::Reopen { close }),
    ]
}

/// What is to be left.
#[derive(Default)]
struct Model {
    timelines: BTreeMap<Timeline, Vec<Entry>>,
    removed: BTreeMap<Timeline, Seq>,
    /// Entries that are no messages are gone up to here.
    old: Seq,
    seen: usize,
}

impl Model {
    fn hear(&mut self, live: &Live) {
        for record in &live.log[self.seen..] {
            if let Event::MessageSent(message) = &record.event {
                for (timeline, entry) in message.placements(record.seq) {
                    self.timelines.entry(timeline).or_default().push(entry);
                }
            }
        }
        self.seen = live.log.len();
    }

    fn sweep(&mut self, rules: &Rules, live: &Live) {
        self.hear(live);
        let is_old = |time: Time| rules.before.is_some_and(|before| time < before);
        let old = live.log.iter().rev().find(|record| is_old(record.time)).map_or(Seq(0), |record| record.seq);
        self.old = self.old.max(old);
        for (timeline, entries) in &mut self.timelines {
            let may_go_unread = rules.unread && !matches!(timeline, Timeline::Outbox(_));
            let surplus = rules.newest.map_or(0, |newest| entries.len().saturating_sub(newest));
            let goes = |(place, entry): &(usize, &Entry)| {
                let may = may_go_unread || is_read(&live.state, *timeline, entry);
                (entry.seq <= old || *place < surplus) && may
            };
            let going = entries.iter().enumerate().take_while(goes).count();
            for entry in entries.drain(..going) {
                self.removed.insert(*timeline, entry.seq);
            }
        }
    }

    fn holds(&self, seq: Seq) -> bool {
        self.timelines.values().flatten().any(|entry| entry.seq == seq)
    }
}

fn is_read(state: &State, timeline: Timeline, entry: &Entry) -> bool {
    let has_read = |id: UserId| {
        let user = state.user(id).unwrap();
        user.unregistered || user.cursor >= entry.seq
    };
    let everyone = || (0..state.user_count() as u32).map(UserId);
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

fn check(store: SqliteStore, directory: &Path, live: &Live, model: &Model) {
    for (timeline, upto) in &model.removed {
        let span = SeqRange { timeline: *timeline, after: Seq(0), upto: Seq(u64::MAX) };
        let view = TimelineQuery {
            reader: UserId(0),
            spans: vec![span],
            which: Filter::Received,
            hidden: Vec::new(),
            only: None,
        };
        assert_eq!(store.removed_upto(&view).unwrap(), *upto);
    }
    assert_eq!(State::restore(home(), store.load().unwrap()), live.state);
    store.close().unwrap();
    let stored: Vec<_> = stored_log(directory).iter().map(|record| record.seq).collect();
    let kept = live.log.iter().filter(|record| match record.event {
        Event::MessageSent(_) => model.holds(record.seq),
        _ => record.seq > model.old,
    });
    assert_eq!(stored, kept.map(|record| record.seq).collect::<Vec<_>>());
    let database = Connection::open(directory.join("kabar.db")).unwrap();
    for (timeline, entries) in &model.timelines {
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
    fn a_sweep_leaves_what_the_rules_leave_and_nothing_else(steps in prop::collection::vec(step(), 1..250)) {
        let directory = tempfile::tempdir().unwrap();
        let mut store = open_tiny(directory.path());
        let (mut live, mut model, mut broom) = (Live::new(), Model::default(), Sweep::default());
        for step in &steps {
            match step {
                Step::Want(wish) => live.want(wish),
                Step::Sweep(rules) => {
                    live.commit(&store);
                    model.sweep(rules, &live);
                    sweep(&store, &mut broom, *rules);
                }
                Step::Reopen { close } => {
                    live.commit(&store);
                    if *close {
                        store.close().unwrap();
                    }
                    drop(store);
                    store = open_tiny(directory.path());
                    broom = Sweep::default();
                }
            }
        }
        live.commit(&store);
        model.hear(&live);
        check(store, directory.path(), &live, &model);
    }
}

fn to(user: u32) -> Destination {
    Destination::User(UserId(user))
}

fn commit_many(store: &SqliteStore, messages: std::ops::RangeInclusive<u64>, text: &str) {
    let records: Vec<_> = messages.map(|seq| said(seq, 1, to(2 + seq as u32 % 3), text)).collect();
    records.chunks(100).for_each(|batch| store.commit(batch).unwrap());
}

fn readable(store: &SqliteStore, user: u32) -> Vec<u64> {
    let page = store.page(&direct_view(user, 0), 1_000_000).unwrap();
    page.messages.iter().map(|message| message.seq.0).collect()
}

#[test]
fn a_server_that_is_killed_in_a_sweep_has_lost_nothing_but_the_step() {
    const MESSAGES: u64 = 3_000;
    let directory = tempfile::tempdir().unwrap();
    let store = open_tiny(directory.path());
    commit_many(&store, 1..=MESSAGES, "");
    let rules = Rules { before: Some(Time(1_000 * 2_000)), newest: Some(900), unread: true };
    let mut broom = Sweep::default();
    broom.begin(rules);
    let mut steps = 0;
    while store.sweep(&mut broom).unwrap() == Swept::Partly {
        steps += 1;
        let copy = tempfile::tempdir().unwrap();
        for file in ["kabar.db", "kabar.db-wal"] {
            fs::copy(directory.path().join(file), copy.path().join(file)).unwrap();
        }
        let killed = open_tiny(copy.path());
        for user in 2..5_u32 {
            let left = readable(&killed, user);
            let mine: Vec<_> = (2_000..=MESSAGES).filter(|seq| 2 + seq % 3 == u64::from(user)).collect();
            assert!(left.ends_with(&mine));
        }
        sweep(&killed, &mut Sweep::default(), rules);
        assert_eq!(killed.load().unwrap().head, Seq(MESSAGES));
        drop(killed);
        let left: Vec<_> = stored_log(copy.path()).iter().map(|record| record.seq.0).collect();
        assert_eq!(left, (2_000..=MESSAGES).collect::<Vec<_>>());
    }
    assert!(steps > 10, "{steps} steps are too few to show anything");
}

#[test]
fn numbers_and_times_go_on_where_they_were_after_everything_was_removed() {
    let directory = tempfile::tempdir().unwrap();
    let store = open_tiny(directory.path());
    commit_many(&store, 1..=10, "");
    assert_eq!(sweep(&store, &mut Sweep::default(), EVERYTHING), 10);
    drop(store);
    let store = open_tiny(directory.path());
    let loaded = store.load().unwrap();
    assert_eq!((loaded.head, loaded.time), (Seq(10), Time(10_000)));
    store.commit(&[said(11, 1, to(2), "")]).unwrap();
    assert_eq!(readable(&store, 2), [11]);
}

#[test]
fn the_space_comes_back_to_the_system() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path(), Durability::Fast).unwrap();
    commit_many(&store, 1..=20_000, &"x".repeat(150));
    store.close().unwrap();
    let size = || fs::metadata(directory.path().join("kabar.db")).unwrap().len();
    let before = size();
    sweep(&store, &mut Sweep::default(), Rules { before: Some(Time(1_000 * 18_001)), ..EVERYTHING });
    assert!(before > 5_000_000 && size() < before / 5, "{before} bytes became {}", size());
    assert_eq!(readable(&store, 2).len(), 666);
}

#[test]
fn commits_and_pages_go_on_beside_a_sweep() {
    let directory = tempfile::tempdir().unwrap();
    let store = open_tiny(directory.path());
    commit_many(&store, 1..=2_000, "");
    std::thread::scope(|scope| {
        scope.spawn(|| (2_001..=2_500).for_each(|seq| store.commit(&[said(seq, 1, to(2), "")]).unwrap()));
        let mut broom = Sweep::default();
        for newest in (1..40).rev() {
            sweep(&store, &mut broom, Rules { before: None, newest: Some(newest), unread: true });
            let left = readable(&store, 2);
            assert!(left.len() >= newest && left.is_sorted(), "{left:?}");
        }
    });
    sweep(&store, &mut Sweep::default(), Rules { before: None, newest: Some(1), unread: true });
    assert_eq!(readable(&store, 2), [2_500]);
}

#[test]
fn what_waits_for_another_server_stays_until_that_has_it_or_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let store = open_tiny(directory.path());
    let (mut live, messi, timur) = (Live::new(), UserId(0), RealmId(1));
    live.want(&Wish { kind: 0, who: 0, whom: 0, place: 1 });
    live.want(&Wish { kind: 23, who: 0, whom: 0, place: 1 });
    for text in ["one", "two", "three"] {
        let to = Address::parse("far@realm0").unwrap();
        live.does(&Command::SendDirect { from: messi, to, text: text.into(), online: None });
    }
    let first = live.state.peer(timur).unwrap().queue.oldest().unwrap().seq;
    let left = |live: &mut Live| {
        live.commit(&store);
        sweep(&store, &mut Sweep::default(), EVERYTHING);
        stored_log(directory.path()).len()
    };
    assert_eq!(left(&mut live), 3);
    live.does(&Command::AcknowledgeOutbox { realm: timur, upto: first, bounces: Vec::new() });
    assert_eq!(left(&mut live), 2);
    assert_eq!(State::restore(home(), store.load().unwrap()), live.state);
    live.does(&Command::RemoveRealm {
        by: messi,
        name: Name::parse("realm0").unwrap(),
        is_administrator: false,
        lost: "lost".into(),
    });
    assert_eq!(left(&mut live), 0);
}
