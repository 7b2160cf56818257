//! The hub with a committer that the test steps, on a store that fails when the test says so.

mod deliveries;
mod forwarded_dials;
mod forwarding;
mod nodes;
mod presence;
mod remote_delivery;
mod session_end;
mod slow_readers;
mod unread;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use crate::chat::{
    Command, Context, ConversationPage, ConversationQuery, NewSession, PasswordHash, Record, Snapshot, TimelineQuery,
    Topics,
};
use crate::hub::push_slot::PushSlot;
use crate::hub::tickets::Tickets;
use crate::hub::{
    Backlog, Committer, ConnectionEnd, Executed, Hub, Origin, Replay, SendQueue, SocketWriter, Step, Ticket,
};
use crate::id::{Seq, SessionId, Token, UserId};
use crate::limits::PUSHES_AT_ONCE;
use crate::name::{Address, Name};
use crate::settings::Language;
use crate::store::{CommitError, Durability, NewestPage, Page, SqliteStore, Store, StoreError, Sweep, Swept};
use crate::time::Time;
use crate::wire::ReplyFormat;

const SLOT: PushSlot = PushSlot { round: 0, place: 0 };

/// Records what is written, and takes so many bytes more.
struct RecordingWriter {
    heard: Mutex<Vec<u8>>,
    room: AtomicUsize,
}

impl Default for RecordingWriter {
    fn default() -> Self {
        Self { heard: Mutex::default(), room: AtomicUsize::new(usize::MAX) }
    }
}

impl RecordingWriter {
    fn takes(&self, room: usize) {
        self.room.store(room, Ordering::Relaxed);
    }
}

impl SocketWriter for RecordingWriter {
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

fn take(writer: &RecordingWriter) -> String {
    String::from_utf8(std::mem::take(&mut writer.heard.lock().unwrap())).unwrap()
}

/// Called before a page is read.
type Hook = Arc<Mutex<Option<Box<dyn FnMut() + Send>>>>;

/// A store that counts its commits, refuses them while it is full, and calls a hook before it reads a page.
struct FaultyStore {
    store: SqliteStore,
    before_page: Hook,
    commits: Arc<AtomicUsize>,
    full: Arc<AtomicBool>,
}

impl Store for FaultyStore {
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
        if let Some(hook) = &mut *self.before_page.lock().unwrap() {
            hook();
        }
        self.store.page(view, limit)
    }

    fn newest_page(&self, view: &TimelineQuery, limit: usize) -> Result<NewestPage, StoreError> {
        self.store.newest_page(view, limit)
    }

    fn conversations(&self, query: &ConversationQuery) -> Result<ConversationPage, StoreError> {
        self.store.conversations(query)
    }

    fn low_watermark(&self, view: &TimelineQuery) -> Result<Seq, StoreError> {
        self.store.low_watermark(view)
    }

    fn sweep(&self, sweep: &mut Sweep) -> Result<Swept, StoreError> {
        self.store.sweep(sweep)
    }

    fn close(&self) -> Result<(), StoreError> {
        self.store.close()
    }
}

struct TestHub {
    hub: Hub,
    committer: Committer,
    commits: Arc<AtomicUsize>,
    full: Arc<AtomicBool>,
    before_page: Hook,
    writer: Arc<RecordingWriter>,
    send_queue: Arc<SendQueue>,
    _directory: TempDir,
}

impl TestHub {
    /// A hub with one user, number 0, and a connection.
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let store = SqliteStore::open(&directory.path().join("data"), Durability::Fast).unwrap();
        let (commits, full) = <(Arc<AtomicUsize>, Arc<AtomicBool>)>::default();
        let before_page = Hook::default();
        let (counted, refused) = (commits.clone(), full.clone());
        let store = FaultyStore { store, before_page: before_page.clone(), commits: counted, full: refused };
        let (hub, mut committer) = Hub::open(Box::new(store), name("local")).unwrap();
        hub.execute_as_server(&register("messi")).result.unwrap();
        assert_eq!(committer.step(), Step::Stored);
        let writer = Arc::new(RecordingWriter::default());
        let send_queue = Arc::new(SendQueue::new(writer.clone(), ReplyFormat::Text(Language::Documents)));
        Self { hub, committer, commits, full, before_page, writer, send_queue, _directory: directory }
    }

    /// Executes a command, with a reply of one word.
    fn asks(&self, command: &Command, reply: &str) -> Executed {
        let origin = Origin::new(Some(&self.send_queue), None);
        let executed = self.hub.execute_for(&Context::on_behalf_of(UserId(0), Time::now()), command, origin);
        self.send_queue.reply(executed.ticket, None, |out| out.extend_from_slice(reply.as_bytes()));
        self.hub.send_replies(&self.send_queue);
        executed
    }

    fn heard(&self) -> String {
        take(&self.writer)
    }

    /// Another connection of the user, which a program has subscribed on.
    fn listener(&mut self) -> (Arc<RecordingWriter>, Arc<SendQueue>) {
        let session = self.session();
        self.listener_of(session)
    }

    fn session(&mut self) -> SessionId {
        let token = Token::random().hash();
        let session = NewSession { token, ephemeral: false, origin: [127, 0, 0, 1].into() };
        let verified = PasswordHash("$hash".into());
        let command = Command::OpenSession { user: UserId(0), verified, session, uses: Vec::new() };
        self.hub.execute_as_server(&command).result.unwrap();
        assert_eq!(self.committer.step(), Step::Stored);
        self.hub.read(|state| state.session_of(&token).unwrap().0).0
    }

    fn listener_of(&self, session: SessionId) -> (Arc<RecordingWriter>, Arc<SendQueue>) {
        let writer = Arc::new(RecordingWriter::default());
        let send_queue = Arc::new(SendQueue::new(writer.clone(), ReplyFormat::Json));
        self.hub.attach(UserId(0), session, false, &send_queue);
        assert!(self.hub.listen(UserId(0), &send_queue, self.hub.delivered(), Topics::default()));
        (writer, send_queue)
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn register(user: &str) -> Command {
    let password = PasswordHash("$hash".into());
    Command::Register {
        name: name(user),
        full_name: "".into(),
        country: "".into(),
        password,
        session: None,
        invite: None,
    }
}

fn send(text: &str) -> Command {
    let to = Address { name: name("messi"), realm: None };
    Command::SendDirect { to, text: text.into() }
}

#[test]
fn nothing_leaves_before_its_batch_is_stored() {
    let mut test = TestHub::new();
    test.asks(&send("satu"), "one ");
    test.asks(&send("dua"), "two ");
    assert_eq!(test.heard(), "");
    assert_eq!(test.committer.step(), Step::Stored);
    assert_eq!(test.heard(), "one two ");
    assert_eq!(test.committer.step(), Step::Idle);
}

#[test]
fn what_is_decided_before_a_step_shares_a_commit() {
    let mut test = TestHub::new();
    let before = test.commits.load(Ordering::Relaxed);
    for number in 0..1_000 {
        test.asks(&send(&number.to_string()), "").result.unwrap();
    }
    test.committer.step();
    assert_eq!(test.commits.load(Ordering::Relaxed) - before, 1);
}

#[test]
fn an_answer_that_shows_what_is_not_stored_waits_for_it() {
    let mut test = TestHub::new();
    test.hub.execute_as_server(&register("neko")).result.unwrap();
    let refused = test.asks(&register("neko"), "taken");
    assert!(refused.result.is_err());
    assert_eq!(test.heard(), "");
    test.committer.step();
    assert_eq!(test.heard(), "taken");
}

#[test]
fn what_is_pushed_leaves_before_the_replies_of_its_batch() {
    let mut test = TestHub::new();
    let (writer, listener) = test.listener();
    test.asks(&send("satu"), "");
    let read = test.hub.read(|state| state.user_count());
    listener.reply(read.1, None, |out| out.extend_from_slice(b"reply"));
    test.hub.send_replies(&listener);
    test.committer.step();
    let heard = take(&writer);
    assert!(heard.starts_with("{\"event\":\"message\"") && heard.ends_with("\r\n\r\nreply"), "{heard}");
}

#[test]
fn what_is_more_than_the_fanout_queues_at_once_is_heard_by_all_in_order() {
    let mut test = TestHub::new();
    let session = test.session();
    let listeners: Vec<_> = (0..256).map(|_| test.listener_of(session)).collect();
    let messages = PUSHES_AT_ONCE / listeners.len() + 2;
    for number in 0..messages {
        test.asks(&send(&format!("number {number}.")), "").result.unwrap();
    }
    test.committer.step();
    let heard: Vec<_> = listeners.iter().map(|(writer, _)| take(writer)).collect();
    let places: Vec<_> = (0..messages).map(|number| heard[0].find(&format!("number {number}.")).unwrap()).collect();
    assert!(places.is_sorted());
    assert!(heard.iter().all(|others| *others == heard[0]));
}

#[test]
fn replies_that_are_durable_wait_for_the_push_that_is_on_its_way() {
    let (writer, tickets) = (Arc::new(RecordingWriter::default()), Tickets::default());
    let send_queue = SendQueue::new(writer.clone(), ReplyFormat::Json);
    send_queue.reply(Ticket::NONE, None, |out| out.extend_from_slice(b"reply"));
    send_queue.hold_for_push(SLOT);
    send_queue.flush_ready(&tickets);
    assert_eq!(take(&writer), "");
    send_queue.push_round(&mut Vec::new(), &tickets, (SLOT, Ticket::NONE), |_| {});
    assert_eq!(take(&writer), "reply");
}

#[test]
fn a_batch_that_failed_is_taken_back_and_its_senders_are_told_in_order() {
    let mut test = TestHub::new();
    test.full.store(true, Ordering::Relaxed);
    test.asks(&register("neko"), "one ");
    test.asks(&send("satu"), "two ");
    assert_eq!(test.committer.step(), Step::Failed);
    assert_eq!(test.heard(), "[ERR] Gagal disimpan: the disk failed, and nothing was changed: try again\r\n".repeat(2));
    assert_eq!(test.hub.read(|state| state.user_count()).0, 1);
    let refused = test.asks(&send("tiga"), "refused at once");
    assert!(refused.result.is_err());
    assert_eq!(test.heard(), "refused at once", "and what is shown now is durable");
}

/// The numbers of the messages in JSON frames, in order.
fn pushed(frames: &str) -> Vec<u64> {
    let events = frames.split("\r\n\r\n").filter(|frame| frame.starts_with("{\"event\":\"message\""));
    events
        .map(|event| event.split_once("\"id\":").unwrap().1.split([',', '}']).next().unwrap().parse().unwrap())
        .collect()
}

/// Before each page that is read, sends `count` messages of `bytes` and commits them: a reader never comes up with that.
fn talk_before_each_page(test: TestHub, count: usize, bytes: usize) -> (Hub, Hook) {
    let TestHub { hub, mut committer, before_page, _directory: directory, .. } = test;
    let talking = hub.clone();
    *before_page.lock().unwrap() = Some(Box::new(move || {
        let _stays = &directory;
        for _ in 0..count {
            talking.execute(&Context::on_behalf_of(UserId(0), Time::now()), &send(&"x".repeat(bytes))).result.unwrap();
        }
        assert_eq!(committer.step(), Step::Stored, "a commit does not wait for the page");
    }));
    (hub, before_page)
}

fn replay_all(hub: &Hub, writer: &RecordingWriter, send_queue: &Arc<SendQueue>) -> String {
    let mut replay = Replay::new(UserId(0), Seq(0), Topics::default());
    let mut frames = String::new();
    for _ in 0..1_000 {
        let is_live = replay.step(hub, send_queue).unwrap();
        send_queue.flush();
        frames += &take(writer);
        if is_live {
            return frames;
        }
    }
    panic!("the replay does not end");
}

#[test]
fn a_replay_joins_live_pushes_while_others_talk_and_holds_up_no_commit() {
    let mut test = TestHub::new();
    let session = test.session();
    test.asks(&send("satu"), "").result.unwrap();
    let first = test.hub.read(|state| state.head()).0;
    test.committer.step();
    let (writer, send_queue) = test.listener_of(session);
    test.hub.begin_subscription(UserId(0), &send_queue);
    let (hub, before_page) = talk_before_each_page(test, 3, 10);
    let frames = replay_all(&hub, &writer, &send_queue);
    before_page.lock().unwrap().as_mut().unwrap()();
    let heard = pushed(&(frames + &take(&writer)));
    let newest = hub.read(|state| state.head().0).0;
    assert_eq!(heard, (first.0..=newest).collect::<Vec<_>>(), "no gap and no repeat");
}

#[test]
fn a_replay_that_never_comes_up_with_the_others_ends_in_a_lag() {
    let mut test = TestHub::new();
    let session = test.session();
    test.asks(&send("satu"), "").result.unwrap();
    let first = test.hub.read(|state| state.head()).0;
    test.committer.step();
    let (writer, send_queue) = test.listener_of(session);
    test.hub.begin_subscription(UserId(0), &send_queue);
    let (hub, _) = talk_before_each_page(test, 100, 4_000);
    let frames = replay_all(&hub, &writer, &send_queue);
    hub.recover(UserId(0), &send_queue);
    let heard = pushed(&frames);
    assert_eq!(heard, (first.0..first.0 + heard.len() as u64).collect::<Vec<_>>());
    let lagged = format!("{{\"event\":\"lagged\",\"after\":{}}}", heard.last().unwrap());
    assert!(take(&writer).starts_with(&lagged), "{lagged}");
}

#[test]
fn a_queue_whose_socket_is_gone_holds_nothing_more() {
    let send_queue = SendQueue::new(Arc::new(RecordingWriter::default()), ReplyFormat::Json);
    send_queue.reply(Ticket(1), None, |out| out.extend_from_slice(&[b'x'; 100_000]));
    assert_eq!(send_queue.status().backlog, Backlog { requests: 1, bytes: 100_000 });
    send_queue.close(ConnectionEnd::Gone);
    send_queue.reply(Ticket(1), None, |_| panic!("a reply that nobody gets is not rendered"));
    assert_eq!(send_queue.status().backlog, Backlog::default());
}
