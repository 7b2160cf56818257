//! Reading lines into a new store, as fast as it can be written, and with little more than the names in memory.
//!
//! The database is built under another name, without syncs and without a way back, and becomes the store only once it is
//! whole: an import that fails or is killed leaves what was there before.

mod lines;
mod messages;
mod names;
mod numbers;
mod realms;
mod things;
mod timelines;

use std::collections::{HashMap, HashSet};
use std::io::BufRead;
use std::path::Path;

use rusqlite::{Connection, ErrorCode};

use crate::id::{GroupId, PeerKey, RealmId, UserId};
use crate::store::directory::{Directory, Unfinished};
use crate::store::transfer::line::Line;
use crate::store::transfer::{Progress, TransferError};
use crate::store::{Durability, StoreError, connection, load, schema};
use crate::time::Time;

use lines::Lines;
use names::Names;
use numbers::Numbers;
use timelines::Timelines;

/// Reads lines into the store of a directory, which must be new, or have a store in which nothing has happened yet, and
/// no server; gives the number of lines. `name` is what errors call the lines, `bytes` how many there are, if that is
/// known.
///
/// # Errors
/// At the first line that is wrong, where the lines cannot be read, or the store cannot be made. There is nothing new in
/// the directory then.
pub fn import(
    input: &mut dyn BufRead,
    name: &str,
    bytes: Option<u64>,
    directory: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<u64, TransferError> {
    let place = Directory::open(directory)?;
    if !is_unused(&place, directory)? {
        return Err(StoreError::Used(directory.to_owned()).into());
    }
    place.clear()?;
    let unfinished = Unfinished::create(directory)?;
    let mut database = connection::open_unfinished(&unfinished.path())?;
    schema::prepare(&mut database, directory)?;
    let count = Import::new(&database)?.run(Lines::new(input, name, bytes), progress)?;
    database.close().map_err(|(_, error)| error)?;
    unfinished.finish()?;
    Ok(count)
}

/// Whether there is no store yet, or one in which nothing has happened.
fn is_unused(place: &Directory, directory: &Path) -> Result<bool, StoreError> {
    let mut database = connection::open_writer(&place.database(), Durability::Sync)?;
    schema::prepare(&mut database, directory)?;
    let (head, _) = load::head(&database)?;
    Ok(head.0 == 0)
}

/// Why a line cannot be taken in.
enum Problem {
    /// What is wrong with it.
    Line(String),
    Store(StoreError),
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => Self::Line("a number of it stands in an earlier line, too".into()),
            _ => Self::Store(error.into()),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What is wrong with a line.
fn wrong<T>(problem: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Line(problem.into()))
}

/// A store in the making.
struct Import<'a> {
    database: &'a Connection,
    names: Names,
    numbers: Numbers,
    timelines: Timelines,
    /// Present members, none twice.
    members: HashSet<(GroupId, UserId)>,
    /// Of other servers, none twice.
    keys: HashSet<PeerKey>,
    /// Up to which number each incarnation of another server was taken in.
    received: HashMap<RealmId, HashMap<u64, u64>>,
    /// The time of the newest message: times never go back.
    time: Time,
    /// An event as bytes, over and over.
    event: Vec<u8>,
}

impl<'a> Import<'a> {
    fn new(database: &'a Connection) -> rusqlite::Result<Self> {
        database.execute_batch("BEGIN")?;
        Ok(Self {
            database,
            names: Names::default(),
            numbers: Numbers::default(),
            timelines: Timelines::default(),
            members: HashSet::new(),
            keys: HashSet::new(),
            received: HashMap::new(),
            time: Time(0),
            event: Vec::new(),
        })
    }

    fn run(mut self, mut lines: Lines<'_>, progress: &mut dyn FnMut(Progress)) -> Result<u64, TransferError> {
        let header = lines.header()?;
        while lines.next()? {
            let line = lines.parse()?;
            self.take(line).map_err(|problem| lines.error(problem))?;
            lines.show(progress);
        }
        self.numbers.note(header.head);
        self.finish(header.time.map_or(Time(0), |time| time.0))?;
        Ok(lines.count())
    }

    fn take(&mut self, line: Line<'_>) -> Result<(), Problem> {
        match line {
            Line::Message(message) => self.message(&message),
            Line::User(user) => self.user(&user),
            Line::Member(member) => self.member(&member),
            Line::Block(block) => self.block(&block),
            Line::Session(session) => self.session(&session),
            Line::CompletedRequest(done) => self.done(&done),
            Line::Group(group) => self.group(&group),
            Line::Realm(realm) => self.realm(&realm),
            Line::Called(called) => self.called(&called),
            Line::RealmCursor(cursor) => self.realm_cursor(&cursor),
            Line::Incarnation(incarnation) => self.incarnation(&incarnation),
            Line::Received(received) => self.received(&received),
            Line::Refused(refused) => self.refused(&refused),
            Line::Removed(removed) => self.removed(&removed),
        }
    }

    fn finish(mut self, time: Time) -> Result<(), StoreError> {
        self.timelines.write(self.database)?;
        let head = self.numbers.highest();
        self.database.execute("UPDATE head SET seq = ?1, time = ?2", [head, self.time.max(time).0])?;
        self.database.execute("UPDATE indexed SET upto = ?1", [head])?;
        Ok(self.database.execute_batch("COMMIT")?)
    }
}
