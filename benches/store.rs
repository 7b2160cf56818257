//! What a durable append costs: the store beside a bare loop over the same rows, appended by number in the same batches
//! with the same syncs. `cargo bench --bench store [-- SECONDS]`, seconds for each cell.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::time::{Duration, Instant};

use kabar::chat::{Author, BodyFields, Destination, EscapedText, Event, Kind, Message, MessageBody, Record};
use kabar::id::{Seq, UserId};
use kabar::store::{Durability, SqliteStore, Store};
use kabar::time::Time;
use rusqlite::{Connection, params};
use tempfile::TempDir;

const USERS: u64 = 10_000;
const BODY_BYTES: usize = 150;
const ROUNDS: u32 = 4;

/// Something that records are appended to.
trait Appender {
    fn append(&mut self, batch: &[Record]);
}

struct Kabar(SqliteStore);

impl Appender for Kabar {
    fn append(&mut self, batch: &[Record]) {
        self.0.commit(batch).unwrap();
    }
}

/// The floor: one table, one prepared statement, the bytes as they are.
struct Bare(Connection);

impl Bare {
    fn open(directory: &TempDir) -> Self {
        let connection = Connection::open(directory.path().join("bare.db")).unwrap();
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384")
            .unwrap();
        let table = "CREATE TABLE log (seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, event BLOB NOT NULL, body BLOB)";
        connection.execute_batch(table).unwrap();
        Self(connection)
    }
}

impl Appender for Bare {
    fn append(&mut self, batch: &[Record]) {
        let transaction = self.0.transaction().unwrap();
        let mut statement = transaction.prepare_cached("INSERT INTO log VALUES (?1, ?2, ?3, ?4)").unwrap();
        for record in batch {
            let Event::MessageSent(message) = &record.event else { continue };
            let body = message.body.packed();
            statement.execute(params![record.seq.0, record.time.0, [0_u8; 10].as_slice(), body]).unwrap();
        }
        drop(statement);
        transaction.commit().unwrap();
    }
}

/// A direct message between two of the users.
fn record(seq: u64) -> Record {
    let (from, to) = (fastrand::u64(..USERS), fastrand::u64(..USERS));
    let (sender, receiver) = (format!("user{from}"), format!("user{to}"));
    let compose = |text: &str| {
        let (from, to) = (sender.as_str(), receiver.as_str());
        let msg = &EscapedText::new(text);
        let kind = Kind::Direct;
        MessageBody::compose(&BodyFields { msg_from: from, msg_to: to, msg, from, to, kind, realm: None })
    };
    let body = compose(&"x".repeat(BODY_BYTES.saturating_sub(compose("").packed().len())));
    let (from, to) = (Author::Local(UserId(from)), Destination::User(UserId(to)));
    let message = Message { from, to, realm: None, body };
    Record { seq: Seq(seq), time: Time(1_795_244_400_000 + seq), event: Event::MessageSent(message) }
}

/// What some appends took.
#[derive(Default)]
struct Cost {
    appends: u64,
    wall: Duration,
    processor: Duration,
}

impl Cost {
    fn rate(&self) -> f64 {
        self.appends as f64 / self.wall.as_secs_f64()
    }

    fn microseconds(&self) -> f64 {
        self.processor.as_secs_f64() * 1e6 / self.appends as f64
    }
}

/// An appender and what it has cost so far.
struct Runner {
    appender: Box<dyn Appender>,
    head: u64,
    cost: Cost,
}

impl Runner {
    /// Appends until the files have the sizes that they keep: a file that still grows is slower to sync. Not measured.
    fn new(appender: Box<dyn Appender>, batch: usize) -> Self {
        let mut runner = Self { appender, head: 0, cost: Cost::default() };
        let batches = if batch < 100 { 3_000 } else { 1_000 };
        (0..batches).for_each(|_| runner.append(batch, batch as u64));
        runner.cost = Cost::default();
        runner
    }

    /// Appends for so long, a slab of batches at a time: making the records is not measured.
    fn run(&mut self, batch: usize, time: Duration) {
        let end = self.cost.wall + time;
        while self.cost.wall < end {
            self.append(batch, (20 * batch).clamp(200, 20_000) as u64);
        }
    }

    fn append(&mut self, batch: usize, slab: u64) {
        let records: Vec<_> = (self.head + 1..=self.head + slab).map(record).collect();
        let (start, processor) = (Instant::now(), processor_time("/proc/thread-self"));
        records.chunks(batch).for_each(|batch| self.appender.append(batch));
        self.cost.wall += start.elapsed();
        self.cost.processor += processor_time("/proc/thread-self").saturating_sub(processor);
        self.cost.appends += slab;
        self.head += slab;
    }
}

/// The processor time of a thread.
fn processor_time(task: &str) -> Duration {
    let statistics = fs::read_to_string(format!("{task}/schedstat")).unwrap();
    Duration::from_nanos(statistics.split(' ').next().unwrap().parse().unwrap())
}

/// The processor time of the checkpointer, which works for the store alone, at whatever time.
fn checkpointer_time() -> Duration {
    let task = fs::read_dir("/proc/self/task").unwrap().flatten().map(|task| task.path().display().to_string());
    let of_checkpointer = |task: &String| fs::read_to_string(format!("{task}/comm")).unwrap().trim() == "checkpointer";
    task.filter(of_checkpointer).map(|task| processor_time(&task)).sum()
}

fn main() {
    let seconds = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(2.0);
    println!("in flight | kabar /s | CPU us | bare /s | CPU us | kabar : bare");
    for batch in [1, 64, 1_000] {
        let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let store = SqliteStore::open(&home.path().join("data"), Durability::Sync).unwrap();
        let mut kabar = Runner::new(Box::new(Kabar(store)), batch);
        let mut bare = Runner::new(Box::new(Bare::open(&home)), batch);
        let before = checkpointer_time();
        // By turns: the disk's mood changes.
        for _ in 0..ROUNDS {
            kabar.run(batch, Duration::from_secs_f64(seconds / f64::from(ROUNDS)));
            bare.run(batch, Duration::from_secs_f64(seconds / f64::from(ROUNDS)));
        }
        kabar.cost.processor += checkpointer_time() - before;
        let (kabar, bare) = (kabar.cost, bare.cost);
        let ratio = 100.0 * kabar.rate() / bare.rate();
        println!(
            "{batch:>9} | {:>8.0} | {:>6.1} | {:>7.0} | {:>6.1} | {ratio:>10.0} %",
            kabar.rate(),
            kabar.microseconds(),
            bare.rate(),
            bare.microseconds(),
        );
    }
}
