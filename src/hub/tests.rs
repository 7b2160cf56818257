//! The hub with its committer driven by hand, on a store that fails at the test's word.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use crate::chat::{Command, NewSession, PasswordHash, Record, Snapshot, TimelineQuery, Topics};
use crate::hub::{Committer, Executed, Hub, SendQueue, SocketWriter, Step, Ticket, Tickets};
use crate::id::{Seq, SessionId, Token, UserId};
use crate::limits::PUSHES_AT_ONCE;
use crate::name::{Address, Name};
use crate::store::{CommitError, Durability, NewestPage, Page, SqliteStore, Store, StoreError, Sweep, Swept};
use crate::wire::ReplyFormat;

/// A connection's other end: what it has heard, and how much more it takes.
struct Ear {
    heard: Mutex<Vec<u8>>,
    room: AtomicUsize,
}

impl Default for Ear {
    fn default() -> Self {
        Self { heard: Mutex::default(), room: AtomicUsize::new(usize::MAX) }
    }
}

impl Ear {
    fn takes(&self, room: usize) {
        self.room.store(room, Ordering::Relaxed);
    }
}

impl SocketWriter for Ear {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.room.load(Ordering::Relaxed);
        let taken = bytes.len().min(room);
        if taken == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.heard.lock().unwrap().extend_from_slice(&bytes[..taken]);
        self.room.store(room - taken, Ordering::Relaxed);
        Ok(taken)
    }
}

fn take(ear: &Ear) -> String {
    String::from_utf8(std::mem::take(&mut ear.heard.lock().unwrap())).unwrap()
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

    fn page(&self, view: &TimelineQuery, limit: usize) -> Result<Page, StoreError> {
        self.store.page(view, limit)
    }

    fn newest_page(&self, view: &TimelineQuery, limit: usize) -> Result<NewestPage, StoreError> {
        self.store.newest_page(view, limit)
    }

    fn removed_upto(&self, view: &TimelineQuery) -> Result<Seq, StoreError> {
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
    send_queue: Arc<SendQueue>,
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
        let send_queue = Arc::new(SendQueue::new(ear.clone(), ReplyFormat::Text));
        Self { hub, committer, commits, full, ear, send_queue, _directory: directory }
    }

    /// Executes a command, with a reply of one word.
    fn asks(&self, command: &Command, reply: &str) -> Executed {
        let executed = self.hub.execute(command, Some(&self.send_queue));
        self.send_queue.reply(executed.ticket, None, |out| out.extend_from_slice(reply.as_bytes()));
        self.hub.send_replies(&self.send_queue);
        executed
    }

    fn heard(&self) -> String {
        take(&self.ear)
    }

    /// Another connection of the user, which a program has subscribed on.
    fn listener(&mut self) -> (Arc<Ear>, Arc<SendQueue>) {
        let session = self.session();
        self.listener_of(session)
    }

    fn session(&mut self) -> SessionId {
        let token = Token::random().hash();
        let session = NewSession { token, ephemeral: false, origin: [127, 0, 0, 1].into() };
        let command = Command::OpenSession { user: UserId(0), verified: PasswordHash("$hash".into()), session };
        self.hub.execute(&command, None).result.unwrap();
        assert_eq!(self.committer.step(), Step::Stored);
        self.hub.read(|state| state.session_of(&token).unwrap().0).0
    }

    fn listener_of(&self, session: SessionId) -> (Arc<Ear>, Arc<SendQueue>) {
        let ear = Arc::new(Ear::default());
        let send_queue = Arc::new(SendQueue::new(ear.clone(), ReplyFormat::Json));
        self.hub.attach(UserId(0), session, &send_queue);
        self.hub.listen(UserId(0), &send_queue, Topics::default());
        (ear, send_queue)
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
fn what_is_pushed_leaves_before_the_replies_of_its_batch() {
    let mut house = House::new();
    let (ear, listener) = house.listener();
    house.asks(&send("satu"), "");
    let read = house.hub.read(|state| state.user_count());
    listener.reply(read.1, None, |out| out.extend_from_slice(b"reply"));
    house.hub.send_replies(&listener);
    house.committer.step();
    let heard = take(&ear);
    assert!(heard.starts_with("{\"event\":\"message\"") && heard.ends_with("\r\n\r\nreply"), "{heard}");
}

#[test]
fn what_is_more_than_the_fanout_queues_at_once_is_heard_by_all_in_order() {
    let mut house = House::new();
    let session = house.session();
    let listeners: Vec<_> = (0..256).map(|_| house.listener_of(session)).collect();
    let messages = PUSHES_AT_ONCE / listeners.len() + 2;
    for number in 0..messages {
        house.asks(&send(&format!("number {number}.")), "").result.unwrap();
    }
    house.committer.step();
    let heard: Vec<_> = listeners.iter().map(|(ear, _)| take(ear)).collect();
    let places: Vec<_> = (0..messages).map(|number| heard[0].find(&format!("number {number}.")).unwrap()).collect();
    assert!(places.is_sorted());
    assert!(heard.iter().all(|others| *others == heard[0]));
}

#[test]
fn replies_that_are_durable_wait_for_the_push_that_is_on_its_way() {
    let (ear, tickets) = (Arc::new(Ear::default()), Tickets::default());
    let send_queue = SendQueue::new(ear.clone(), ReplyFormat::Json);
    send_queue.reply(Ticket::NONE, None, |out| out.extend_from_slice(b"reply"));
    send_queue.hold_for_push(0);
    assert_eq!(send_queue.flush_ready(&tickets), None);
    assert_eq!(take(&ear), "");
    send_queue.push_batch(&mut Vec::new(), &tickets, |_| {});
    assert_eq!(take(&ear), "reply");
}

#[test]
fn a_socket_that_is_full_gets_the_rest_later_and_the_lent_room_comes_back() {
    let (ear, tickets) = (Arc::new(Ear::default()), Tickets::default());
    let send_queue = SendQueue::new(ear.clone(), ReplyFormat::Json);
    send_queue.reply(Ticket::NONE, None, |out| out.extend_from_slice(b"one two"));
    ear.takes(3);
    let mut room = Vec::with_capacity(1_000);
    send_queue.push_batch(&mut room, &tickets, |_| {});
    assert_eq!((take(&ear).as_str(), room.len(), room.capacity()), ("one", 0, 1_000));
    assert!(send_queue.is_blocked());
    ear.takes(1_000);
    send_queue.unblock();
    assert_eq!(take(&ear), " two");
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
