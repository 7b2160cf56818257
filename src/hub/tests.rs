//! The hub with its committer driven by hand, on a store that fails at the test's word.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use crate::chat::{Command, PasswordHash, Record, Snapshot, View};
use crate::hub::{Committer, Executed, Hub, Outbox, Sink, Step};
use crate::id::{Seq, UserId};
use crate::name::{Address, Name};
use crate::store::{CommitError, Durability, NewestPage, Page, SqliteStore, Store, StoreError, Sweep, Swept};
use crate::wire::Style;

/// What a connection's other end has heard.
#[derive(Default)]
struct Ear(Mutex<Vec<u8>>);

impl Sink for Ear {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
}

/// A store that counts its commits and refuses them while it is full.
struct Moody {
    store: SqliteStore,
    commits: Arc<AtomicUsize>,
    full: Arc<AtomicBool>,
}

impl Store for Moody {
    fn load(&self) -> Result<Snapshot, StoreError> {
        self.store.load()
    }

    fn commit(&self, batch: &[Record]) -> Result<(), CommitError> {
        if self.full.load(Ordering::Relaxed) {
            return Err(CommitError::RolledBack(StoreError::Failed));
        }
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.store.commit(batch)
    }

    fn page(&self, view: &View, limit: usize) -> Result<Page, StoreError> {
        self.store.page(view, limit)
    }

    fn newest_page(&self, view: &View, limit: usize) -> Result<NewestPage, StoreError> {
        self.store.newest_page(view, limit)
    }

    fn removed_upto(&self, view: &View) -> Result<Seq, StoreError> {
        self.store.removed_upto(view)
    }

    fn sweep(&self, sweep: &mut Sweep) -> Result<Swept, StoreError> {
        self.store.sweep(sweep)
    }

    fn close(&self) -> Result<(), StoreError> {
        self.store.close()
    }
}

struct House {
    hub: Hub,
    committer: Committer,
    commits: Arc<AtomicUsize>,
    full: Arc<AtomicBool>,
    ear: Arc<Ear>,
    outbox: Arc<Outbox>,
    _directory: TempDir,
}

impl House {
    /// A hub with one user, number 0, and a connection.
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let store = SqliteStore::open(&directory.path().join("data"), Durability::Fast).unwrap();
        let (commits, full) = <(Arc<AtomicUsize>, Arc<AtomicBool>)>::default();
        let moody = Moody { store, commits: commits.clone(), full: full.clone() };
        let (hub, mut committer) = Hub::open(Box::new(moody), name("local")).unwrap();
        hub.execute(&register("messi"), None).result.unwrap();
        assert_eq!(committer.step(), Step::Stored);
        let ear = Arc::new(Ear::default());
        let outbox = Arc::new(Outbox::new(ear.clone(), Style::Text));
        Self { hub, committer, commits, full, ear, outbox, _directory: directory }
    }

    /// Executes a command, with a reply of one word.
    fn asks(&self, command: &Command, reply: &str) -> Executed {
        let executed = self.hub.execute(command, Some(&self.outbox));
        self.outbox.reply(executed.ticket, None, |out| out.extend_from_slice(reply.as_bytes()));
        self.hub.send_replies(&self.outbox);
        executed
    }

    fn heard(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.ear.0.lock().unwrap())).unwrap()
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn register(user: &str) -> Command {
    let password = PasswordHash("$hash".into());
    Command::Register { name: name(user), full_name: "".into(), country: "".into(), password, session: None }
}

fn send(text: &str) -> Command {
    let to = Address { name: name("messi"), realm: None };
    Command::SendDirect { from: UserId(0), to, text: text.into(), online: None }
}

#[test]
fn nothing_leaves_before_its_batch_is_stored() {
    let mut house = House::new();
    house.asks(&send("satu"), "one ");
    house.asks(&send("dua"), "two ");
    assert_eq!(house.heard(), "");
    assert_eq!(house.committer.step(), Step::Stored);
    assert_eq!(house.heard(), "one two ");
    assert_eq!(house.committer.step(), Step::Idle);
}

#[test]
fn what_is_decided_before_a_step_shares_a_commit() {
    let mut house = House::new();
    let before = house.commits.load(Ordering::Relaxed);
    for number in 0..1_000 {
        house.asks(&send(&number.to_string()), "").result.unwrap();
    }
    house.committer.step();
    assert_eq!(house.commits.load(Ordering::Relaxed) - before, 1);
}

#[test]
fn an_answer_that_shows_what_is_not_stored_waits_for_it() {
    let mut house = House::new();
    house.hub.execute(&register("neko"), None).result.unwrap();
    let refused = house.asks(&register("neko"), "taken");
    assert!(refused.result.is_err());
    assert_eq!(house.heard(), "");
    house.committer.step();
    assert_eq!(house.heard(), "taken");
}

#[test]
fn a_batch_that_failed_is_taken_back_and_its_senders_are_told_in_order() {
    let mut house = House::new();
    house.full.store(true, Ordering::Relaxed);
    house.asks(&register("neko"), "one ");
    house.asks(&send("satu"), "two ");
    assert_eq!(house.committer.step(), Step::Failed);
    assert_eq!(house.heard(), "[ERR] Gagal disimpan\r\n[ERR] Gagal disimpan\r\n");
    assert_eq!(house.hub.read(|state| state.user_count()).0, 1);
    let refused = house.asks(&send("tiga"), "refused at once");
    assert!(refused.result.is_err());
    assert_eq!(house.heard(), "refused at once", "and what is shown now is durable");
}
