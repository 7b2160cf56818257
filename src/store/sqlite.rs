//! The embedded store: one SQLite database in one directory.

use std::path::Path;
use std::sync::Mutex;

use rusqlite::Connection;

use crate::chat::{Record, Snapshot, Timeline, TimelineQuery};
use crate::id::Seq;
use crate::store::backwards::Backwards;
use crate::store::checkpoint::Checkpointer;
use crate::store::directory::Directory;
use crate::store::index::partition::Partition;
use crate::store::index::plan::Plan;
use crate::store::index::{Index, Tuning};
use crate::store::pages::Moment;
use crate::store::readers::Readers;
use crate::store::retention::{Sweep, Swept, Workplace};
use crate::store::writer::Writer;
use crate::store::{
    CommitError, Durability, NewestPage, Page, Store, StoreError, connection, links, load, locked, removed, schema,
};

/// The embedded store.
///
/// The writer is locked before the index, and the index never while the disk is waited for: a page waits for no commit.
pub struct SqliteStore {
    writer: Mutex<Writer>,
    index: Mutex<Index>,
    readers: Readers,
    checkpointer: Checkpointer,
    durability: Durability,
    /// The last to go: what is above still writes while it is dropped.
    _directory: Directory,
}

impl SqliteStore {
    /// Opens the store in a directory, which is made where it does not exist.
    ///
    /// # Errors
    /// Where the directory cannot be used, holds something else, is in use by another server, or the store in it was
    /// written by a newer one.
    pub fn open(directory: &Path, durability: Durability) -> Result<Self, StoreError> {
        Self::open_tuned(directory, durability, Tuning::default())
    }

    pub(super) fn open_tuned(path: &Path, durability: Durability, tuning: Tuning) -> Result<Self, StoreError> {
        let directory = Directory::open(path)?;
        let database = directory.database();
        let mut writer = connection::open_writer(&database, durability)?;
        schema::prepare(&mut writer, path)?;
        let checkpointer = Checkpointer::start(connection::open_checkpointer(&database, durability)?)?;
        // What a killed server wrote and did not sync is readable now, and a power cut would still take it back: it is
        // synced before anybody is shown it.
        checkpointer.truncate()?;
        let index = Index::open(&writer, tuning)?;
        let readers = Readers::open(&database)?;
        let writer = Mutex::new(Writer::new(writer));
        Ok(Self { writer, index: Mutex::new(index), readers, checkpointer, durability, _directory: directory })
    }

    /// Does what the index has planned, beside no batch. Between the planning and this nothing else may be written.
    fn make(&self, writer: &mut Writer, plan: &Plan) -> Result<(), StoreError> {
        writer.write(Seq(0), &[], plan).map_err(CommitError::into_cause)?;
        locked(&self.index).settle(plan, &[]);
        Ok(())
    }
}

impl Store for SqliteStore {
    fn load(&self) -> Result<Snapshot, StoreError> {
        // Without commits in between the rows and the index are of one moment.
        let _no_commits = locked(&self.writer);
        let index = locked(&self.index);
        self.readers.read(|moment| {
            let mut snapshot = load::load(moment, index.tuning().partition_timelines, index.newest())?;
            links::enter_queues(moment, &index, &mut snapshot)?;
            Ok(snapshot)
        })
    }

    fn commit(&self, batch: &[Record]) -> Result<(), CommitError> {
        let mut writer = locked(&self.writer);
        let connection = writer.idle().map_err(CommitError::Unknown)?;
        self.checkpointer.keep_short(connection).map_err(|error| CommitError::RolledBack(error.into()))?;
        if self.durability == Durability::Fast {
            let crosses = batch.iter().any(|record| record.event.crosses_realms());
            let needed = if crosses { Durability::Sync } else { Durability::Fast };
            connection::synchronise(connection, needed).map_err(|error| CommitError::RolledBack(error.into()))?;
        }
        let (head, plan) = {
            let index = locked(&self.index);
            (index.head(), index.plan(batch.len()))
        };
        writer.write(head, batch, &plan)?;
        locked(&self.index).settle(&plan, batch);
        Ok(())
    }

    fn page(&self, view: &TimelineQuery, limit: usize) -> Result<Page, StoreError> {
        let index = Moment::of(&locked(&self.index), view)?;
        self.readers.read(|moment| index.page(moment, view, limit))
    }

    fn newest_page(&self, view: &TimelineQuery, limit: usize) -> Result<NewestPage, StoreError> {
        let index = Backwards::of(&locked(&self.index), view)?;
        self.readers.read(|moment| index.page(moment, view, limit))
    }

    fn removed_upto(&self, view: &TimelineQuery) -> Result<Seq, StoreError> {
        self.readers.read(|moment| removed::in_view(moment, view))
    }

    fn sweep(&self, sweep: &mut Sweep) -> Result<Swept, StoreError> {
        sweep.step(self)
    }

    fn close(&self) -> Result<(), StoreError> {
        let mut writer = locked(&self.writer);
        writer.idle()?;
        let mut after = None;
        loop {
            let Some((plan, last)) = locked(&self.index).plan_closing(after) else { break };
            self.make(&mut writer, &plan)?;
            after = last;
        }
        Ok(self.checkpointer.truncate()?)
    }
}

impl Workplace for SqliteStore {
    fn look<T>(&self, look: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.readers.read(|moment| {
            {
                // A moment begins with the first look at it. What it has in the tables is to be in memory no more.
                let _no_commit_under_way = locked(&self.writer);
                load::head(moment)?;
            }
            look(moment)
        })
    }

    fn change(&self, change: impl FnOnce(&Connection) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut writer = locked(&self.writer);
        self.checkpointer.keep_short(writer.idle()?)?;
        writer.change(change).map_err(CommitError::into_cause)
    }

    fn move_to_chunks(&self, upto: Seq, most: usize) -> Result<bool, StoreError> {
        let mut writer = locked(&self.writer);
        self.checkpointer.keep_short(writer.idle()?)?;
        let Some(plan) = locked(&self.index).plan_sweep(upto, most) else { return Ok(false) };
        self.make(&mut writer, &plan)?;
        Ok(true)
    }

    fn deal(&self, after: Option<Partition>, upto: Seq) -> Result<Option<Partition>, StoreError> {
        let mut writer = locked(&self.writer);
        self.checkpointer.keep_short(writer.idle()?)?;
        let Some((plan, partition)) = locked(&self.index).plan_dealing(after, upto) else { return Ok(None) };
        self.make(&mut writer, &plan)?;
        Ok(Some(partition))
    }

    fn entries_in_memory(&self, timeline: Timeline) -> usize {
        locked(&self.index).entries_of(timeline)
    }

    fn give_back(&self, pages: u32) -> Result<bool, StoreError> {
        let free = |database: &Connection| database.query_row("PRAGMA freelist_count", [], |row| row.get::<_, u32>(0));
        let before = free(locked(&self.writer).idle()?)?;
        if before > 0 {
            self.change(|transaction| Ok(transaction.execute_batch(&format!("PRAGMA incremental_vacuum({pages})"))?))?;
        }
        let after = free(locked(&self.writer).idle()?)?;
        // A store that an old server made keeps its free pages, and fills them again.
        let more = 0 < after && after < before;
        if !more {
            self.checkpointer.copy()?;
        }
        Ok(more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Destination, StoredMessage};
    use crate::id::UserId;
    use crate::store::testing::{direct_view, open_tiny, said};
    use std::collections::VecDeque;
    use std::thread;

    fn to(user: u32) -> Destination {
        Destination::User(UserId(user))
    }

    fn set_max_pages(store: &SqliteStore, pages: u32) {
        let writer = locked(&store.writer);
        writer.idle().unwrap().pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    }

    #[test]
    fn a_full_disk_rolls_back_and_what_comes_when_there_is_room_is_stored() {
        let directory = tempfile::tempdir().unwrap();
        let store = open_tiny(directory.path());
        store.commit(&[said(1, 1, to(2), "before")]).unwrap();
        set_max_pages(&store, 1);
        let large = "x".repeat(100_000);
        let refused = store.commit(&[said(2, 1, to(2), "small"), said(3, 1, to(2), &large)]);
        assert!(matches!(refused, Err(CommitError::RolledBack(_))), "{refused:?}");
        assert_eq!(store.page(&direct_view(2, 0), 10).unwrap().upto, Seq(1));
        set_max_pages(&store, 1_000_000);
        store.commit(&[said(2, 1, to(2), "after")]).unwrap();
        assert_eq!(store.page(&direct_view(2, 0), 10).unwrap().messages.len(), 2);
    }

    #[test]
    fn what_was_planned_for_a_batch_that_was_rolled_back_is_done_with_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let store = open_tiny(directory.path());
        let large = "x".repeat(100_000);
        let receiver = |seq| 2 + (seq % 5) as u32;
        for seq in 1..=100 {
            set_max_pages(&store, 1);
            let refused = store.commit(&[said(seq, 1, to(receiver(seq)), ""), said(seq + 1, 1, to(2), &large)]);
            assert!(matches!(refused, Err(CommitError::RolledBack(_))), "{refused:?}");
            set_max_pages(&store, 1_000_000);
            store.commit(&[said(seq, 1, to(receiver(seq)), "")]).unwrap();
        }
        for user in 2..7 {
            let messages = store.page(&direct_view(user, 0), 1_000).unwrap().messages;
            assert!(messages.iter().map(|message| message.seq.0).eq((1..=100).filter(|seq| receiver(*seq) == user)));
        }
    }

    #[test]
    fn a_store_that_was_killed_at_any_time_shows_what_stands_in_runs_after_any_place() {
        for messages in 1..=40 {
            let directory = tempfile::tempdir().unwrap();
            let store = open_tiny(directory.path());
            (1..=messages).for_each(|seq| store.commit(&[said(seq, 1, to(2 + (seq % 5) as u32), "")]).unwrap());
            drop(store);
            let store = open_tiny(directory.path());
            for after in 0..messages {
                let page = store.page(&direct_view(2, after), 100).unwrap().messages;
                let seqs = page.iter().map(|message| message.seq.0);
                assert!(seqs.eq((after + 1..=messages).filter(|seq| seq % 5 == 0)), "{messages} {after}");
            }
        }
    }

    #[test]
    fn what_is_written_between_the_two_looks_of_a_reader_hides_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let store = open_tiny(directory.path());
        let view = direct_view(2, 0);
        let mut looks = VecDeque::new();
        for seq in 1..=250_u64 {
            store.commit(&[said(seq, 1, to(2 + (seq % 5) as u32), "")]).unwrap();
            let index = locked(&store.index);
            looks.push_back((seq, Moment::of(&index, &view).unwrap(), Backwards::of(&index, &view).unwrap()));
            drop(index);
            if looks.len() < 40 {
                continue;
            }
            // As if so many batches were committed meanwhile.
            for lag in [0, 3, 7, 12, 20, 33] {
                let Some((head, forward, backward)) = looks.remove(lag).filter(|_| seq % 7 == 0) else { continue };
                let expected: Vec<_> = (1..=head).filter(|seq| seq % 5 == 0).collect();
                let seqs =
                    |messages: Vec<StoredMessage>| messages.iter().map(|message| message.seq.0).collect::<Vec<_>>();
                let page = store.readers.read(|moment| forward.page(moment, &view, 1_000)).unwrap();
                assert_eq!(seqs(page.messages), expected, "forward, {head} read at {seq}");
                let page = store.readers.read(|moment| backward.page(moment, &view, 1_000)).unwrap();
                assert_eq!(seqs(page.messages), expected, "backward, {head} read at {seq}");
            }
        }
    }

    #[test]
    fn a_batch_that_does_not_follow_the_log_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let store = open_tiny(directory.path());
        store.commit(&[said(1, 1, to(2), "")]).unwrap();
        for batch in [vec![1], vec![3], vec![2, 4]] {
            let batch: Vec<_> = batch.into_iter().map(|seq| said(seq, 1, to(2), "")).collect();
            let refused = store.commit(&batch);
            assert!(matches!(refused, Err(CommitError::RolledBack(StoreError::OutOfOrder { .. }))), "{refused:?}");
        }
        assert_eq!(store.load().unwrap().head, Seq(1));
    }

    #[test]
    fn a_reader_misses_nothing_while_entries_move_from_memory_to_runs_and_on_to_chunks() {
        const MESSAGES: u64 = 1_500;
        // What comes to each of so few fills chunks; of so many, runs.
        for users in [1, 5] {
            let directory = tempfile::tempdir().unwrap();
            let store = open_tiny(directory.path());
            let receiver = |seq| to(2 + (seq % users) as u32);
            let seqs = |messages: Vec<StoredMessage>| messages.into_iter().map(|message| message.seq.0).collect();
            let received = |after, upto| (after + 1..=upto).filter(|seq| seq % users == 0).collect::<Vec<_>>();
            thread::scope(|scope| {
                scope
                    .spawn(|| (1..=MESSAGES).for_each(|seq| store.commit(&[said(seq, 1, receiver(seq), "")]).unwrap()));
                let mut head = 0;
                while head < MESSAGES {
                    let after = head.saturating_sub(10 * users);
                    let page = store.page(&direct_view(2, after), 1_000).unwrap();
                    head = page.upto.0;
                    assert_eq!(Vec::<u64>::from_iter(seqs(page.messages)), received(after, head));
                    let mut view = direct_view(2, after);
                    view.spans[0].upto = Seq(head + 100);
                    let newest: Vec<u64> = seqs(store.newest_page(&view, 1_000).unwrap().messages);
                    assert_eq!(newest, received(after, newest.last().copied().unwrap_or(head).max(head)));
                }
            });
        }
    }
}
