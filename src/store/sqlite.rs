//! The embedded store: one SQLite database in one directory.

mod sweep_target;

use std::path::Path;
use std::sync::Mutex;

use rusqlite::Connection;

use crate::chat::{ConversationPage, ConversationQuery, Record, Snapshot, TimelineQuery};
use crate::id::Seq;
use crate::settings::Durability;
use crate::store::checkpoint::Checkpointer;
use crate::store::connection;
use crate::store::damage::DamageLog;
use crate::store::directory::Directory;
use crate::store::error::{CommitError, StoreError};
use crate::store::index::chunk::Direction;
use crate::store::index::config::IndexConfig;
use crate::store::index::flush_plan::FlushPlan;
use crate::store::index::timeline_index::Index;
use crate::store::interface::Store;
use crate::store::lock::lock;
use crate::store::log::reader::LogReader;
use crate::store::log::segment;
use crate::store::log_position::LogPosition;
use crate::store::page::{NewestPage, Page};
use crate::store::readers::Readers;
use crate::store::retention::sweep::{Sweep, Swept};
use crate::store::scan::Scan;
use crate::store::writer::Writer;
use crate::store::{conversations, load, low_watermark, schema};

/// The embedded store.
///
/// Lock order: `writer`, then `index`. No one waits for the disk with `index` locked, so a page waits for no commit.
pub struct SqliteStore {
    writer: Mutex<Writer>,
    index: Mutex<Index>,
    readers: Readers,
    /// `None` if the store only reads.
    checkpointer: Option<Checkpointer>,
    damage: DamageLog,
    durability: Durability,
    /// Dropped last, with its lock: the fields before it still write while they are dropped.
    pub(super) directory: Directory,
}

impl SqliteStore {
    /// Opens the store in a directory; creates both if they do not exist.
    ///
    /// # Errors
    /// If the directory cannot be used, contains other files, is in use by another server, or has a newer store.
    pub fn open(directory: &Path, durability: Durability) -> Result<Self, StoreError> {
        Self::open_with(directory, durability, IndexConfig::default())
    }

    pub(super) fn open_with(path: &Path, durability: Durability, config: IndexConfig) -> Result<Self, StoreError> {
        let directory = Directory::open(path)?;
        directory.remove_unfinished();
        let database = directory.database();
        directory.check_wal()?;
        let mut writer = connection::open_writer(&database, durability)?;
        schema::prepare(&mut writer, path)?;
        let checkpointer = Checkpointer::start(connection::open_checkpointer(&database, durability)?)?;
        // A killed server may have left commits in the WAL that were not synced. They are readable now, but a power cut
        // would still revert them: sync them before anyone reads them.
        checkpointer.truncate()?;
        directory.record_database()?;
        let damage = DamageLog::new(database.clone());
        let index = Mutex::new(Index::open(&writer, config, &damage)?);
        let readers = Readers::open(|| Ok(connection::open_reader(&database)?))?;
        let writer = Mutex::new(Writer::new(writer));
        Ok(Self { writer, index, readers, checkpointer: Some(checkpointer), damage, durability, directory })
    }

    /// Opens a store whose disk cannot be written, and writes nothing: every commit is rolled back, for this cause.
    pub(super) fn open_read_only(path: &Path, durability: Durability, cause: StoreError) -> Result<Self, StoreError> {
        // A store that is not there yet cannot be read: what prevents it from being made is the reason.
        let Ok(directory) = Directory::open_read_only(path) else { return Err(cause) };
        directory.check_wal()?;
        let database = directory.database();
        let connection = connection::open_unwritable(&database)?;
        schema::check(&connection, path)?;
        let damage = DamageLog::new(database.clone());
        let index = Mutex::new(Index::open(&connection, IndexConfig::default(), &damage)?);
        let readers = Readers::open(|| connection::open_unwritable(&database))?;
        let writer = Mutex::new(Writer::read_only(connection, cause));
        Ok(Self { writer, index, readers, checkpointer: None, damage, durability, directory })
    }

    pub(super) fn is_read_only(&self) -> bool {
        lock(&self.writer).is_read_only()
    }

    /// Bounds the WAL between two commits.
    fn bound_wal(&self, writer: &Connection) -> Result<(), StoreError> {
        self.checkpointer.as_ref().map_or(Ok(()), |checkpointer| Ok(checkpointer.bound_wal(writer)?))
    }

    /// Copies the WAL into the database, and syncs that.
    pub(super) fn checkpoint(&self) -> Result<(), StoreError> {
        self.checkpointer.as_ref().map_or(Ok(()), |checkpointer| Ok(checkpointer.truncate()?))
    }

    fn log<'a>(&'a self, database: &'a Connection) -> LogReader<'a> {
        LogReader::new(database, &self.damage)
    }

    /// Commits a batch, with its place in the shared log. A store that was opened with [`Durability::Sync`] syncs each.
    pub(super) fn commit_with(
        &self,
        batch: &[Record],
        durability: Durability,
        position: Option<&LogPosition>,
    ) -> Result<(), CommitError> {
        // Before the lock: reading a snapshot and a sweep wait for it.
        let segments = segment::encode(batch).map_err(CommitError::RolledBack)?;
        let mut writer = lock(&self.writer);
        let connection = writer.connection().map_err(|error| match error {
            StoreError::ReadOnly(_) => CommitError::RolledBack(error),
            other => CommitError::Unknown(other),
        })?;
        // Nobody would find what is written to a database that is not at its path any more.
        self.directory.check_place().map_err(CommitError::RolledBack)?;
        self.bound_wal(connection).map_err(CommitError::RolledBack)?;
        if self.durability == Durability::Fast {
            connection::set_durability(connection, durability)
                .map_err(|error| CommitError::RolledBack(error.into()))?;
        }
        let (head, plan) = {
            let index = lock(&self.index);
            (index.head(), index.plan_commit(batch.len()))
        };
        writer.commit(head, (batch, &segments), &plan, position)?;
        lock(&self.index).apply(&plan, batch);
        Ok(())
    }

    /// Writes a plan without a batch. The writer must be locked since the plan was made.
    fn flush(&self, writer: &mut Writer, plan: &FlushPlan) -> Result<(), StoreError> {
        writer.commit(Seq(0), (&[], &[]), plan, None).map_err(CommitError::into_cause)?;
        lock(&self.index).apply(plan, &[]);
        Ok(())
    }
}

impl Store for SqliteStore {
    fn load(&self) -> Result<Snapshot, StoreError> {
        // Without commits in between, the tables and the index match.
        let _no_commits = lock(&self.writer);
        let index = lock(&self.index);
        self.readers.read(|database| load::load(&mut self.log(database), &index))
    }

    fn commit(&self, batch: &[Record]) -> Result<(), CommitError> {
        let crosses = self.durability == Durability::Fast && batch.iter().any(|record| record.event.crosses_realms());
        self.commit_with(batch, if crosses { Durability::Sync } else { self.durability }, None)
    }

    fn page(&self, query: &TimelineQuery, limit: usize) -> Result<Page, StoreError> {
        let scan = Scan::new(&lock(&self.index), query, Direction::Forward)?;
        self.readers.read(|database| scan.page(&mut self.log(database), query, limit))
    }

    fn newest_page(&self, query: &TimelineQuery, limit: usize) -> Result<NewestPage, StoreError> {
        let scan = Scan::new(&lock(&self.index), query, Direction::Reverse)?;
        self.readers.read(|database| scan.newest_page(&mut self.log(database), query, limit))
    }

    fn conversations(&self, query: &ConversationQuery) -> Result<ConversationPage, StoreError> {
        let scans = {
            let index = lock(&self.index);
            let scan = |query| Scan::new(&index, query, Direction::Reverse);
            query.timelines.iter().map(scan).collect::<Result<Vec<_>, _>>()?
        };
        self.readers.read(|database| conversations::read(&mut self.log(database), query, scans))
    }

    fn low_watermark(&self, query: &TimelineQuery) -> Result<Seq, StoreError> {
        self.readers.read(|database| low_watermark::of_query(database, query))
    }

    fn sweep(&self, sweep: &mut Sweep) -> Result<Swept, StoreError> {
        sweep.step(self)
    }

    fn check_place(&self) -> Result<(), StoreError> {
        self.directory.check_place()
    }

    fn close(&self) -> Result<(), StoreError> {
        let mut writer = lock(&self.writer);
        if writer.is_read_only() {
            return Ok(());
        }
        writer.connection()?;
        let mut after = None;
        loop {
            let Some((plan, last)) = lock(&self.index).plan_closing(after) else { break };
            self.flush(&mut writer, &plan)?;
            after = last;
        }
        self.checkpoint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Destination, StoredMessage};
    use crate::id::UserId;
    use crate::store::testing::{direct_query, open_tiny, sent};
    use std::collections::VecDeque;
    use std::thread;

    fn to(user: u64) -> Destination {
        Destination::User(UserId(user))
    }

    fn set_max_pages(store: &SqliteStore, pages: u64) {
        let writer = lock(&store.writer);
        writer.connection().unwrap().pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    }

    #[test]
    fn after_a_full_disk_the_batch_is_rolled_back_and_the_next_is_stored() {
        let directory = tempfile::tempdir().unwrap();
        let store = open_tiny(directory.path());
        store.commit(&[sent(1, 1, to(2), "before")]).unwrap();
        set_max_pages(&store, 1);
        let large = "x".repeat(100_000);
        let refused = store.commit(&[sent(2, 1, to(2), "small"), sent(3, 1, to(2), &large)]);
        assert!(matches!(refused, Err(CommitError::RolledBack(_))), "{refused:?}");
        assert_eq!(store.page(&direct_query(2, 0), 10).unwrap().upto, Seq(1));
        set_max_pages(&store, 1_000_000);
        store.commit(&[sent(2, 1, to(2), "after")]).unwrap();
        assert_eq!(store.page(&direct_query(2, 0), 10).unwrap().messages.len(), 2);
    }

    #[test]
    fn the_flush_of_a_rolled_back_batch_is_made_with_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let store = open_tiny(directory.path());
        let large = "x".repeat(100_000);
        let receiver = |seq| 2 + (seq % 5);
        for seq in 1..=100 {
            set_max_pages(&store, 1);
            let refused = store.commit(&[sent(seq, 1, to(receiver(seq)), ""), sent(seq + 1, 1, to(2), &large)]);
            assert!(matches!(refused, Err(CommitError::RolledBack(_))), "{refused:?}");
            set_max_pages(&store, 1_000_000);
            store.commit(&[sent(seq, 1, to(receiver(seq)), "")]).unwrap();
        }
        for user in 2..7 {
            let messages = store.page(&direct_query(user, 0), 1_000).unwrap().messages;
            assert!(messages.iter().map(|message| message.seq.0).eq((1..=100).filter(|seq| receiver(*seq) == user)));
        }
    }

    #[test]
    fn entries_in_runs_are_found_after_a_kill_at_any_time() {
        for messages in 1..=40 {
            let directory = tempfile::tempdir().unwrap();
            let store = open_tiny(directory.path());
            (1..=messages).for_each(|seq| store.commit(&[sent(seq, 1, to(2 + (seq % 5)), "")]).unwrap());
            drop(store);
            let store = open_tiny(directory.path());
            for after in 0..messages {
                let page = store.page(&direct_query(2, after), 100).unwrap().messages;
                let seqs = page.iter().map(|message| message.seq.0);
                assert!(seqs.eq((after + 1..=messages).filter(|seq| seq % 5 == 0)), "{messages} {after}");
            }
        }
    }

    #[test]
    fn flushes_between_the_two_steps_of_a_scan_hide_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let store = open_tiny(directory.path());
        let view = direct_query(2, 0);
        let mut scans = VecDeque::new();
        for seq in 1..=250_u64 {
            store.commit(&[sent(seq, 1, to(2 + (seq % 5)), "")]).unwrap();
            let index = lock(&store.index);
            let scan = |direction| Scan::new(&index, &view, direction).unwrap();
            scans.push_back((seq, scan(Direction::Forward), scan(Direction::Reverse)));
            drop(index);
            if scans.len() < 40 {
                continue;
            }
            // As if so many batches were committed between the two steps of a scan.
            for lag in [0, 3, 7, 12, 20, 33] {
                let Some((head, forward, reverse)) = scans.remove(lag).filter(|_| seq % 7 == 0) else { continue };
                let expected: Vec<_> = (1..=head).filter(|seq| seq % 5 == 0).collect();
                let seqs =
                    |messages: Vec<StoredMessage>| messages.iter().map(|message| message.seq.0).collect::<Vec<_>>();
                let page = store.readers.read(|database| forward.page(&mut store.log(database), &view, 1_000)).unwrap();
                assert_eq!(seqs(page.messages), expected, "forward, {head} read at {seq}");
                let page =
                    store.readers.read(|database| reverse.newest_page(&mut store.log(database), &view, 1_000)).unwrap();
                assert_eq!(seqs(page.messages), expected, "reverse, {head} read at {seq}");
            }
        }
    }

    #[test]
    fn a_batch_that_does_not_follow_the_log_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let store = open_tiny(directory.path());
        store.commit(&[sent(1, 1, to(2), "")]).unwrap();
        for batch in [vec![1], vec![3], vec![2, 4]] {
            let batch: Vec<_> = batch.into_iter().map(|seq| sent(seq, 1, to(2), "")).collect();
            let refused = store.commit(&batch);
            assert!(matches!(refused, Err(CommitError::RolledBack(StoreError::OutOfOrder { .. }))), "{refused:?}");
        }
        assert_eq!(store.load().unwrap().head, Seq(1));
    }

    #[test]
    fn a_concurrent_reader_misses_nothing_while_entries_are_flushed_and_split() {
        const MESSAGES: u64 = 1_500;
        // With one receiver the entries fill chunks, with five they go to runs.
        for users in [1, 5] {
            let directory = tempfile::tempdir().unwrap();
            let store = open_tiny(directory.path());
            let receiver = |seq| to(2 + (seq % users));
            let seqs = |messages: Vec<StoredMessage>| messages.into_iter().map(|message| message.seq.0).collect();
            let received = |after, upto| (after + 1..=upto).filter(|seq| seq % users == 0).collect::<Vec<_>>();
            thread::scope(|scope| {
                scope
                    .spawn(|| (1..=MESSAGES).for_each(|seq| store.commit(&[sent(seq, 1, receiver(seq), "")]).unwrap()));
                let mut head = 0;
                while head < MESSAGES {
                    let after = head.saturating_sub(10 * users);
                    let page = store.page(&direct_query(2, after), 1_000).unwrap();
                    head = page.upto.0;
                    assert_eq!(Vec::<u64>::from_iter(seqs(page.messages)), received(after, head));
                    let mut view = direct_query(2, after);
                    view.spans[0].upto = Seq(head + 100);
                    let NewestPage { messages, before } = store.newest_page(&view, 1_000).unwrap();
                    // The writer may be more than a page ahead.
                    let from = before.map_or(after, |before| before.0 - 1);
                    let newest: Vec<u64> = seqs(messages);
                    assert_eq!(newest, received(from, newest.last().copied().unwrap_or(head).max(head)));
                }
            });
        }
    }
}
