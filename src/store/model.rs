//! The model that a store is tested against: the state and the log in memory.

use std::ops::ControlFlow;
use std::path::Path;

use rusqlite::Connection;

use crate::chat::{Command, Context, Event, IdempotencyKey, ReadPage, Record, State, decide};
use crate::id::{Hash64, Seq, UserId};
use crate::name::Name;
use crate::store::damage::DamageLog;
use crate::store::error::StoreError;
use crate::store::generators::{CommandKind, GeneratedCommand};
use crate::store::interface::Store;
use crate::store::log::rows;
use crate::store::sqlite::SqliteStore;
use crate::time::Time;

pub(super) struct Model {
    pub(super) state: State,
    /// Records that are not committed to the store yet.
    pub(super) pending: Vec<Record>,
    /// The committed records.
    pub(super) log: Vec<Record>,
}

impl Model {
    pub(super) fn new() -> Self {
        Self { state: State::new(home()), pending: Vec::new(), log: Vec::new() }
    }

    /// Applies a generated command; nothing if it is refused. Some are tagged.
    pub(super) fn run(&mut self, generated: &GeneratedCommand) {
        let time = Time(self.state.time().0 + generated.number % 400_000);
        let command = generated.command(&self.state);
        assert_eq!(CommandKind::of(&command), generated.kind, "{command:?}");
        let policy = generated.policy();
        let context = Context {
            user: Some(UserId(generated.user.into())),
            session: Some(generated.session(&self.state)),
            now: time,
            paced: time,
            recipient_online: None,
            inboxes: None,
            policy: &policy,
        };
        let mut events = decide(&self.state, &context, &command).unwrap_or_default();
        let is_registered = self.state.user(UserId(generated.user.into())).is_some();
        if is_registered && !events.is_empty() && generated.number.is_multiple_of(3) {
            events.push(self.request_done(generated));
        }
        self.apply_all(time, events);
    }

    fn request_done(&self, generated: &GeneratedCommand) -> Event {
        let key = IdempotencyKey {
            user: UserId(generated.user.into()),
            tag: Hash64(u64::MAX - generated.number % 5),
            request: Hash64(generated.number << 44),
        };
        let seq = self.state.head().next();
        let page = ReadPage { after: Seq(1), upto: seq, read_ranges: vec![(Seq(2), Seq(3))], more: true };
        let page = generated.number.is_multiple_of(2).then(|| Box::new(page));
        Event::RequestDone { key, first: seq, page }
    }

    /// Applies a command of a user that must be accepted.
    pub(super) fn execute(&mut self, user: UserId, command: &Command) {
        let time = self.state.time();
        let events = decide(&self.state, &Context::on_behalf_of(user, time), command).unwrap();
        self.apply_all(time, events);
    }

    /// Applies a command of the server itself that must be accepted.
    pub(super) fn execute_as_server(&mut self, command: &Command) {
        let time = self.state.time();
        let events = decide(&self.state, &Context::server(time), command).unwrap();
        self.apply_all(time, events);
    }

    fn apply_all(&mut self, time: Time, events: Vec<Event>) {
        events.into_iter().for_each(|event| self.apply(time, event));
    }

    pub(super) fn apply(&mut self, time: Time, event: Event) {
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

/// The log of the store in a directory.
pub(super) fn stored_log(directory: &Path) -> Vec<Record> {
    let database = Connection::open(directory.join("kabar.db")).unwrap();
    let damage = DamageLog::new(directory.to_owned());
    let mut log = Vec::new();
    rows::for_each(&database, Seq(0), &damage, |segment| {
        log.extend(segment.records().map(Result::unwrap));
        Ok::<_, StoreError>(ControlFlow::Continue(()))
    })
    .unwrap();
    assert_eq!(damage.met(), []);
    log
}
