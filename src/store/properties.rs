//! The store against the domain: whatever is decided, committed in whatever batches and opened again at whatever
//! moments, what is loaded is the live state, and what is read is what the log says.

use std::collections::VecDeque;
use std::path::Path;

use proptest::prelude::*;
use rusqlite::Connection;

use crate::chat::{
    BounceReason, Command, CommandError, Conversation, Event, IdempotencyKey, ReadPage, Record, SeqRange, State,
    TimelineQuery, decide, remember,
};
use crate::id::{Hash64, Incarnation, RealmId, Seq, UserId};
use crate::limits::{INCARNATIONS_PER_PEER, LIVE_INTERVALS, TAGS_PER_USER};
use crate::name::{Address, Name};
use crate::store::retelling::retell;
use crate::store::testing::open_tiny;
use crate::store::wishes::{Wish, command, name, wish};
use crate::store::{SqliteStore, Store, record};
use crate::time::Time;

#[derive(Clone, Debug)]
enum Step {
    Want(Wish),
    Commit,
    Reopen { close: bool },
    Read { who: u32, limit: usize },
    ReadAgain { who: u32, before: u64, limit: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        16 => wish().prop_map(Step::Want),
        4 => Just(Step::Commit),
        1 => any::<bool>().prop_map(|close| Step::Reopen { close }),
        2 => (0..4_u32, 1..6_usize).prop_map(|(who, limit)| Step::Read { who, limit }),
        2 => (0..4_u32, 0..400_u64, 1..6_usize)
            .prop_map(|(who, before, limit)| Step::ReadAgain { who, before, limit }),
    ]
}

/// The live side, with what is not committed yet.
pub(super) struct Live {
    pub(super) state: State,
    pending: Vec<Record>,
    pub(super) log: Vec<Record>,
}

impl Live {
    pub(super) fn new() -> Self {
        Self { state: State::new(home()), pending: Vec::new(), log: Vec::new() }
    }

    pub(super) fn want(&mut self, wish: &Wish) {
        let time = Time(self.state.time().0 + wish.place % 400_000);
        let mut events = decide(&self.state, time, &command(&self.state, wish)).unwrap_or_default();
        let known = self.state.user(UserId(wish.who)).is_some();
        if known && !events.is_empty() && wish.place.is_multiple_of(3) {
            events.push(self.tagged(wish));
        }
        events.into_iter().for_each(|event| self.happens(time, event));
    }

    fn tagged(&self, wish: &Wish) -> Event {
        let once = IdempotencyKey {
            user: UserId(wish.who),
            tag: Hash64(u64::MAX - wish.place % 5),
            request: Hash64(wish.place << 44),
        };
        let seq = self.state.head().next();
        let page = ReadPage { after: Seq(1), upto: seq, read_ranges: vec![(Seq(2), Seq(3))], more: true };
        remember(once, seq, wish.place.is_multiple_of(2).then_some(page))
    }

    pub(super) fn does(&mut self, command: &Command) {
        let time = self.state.time();
        decide(&self.state, time, command).unwrap().into_iter().for_each(|event| self.happens(time, event));
    }

    fn happens(&mut self, time: Time, event: Event) {
        let record = Record { seq: self.state.head().next(), time, event };
        self.state.apply(&record);
        self.pending.push(record);
    }

    pub(super) fn commit(&mut self, store: &SqliteStore) {
        store.commit(&self.pending).unwrap();
        self.log.append(&mut self.pending);
    }
}

pub(super) fn home() -> Name {
    Name::parse("local").unwrap()
}

fn fold(log: &[Record]) -> State {
    let mut state = State::new(home());
    log.iter().for_each(|record| state.apply(record));
    state
}

pub(super) fn stored_log(directory: &Path) -> Vec<Record> {
    let database = Connection::open(directory.join("kabar.db")).unwrap();
    let mut statement = database.prepare("SELECT seq, time, event, body FROM log ORDER BY seq").unwrap();
    let rows = statement.query_map([], |row| {
        let mut event = record::decode(row.get_ref(2)?.as_blob()?).unwrap();
        if let Event::MessageSent(message) = &mut event {
            message.body.0 = row.get::<_, String>(3)?.into();
        }
        Ok(Record { seq: Seq(row.get(0)?), time: Time(row.get(1)?), event })
    });
    rows.unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

/// What a view shows, the slow way.
fn shown(log: &[Record], view: &TimelineQuery) -> Vec<Seq> {
    let in_span = |record: &&Record| {
        let Event::MessageSent(message) = &record.event else { return false };
        message.placements(record.seq).any(|(timeline, entry)| {
            let holds = |span: &SeqRange| span.timeline == timeline && span.after < entry.seq && entry.seq <= span.upto;
            let shows = view.matches_entry(timeline, &entry) && view.matches_body(timeline, &entry, &message.body);
            view.spans.iter().any(holds) && shows
        })
    };
    log.iter().filter(in_span).map(|record| record.seq).collect()
}

/// Reads a view to its end, page by page.
fn read(store: &SqliteStore, mut view: TimelineQuery, limit: usize) -> Vec<Seq> {
    let mut read = Vec::new();
    loop {
        let page = store.page(&view, limit).unwrap();
        assert!(page.messages.len() <= limit);
        read.extend(page.messages.iter().map(|message| message.seq));
        assert!(read.last().is_none_or(|last| *last <= page.upto));
        if !page.more {
            return read;
        }
        view.spans.iter_mut().for_each(|span| span.after = span.after.max(page.upto));
    }
}

fn check_reading(store: &SqliteStore, live: &Live, who: UserId, limit: usize) {
    let views = std::iter::once(live.state.inbox(who))
        .chain((0..6).map(|realm| live.state.realm_inbox(who, RealmId(realm))))
        .flatten();
    for view in views {
        assert_eq!(read(store, view.clone(), limit), shown(&live.log, &view), "{view:?}");
    }
}

fn conversations() -> impl Iterator<Item = Conversation> {
    let realms = || std::iter::once(None).chain((0..4).map(|realm| Some(name("realm", realm))));
    let addresses = move |kind| {
        (0..4).flat_map(move |number| realms().map(move |realm| Address { name: name(kind, number), realm }))
    };
    let users = addresses("user").map(Conversation::User);
    std::iter::once(Conversation::All).chain(users).chain(addresses("group").map(Conversation::Group))
}

/// Reads a conversation to its beginning, page by page.
fn read_again(
    store: &SqliteStore,
    history: impl Fn(Seq) -> Result<TimelineQuery, CommandError>,
    before: Seq,
    limit: usize,
) -> Option<Vec<Seq>> {
    let (mut read, mut before) = (VecDeque::new(), Some(before));
    while let Some(end) = before {
        let page = store.newest_page(&history(end).ok()?, limit).unwrap();
        assert!(page.messages.len() <= limit);
        page.messages.iter().rev().for_each(|message| read.push_front(message.seq));
        before = page.before;
    }
    Some(read.into())
}

fn check_reading_again(store: &SqliteStore, live: &Live, who: UserId, before: Seq, limit: usize) {
    let everything: Vec<_> = live.log.iter().chain(&live.pending).cloned().collect();
    let durable = live.log.last().map_or(Seq(0), |record| record.seq);
    for conversation in conversations() {
        let read = read_again(store, |before| live.state.history(who, &conversation, before), before, limit);
        let mut told = retell(&everything, who, &conversation);
        told.iter_mut().for_each(|seqs| seqs.retain(|seq| *seq <= durable && *seq < before));
        assert_eq!(read, told, "{conversation:?}");
    }
}

#[test]
fn tagged_requests_past_the_bound_are_forgotten_on_disk_as_in_memory() {
    let directory = tempfile::tempdir().unwrap();
    let store = open_tiny(directory.path());
    let mut live = Live::new();
    live.want(&Wish { kind: 0, who: 0, whom: 0, place: 1 });
    for number in 0..TAGS_PER_USER as u64 + 40 {
        let once = IdempotencyKey { user: UserId(0), tag: Hash64(number), request: Hash64(number) };
        live.happens(Time(number), remember(once, Seq(number), None));
    }
    live.commit(&store);
    assert_eq!(State::restore(home(), store.load().unwrap()), live.state);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_stored_is_the_live_state(steps in prop::collection::vec(step(), 1..250)) {
        let directory = tempfile::tempdir().unwrap();
        let mut store = open_tiny(directory.path());
        let mut live = Live::new();
        for step in &steps {
            match step {
                Step::Want(wish) => live.want(wish),
                Step::Commit => live.commit(&store),
                Step::Read { who, limit } => check_reading(&store, &live, UserId(*who), *limit),
                Step::ReadAgain { who, before, limit } => {
                    check_reading_again(&store, &live, UserId(*who), Seq(*before), *limit);
                }
                Step::Reopen { close } => {
                    live.commit(&store);
                    if *close {
                        store.close().unwrap();
                    }
                    drop(store);
                    store = open_tiny(directory.path());
                    prop_assert_eq!(&State::restore(home(), store.load().unwrap()), &live.state);
                }
            }
        }
        live.commit(&store);
        prop_assert_eq!(&State::restore(home(), store.load().unwrap()), &live.state);
        prop_assert_eq!(&stored_log(directory.path()), &live.log);
        prop_assert_eq!(&fold(&live.log), &live.state);
    }
}

#[test]
fn of_more_live_intervals_than_are_kept_the_oldest_goes() {
    let directory = tempfile::tempdir().unwrap();
    let store = open_tiny(directory.path());
    let mut live = Live::new();
    live.want(&Wish { kind: 0, who: 0, whom: 0, place: 1 });
    (0..200).for_each(|place| live.want(&Wish { kind: 9, who: 0, whom: 0, place }));
    (1..=LIVE_INTERVALS as u64 + 3).for_each(|n| live.want(&Wish { kind: 11, who: 0, whom: 0, place: 5 * n }));
    live.commit(&store);
    let loaded = store.load().unwrap();
    assert_eq!(loaded.users[0].read_ranges.len(), LIVE_INTERVALS);
    assert_eq!(State::restore(home(), loaded), live.state);
}

#[test]
fn each_interval_of_a_membership_keeps_its_own_end() {
    let directory = tempfile::tempdir().unwrap();
    let store = open_tiny(directory.path());
    let mut live = Live::new();
    let (register, create, join, leave) = (0, 14, 15, 16);
    for (who, kind) in [(0, register), (1, register), (0, create), (1, join), (1, leave), (1, join), (1, leave)] {
        live.want(&Wish { kind, who, whom: 0, place: 1 });
    }
    live.commit(&store);
    let loaded = store.load().unwrap();
    assert_eq!(loaded.users[1].memberships.len(), 2);
    assert_eq!(State::restore(home(), loaded), live.state);
}

#[test]
fn incarnations_past_the_bound_are_forgotten_with_what_was_refused_of_them() {
    let directory = tempfile::tempdir().unwrap();
    let store = open_tiny(directory.path());
    let mut live = Live::new();
    live.want(&Wish { kind: 0, who: 0, whom: 0, place: 1 });
    live.want(&Wish { kind: 23, who: 0, whom: 0, place: 1 });
    let incarnations = INCARNATIONS_PER_PEER as u64 + 2;
    for incarnation in (0..incarnations).chain([0, incarnations - 1]) {
        let messages = vec![(Seq(7), Err(BounceReason::Malformed))];
        live.does(&Command::Receive { realm: RealmId(1), incarnation: Incarnation(incarnation), messages });
        live.commit(&store);
    }
    let loaded = State::restore(home(), store.load().unwrap());
    assert_eq!(loaded.peer(RealmId(1)).unwrap().refused.len(), INCARNATIONS_PER_PEER);
    assert_eq!(loaded, live.state);
}
