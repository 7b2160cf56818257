//! The store against the domain: whatever is decided, committed in whatever batches and opened again at whatever
//! moments, what is loaded is the live state, and what is read is what the log says.

use std::path::Path;

use proptest::prelude::*;
use rusqlite::Connection;

use crate::chat::{Command, Event, NewSession, PasswordHash, Record, State, View, decide};
use crate::id::{RealmId, Seq, SessionId, TokenHash, UserId};
use crate::limits::LIVE_INTERVALS;
use crate::name::{Address, Name};
use crate::store::testing::{HASH, open_tiny};
use crate::store::{SqliteStore, Store, record};
use crate::time::Time;

/// A command in the rough, to be made out against the state of its moment.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) kind: u8,
    pub(super) who: u32,
    pub(super) whom: u32,
    pub(super) place: u64,
}

#[derive(Clone, Debug)]
enum Step {
    Want(Wish),
    Commit,
    Reopen { close: bool },
    Read { who: u32, limit: usize },
}

pub(super) fn wish() -> impl Strategy<Value = Wish> {
    let numbers = (0..14_u8, 0..4_u32, 0..4_u32, 0..1_000_000_u64);
    numbers.prop_map(|(kind, who, whom, place)| Wish { kind, who, whom, place })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        16 => wish().prop_map(Step::Want),
        4 => Just(Step::Commit),
        1 => any::<bool>().prop_map(|close| Step::Reopen { close }),
        2 => (0..4_u32, 1..6_usize).prop_map(|(who, limit)| Step::Read { who, limit }),
    ]
}

fn name(kind: &str, number: u32) -> Name {
    Name::parse(&format!("{kind}{number}")).unwrap()
}

fn nth_session(state: &State, n: u64) -> SessionId {
    let mut open: Vec<_> = state.sessions().map(|(id, _)| id).collect();
    open.sort();
    open.get(n as usize % open.len().max(1)).copied().unwrap_or_default()
}

fn command(state: &State, Wish { kind, who, whom, place }: &Wish) -> Command {
    let (user, token) = (UserId(*who), TokenHash(std::array::from_fn(|i| (state.head().0 >> (8 * (i % 8))) as u8)));
    let session = NewSession { token, ephemeral: place % 3 == 0 };
    let (password, text) = (PasswordHash(HASH.into()), format!("halo {place}").into());
    let within = Seq(place % (state.head().0 + 1));
    let realm = RealmId(*whom % state.realms().len() as u32);
    let crossing = (place % 2 == 0).then(|| state.realms()[realm.0 as usize].name.clone());
    match kind {
        0 => Command::Register {
            name: name("user", *who),
            full_name: "Full Náme".into(),
            country: "".into(),
            password,
            session: (place % 2 == 0).then_some(session),
        },
        1 => Command::OpenSession { user, verified: password, session },
        2 => Command::TouchSession { session: nth_session(state, *place) },
        3 => Command::CloseSession { session: nth_session(state, *place) },
        4..=6 => {
            let to = Address { name: name("user", *whom), realm: crossing };
            Command::SendDirect { from: user, to, text, online: None }
        }
        7 => Command::SendGroup { from: user, to: Address { name: name("group", *whom), realm: crossing }, text },
        8 => Command::Broadcast { from: user, text },
        9 => {
            let from = state.user(user).map_or(Seq(0), |user| user.cursor);
            Command::ReadInbox { user, from, upto: within }
        }
        10 => Command::ReadLive { user, after: within, upto: Seq(within.0 + 1 + u64::from(*whom)) },
        11 => {
            let from = state.user(user).map_or(Seq(0), |user| user.realm_cursor(realm));
            Command::ReadRealmInbox { user, realm, from, upto: within }
        }
        12 => {
            let password = (place % 2 == 0).then_some(password);
            Command::CreateGroup { owner: user, name: name("group", *whom), password }
        }
        _ if place % 4 == 0 => Command::AddRealm { name: name("realm", *whom) },
        _ => Command::JoinGroup { user, group: name("group", *whom), verified: Some(password) },
    }
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
        let events = decide(&self.state, time, &command(&self.state, wish)).unwrap_or_default();
        for event in events {
            let record = Record { seq: self.state.head().next(), time, event };
            self.state.apply(&record);
            self.pending.push(record);
        }
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
fn shown(log: &[Record], view: &View) -> Vec<Seq> {
    let in_span = |record: &&Record| {
        let Event::MessageSent(message) = &record.event else { return false };
        message.placements(record.seq).any(|(timeline, entry)| {
            let holds = |span: &crate::chat::Span| {
                span.timeline == timeline && span.after < entry.seq && entry.seq <= span.upto
            };
            view.spans.iter().any(holds) && view.shows(timeline, &entry)
        })
    };
    log.iter().filter(in_span).map(|record| record.seq).collect()
}

/// Reads a view to its end, page by page.
fn read(store: &SqliteStore, mut view: View, limit: usize) -> Vec<Seq> {
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
        .chain((0..3).map(|realm| live.state.realm_inbox(who, RealmId(realm))))
        .flatten();
    for view in views {
        assert_eq!(read(store, view.clone(), limit), shown(&live.log, &view), "{view:?}");
    }
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
    (0..200).for_each(|place| live.want(&Wish { kind: 8, who: 0, whom: 0, place }));
    (1..=LIVE_INTERVALS as u64 + 3).for_each(|n| live.want(&Wish { kind: 10, who: 0, whom: 0, place: 5 * n }));
    live.commit(&store);
    let loaded = store.load().unwrap();
    assert_eq!(loaded.users[0].live.len(), LIVE_INTERVALS);
    assert_eq!(State::restore(home(), loaded), live.state);
}
