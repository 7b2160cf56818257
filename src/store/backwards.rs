//! Reading a view from its end: its spans merged by id, newest first, no further back than the page needs.
//!
//! As in [`pages`](super::pages), what is in memory is taken first, and the tables are read after.

use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use rusqlite::Connection;

use crate::chat::{Entry, SeqRange, Timeline, TimelineQuery};
use crate::id::Seq;
use crate::limits::PAGE_BYTES;
use crate::store::index::Index;
use crate::store::index::partition::Partition;
use crate::store::index::{chunk, runs};
use crate::store::pages::{MESSAGE, durable_spans, read_message};
use crate::store::{NewestPage, StoreError};

/// The spans of a view at one moment of the index.
pub(super) struct Backwards {
    sources: Vec<Source>,
    /// How many entries may be looked at.
    entries: usize,
}

impl Backwards {
    /// To be taken before the transaction begins that the page is read in.
    pub(super) fn of(index: &Index, view: &TimelineQuery) -> Result<Self, StoreError> {
        let sources = durable_spans(index, view).map(|span| Source::new(index, span)).collect::<Result<_, _>>()?;
        Ok(Self { sources, entries: index.tuning().page_entries })
    }

    /// Reads the newest messages that the view shows.
    pub(super) fn page(
        self,
        database: &Connection,
        view: &TimelineQuery,
        limit: usize,
    ) -> Result<NewestPage, StoreError> {
        let mut log = database.prepare_cached(MESSAGE)?;
        let mut merge = Merge::of(self.sources);
        let mut page = NewestPage::default();
        let mut bytes = 0;
        let mut entries = 0;
        while let Some((timeline, entry)) = merge.next(database)? {
            entries += 1;
            let shows = view.matches_entry(timeline, &entry);
            let is_full = shows && (page.messages.len() >= limit || bytes >= PAGE_BYTES);
            if is_full || entries > self.entries {
                page.before = Some(entry.seq.next());
                break;
            }
            if shows
                && let Some(message) = read_message(&mut log, entry.seq)?
                && view.matches_body(timeline, &entry, &message.body)
            {
                bytes += message.body.0.len();
                page.messages.push(message);
            }
        }
        page.messages.reverse();
        Ok(page)
    }
}

/// The entries of all sources, the newest first. The spans of a view have no entry in common.
struct Merge {
    sources: Vec<Source>,
    /// Where each source goes on, at the latest. A source that the page does not come to is never read.
    order: BinaryHeap<(Seq, usize)>,
}

impl Merge {
    fn of(sources: Vec<Source>) -> Self {
        let order = sources.iter().zip(0..).map(|(source, place)| (source.upto, place)).collect();
        Self { sources, order }
    }

    fn next(&mut self, database: &Connection) -> Result<Option<(Timeline, Entry)>, StoreError> {
        while let Some(mut top) = self.order.peek_mut() {
            let (upto, place) = *top;
            let Some(source) = self.sources.get_mut(place) else { break };
            let Some(entry) = source.newest(database)? else {
                PeekMut::pop(top);
                continue;
            };
            if entry.seq < upto {
                *top = (entry.seq, place);
                continue;
            }
            source.pass();
            *top = (source.upto, place);
            return Ok(Some((source.timeline, entry)));
        }
        Ok(None)
    }
}

/// One span: first what memory had of it, then what stands in runs, then its chunks, one by one.
struct Source {
    timeline: Timeline,
    after: Seq,
    /// What is newer was passed.
    upto: Seq,
    /// A part of the entries …
    entries: Vec<Entry>,
    /// … of which so many were not passed.
    left: usize,
    /// Runs that are still to be read.
    runs: Option<Partition>,
    /// No chunk reaches across `upto` once the entries were passed: the next one ends before it.
    aligned: bool,
}

impl Source {
    fn new(index: &Index, span: SeqRange) -> Result<Self, StoreError> {
        let (entries, _) = index.recent(&span)?;
        let (left, runs) = (entries.len(), index.runs_of(span.timeline, span.after));
        // What was in memory was newer than the timeline's newest chunk: if any of it is wanted, no chunk has to be cut. But
        // with runs before it, a chunk that is made before the table is read may have come to hold both.
        let aligned = !entries.is_empty() && runs.is_none();
        let SeqRange { timeline, after, upto } = span;
        Ok(Self { timeline, after, upto, entries, left, runs, aligned })
    }

    /// The newest entry that was not passed.
    fn newest(&mut self, database: &Connection) -> Result<Option<Entry>, StoreError> {
        if self.left == 0 {
            self.entries = self.read(database)?;
            self.left = self.entries.len();
            self.aligned = true;
        }
        let newest = self.left.checked_sub(1).and_then(|place| self.entries.get(place));
        Ok(newest.filter(|entry| entry.seq > self.after).copied())
    }

    fn read(&mut self, database: &Connection) -> Result<Vec<Entry>, StoreError> {
        if self.upto <= self.after {
            return Ok(Vec::new());
        }
        if let Some(partition) = self.runs.take() {
            let mut entries = runs::read(database, partition, self.timeline)?;
            entries.retain(|entry| entry.seq <= self.upto);
            // These are newer than the newest chunk of this moment.
            if !entries.is_empty() {
                return Ok(entries);
            }
        }
        let read = if self.aligned { chunk::read_ended } else { chunk::read_upto };
        Ok(read(database, self.timeline, self.upto)?.unwrap_or_default())
    }

    /// Passes the newest entry.
    fn pass(&mut self) {
        self.left = self.left.saturating_sub(1);
        if let Some(entry) = self.entries.get(self.left) {
            self.upto = Seq(entry.seq.0.saturating_sub(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Destination;
    use crate::id::UserId;
    use crate::store::testing::{TINY, direct_view, open_tiny, said};
    use crate::store::{SqliteStore, Store};

    fn store(texts: impl IntoIterator<Item = String>) -> (tempfile::TempDir, SqliteStore) {
        let directory = tempfile::tempdir().unwrap();
        let store = open_tiny(directory.path());
        let records: Vec<_> =
            texts.into_iter().zip(1..).map(|(text, seq)| said(seq, 1, Destination::User(UserId(2)), &text)).collect();
        records.chunks(3).for_each(|batch| store.commit(batch).unwrap());
        (directory, store)
    }

    /// The newest page of what one user received up to `upto`: its messages, and where the next one ends.
    fn page(store: &SqliteStore, user: u32, upto: u64, limit: usize) -> (Vec<u64>, Option<u64>) {
        let mut view = direct_view(user, 0);
        view.spans[0].upto = Seq(upto);
        let page = store.newest_page(&view, limit).unwrap();
        (page.messages.iter().map(|message| message.seq.0).collect(), page.before.map(|before| before.0))
    }

    #[test]
    fn pages_go_back_through_memory_and_chunks_without_a_seam() {
        let messages = 10 * TINY.window;
        let (_directory, store) = store((0..messages).map(|_| "halo".to_owned()));
        for limit in 1..=messages {
            let first = messages - limit + 1;
            let expected = ((first..=messages).collect::<Vec<_>>(), (first > 1).then_some(first));
            assert_eq!(page(&store, 2, u64::MAX, limit as usize), expected);
            assert_eq!(page(&store, 2, limit, usize::MAX), ((1..=limit).collect(), None));
        }
    }

    #[test]
    fn a_page_ends_once_its_bodies_fill_it() {
        let (_directory, store) = store((0..3).map(|_| "x".repeat(PAGE_BYTES)));
        assert_eq!(page(&store, 2, u64::MAX, 10), (vec![3], Some(3)));
        assert_eq!(page(&store, 2, 1, 10), (vec![1], None));
    }

    #[test]
    fn a_page_looks_at_so_many_entries_and_says_how_far_it_came() {
        let entries = TINY.page_entries as u64;
        let (_directory, store) = store((0..=entries).map(|_| "sent, so not received".to_owned()));
        assert_eq!(page(&store, 1, u64::MAX, 10), (vec![], Some(2)));
        assert_eq!(page(&store, 1, 1, 10), (vec![], None));
    }

    #[test]
    fn a_page_never_reaches_past_its_view() {
        let (_directory, store) = store((0..9).map(|_| "halo".to_owned()));
        let mut view = direct_view(2, 4);
        view.spans[0].upto = Seq(7);
        let page = store.newest_page(&view, 10).unwrap();
        let seqs: Vec<_> = page.messages.iter().map(|message| message.seq.0).collect();
        assert_eq!((seqs, page.before), (vec![5, 6, 7], None));
    }
}
