//! Reading a view: its spans merged by id, oldest first, no further than the page needs.
//!
//! What is in memory is taken first and the tables are read after: an entry that is written meanwhile is then seen in
//! memory, or in both, and never in neither. What memory has of a timeline is not taken from the tables, so never twice.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use bytes::Bytes;
use rusqlite::{CachedStatement, Connection, OptionalExtension};

use crate::chat::{Entry, MessageBody, SeqRange, StoredMessage, Timeline, TimelineQuery};
use crate::id::Seq;
use crate::limits::PAGE_BYTES;
use crate::store::index::Index;
use crate::store::index::partition::Partition;
use crate::store::index::{chunk, runs};
use crate::store::{Page, StoreError};
use crate::time::Time;

/// What [`read_message`] runs.
pub(super) const MESSAGE: &str = "SELECT time, body FROM log WHERE seq = ?1";

/// The spans of a view at one moment of the index.
pub(super) struct Moment {
    sources: Vec<Source>,
    /// The newest durable entry.
    end: Seq,
    /// How many entries may be looked at.
    entries: usize,
}

impl Moment {
    /// To be taken before the transaction begins that the page is read in.
    pub(super) fn of(index: &Index, view: &TimelineQuery) -> Result<Self, StoreError> {
        let sources = durable_spans(index, view).map(|span| Source::new(index, span)).collect::<Result<_, _>>()?;
        Ok(Self { sources, end: index.head(), entries: index.tuning().page_entries })
    }

    /// Calls `see` with every entry, oldest first, whatever a view would show.
    pub(super) fn entries(
        self,
        database: &Connection,
        mut see: impl FnMut(Entry) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut merge = Merge::of(self.sources);
        while let Some((_, entry)) = merge.next(database)? {
            see(entry)?;
        }
        Ok(())
    }

    /// Reads the oldest messages that the view shows.
    pub(super) fn page(self, database: &Connection, view: &TimelineQuery, limit: usize) -> Result<Page, StoreError> {
        let mut log = database.prepare_cached(MESSAGE)?;
        let mut merge = Merge::of(self.sources);
        let mut page = Page { upto: self.end, ..Page::default() };
        let mut bytes = 0;
        let mut entries = 0;
        while let Some((timeline, entry)) = merge.next(database)? {
            entries += 1;
            if entries > self.entries {
                return Ok(Page { upto: Seq(entry.seq.0 - 1), more: true, ..page });
            }
            if !view.matches_entry(timeline, &entry) {
                continue;
            }
            if page.messages.len() >= limit || bytes >= PAGE_BYTES {
                let upto = page.messages.last().map_or(Seq(entry.seq.0 - 1), |message| message.seq);
                return Ok(Page { upto, more: true, ..page });
            }
            let Some(message) = read_message(&mut log, entry.seq)? else { continue };
            if !view.matches_body(timeline, &entry, &message.body) {
                continue;
            }
            bytes += message.body.0.len();
            page.messages.push(message);
        }
        Ok(page)
    }
}

/// What of a view's spans is durable.
pub(super) fn durable_spans(index: &Index, view: &TimelineQuery) -> impl Iterator<Item = SeqRange> {
    let head = index.head();
    let durable = view.spans.iter().map(move |span| SeqRange { upto: span.upto.min(head), ..*span });
    durable.filter(|span| span.after < span.upto)
}

/// None where retention took the message between the look at the memory and the one at the table.
pub(super) fn read_message(log: &mut CachedStatement<'_>, seq: Seq) -> Result<Option<StoredMessage>, StoreError> {
    let message = log.query_row([seq.0], |row| {
        let body = MessageBody(Bytes::copy_from_slice(row.get_ref(1)?.as_bytes()?));
        Ok(StoredMessage { seq, time: Time(row.get(0)?), body })
    });
    Ok(message.optional()?)
}

/// The entries of all sources by their numbers, each number once.
struct Merge {
    sources: Vec<Source>,
    /// Where each source goes on, at the earliest. A source that the page does not come to is never read.
    order: BinaryHeap<Reverse<(Seq, usize)>>,
    last: Seq,
}

impl Merge {
    fn of(sources: Vec<Source>) -> Self {
        let order = sources.iter().zip(0..).map(|(source, place)| Reverse((source.after.next(), place))).collect();
        Self { sources, order, last: Seq(0) }
    }

    fn next(&mut self, database: &Connection) -> Result<Option<(Timeline, Entry)>, StoreError> {
        while let Some(mut top) = self.order.peek_mut() {
            let Reverse((from, place)) = *top;
            let Some(source) = self.sources.get_mut(place) else { break };
            let Some(entry) = source.first_from(database, from)? else {
                PeekMut::pop(top);
                continue;
            };
            if entry.seq > from {
                *top = Reverse((entry.seq, place));
                continue;
            }
            *top = Reverse((entry.seq.next(), place));
            if entry.seq > self.last {
                self.last = entry.seq;
                return Ok(Some((source.timeline, entry)));
            }
        }
        Ok(None)
    }
}

/// One span: first its chunks, one by one, then what stands in runs, then what memory had.
struct Source {
    timeline: Timeline,
    after: Seq,
    /// The tables are read up to here: memory has what follows.
    stored_upto: Seq,
    chunks_left: bool,
    /// Runs that are still to be read.
    runs: Option<Partition>,
    recent: Vec<Entry>,
    /// A part of the span's entries …
    entries: Vec<Entry>,
    /// … and where it goes on.
    next: usize,
}

impl Source {
    fn new(index: &Index, span: SeqRange) -> Result<Self, StoreError> {
        let (recent, stored_upto) = index.recent(&span)?;
        let SeqRange { timeline, after, .. } = span;
        let runs = index.runs_of(timeline, after);
        Ok(Self { timeline, after, stored_upto, chunks_left: true, runs, recent, entries: Vec::new(), next: 0 })
    }

    /// The first entry at `from` or after it. `from` never goes back.
    fn first_from(&mut self, database: &Connection, from: Seq) -> Result<Option<Entry>, StoreError> {
        loop {
            while let Some(entry) = self.entries.get(self.next) {
                if entry.seq >= from {
                    return Ok(Some(*entry));
                }
                self.next += 1;
            }
            let entries = self.more(database, from)?;
            if entries.is_empty() {
                return Ok(None);
            }
            self.next = entries.partition_point(|entry| entry.seq < from);
            self.entries = entries;
        }
    }

    /// The next part of the span's entries, empty after the last.
    fn more(&mut self, database: &Connection, from: Seq) -> Result<Vec<Entry>, StoreError> {
        let is_stored = |entry: &Entry| from <= entry.seq && entry.seq <= self.stored_upto;
        if self.chunks_left && from <= self.stored_upto {
            let chunk = chunk::read_after(database, self.timeline, Seq(from.0 - 1))?.unwrap_or_default();
            let stored: Vec<_> = chunk.into_iter().filter(is_stored).collect();
            if !stored.is_empty() {
                return Ok(stored);
            }
        }
        self.chunks_left = false;
        if let Some(partition) = self.runs.take()
            && from <= self.stored_upto
        {
            let stored: Vec<_> =
                runs::read(database, partition, self.timeline)?.into_iter().filter(is_stored).collect();
            if !stored.is_empty() {
                return Ok(stored);
            }
        }
        Ok(std::mem::take(&mut self.recent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Destination;
    use crate::id::UserId;
    use crate::store::testing::{TINY, direct_view, open_tiny, said};
    use crate::store::{SqliteStore, Store};

    fn store(messages: impl IntoIterator<Item = (u32, u32, String)>) -> (tempfile::TempDir, SqliteStore) {
        let directory = tempfile::tempdir().unwrap();
        let store = open_tiny(directory.path());
        let said =
            |((from, to, msg), seq): ((u32, u32, String), u64)| said(seq, from, Destination::User(UserId(to)), &msg);
        let records: Vec<_> = messages.into_iter().zip(1..).map(said).collect();
        records.chunks(3).for_each(|batch| store.commit(batch).unwrap());
        (directory, store)
    }

    fn seqs(page: &Page) -> Vec<u64> {
        page.messages.iter().map(|message| message.seq.0).collect()
    }

    #[test]
    fn a_page_ends_once_its_bodies_fill_it_and_goes_on_with_the_next() {
        let (_directory, store) = store((0..3).map(|_| (1, 2, "x".repeat(PAGE_BYTES))));
        let page = store.page(&direct_view(2, 0), 10).unwrap();
        assert_eq!((seqs(&page), page.upto, page.more), (vec![1], Seq(1), true));
        let page = store.page(&direct_view(2, 2), 10).unwrap();
        assert_eq!((seqs(&page), page.upto, page.more), (vec![3], Seq(3), false));
    }

    #[test]
    fn a_page_looks_at_so_many_entries_and_says_how_far_it_came() {
        let entries = TINY.page_entries as u64;
        let (_directory, store) = store((0..=entries).map(|_| (1, 2, "sent, so not received".to_owned())));
        let page = store.page(&direct_view(1, 0), 10).unwrap();
        assert_eq!((seqs(&page), page.upto, page.more), (vec![], Seq(entries), true));
        let page = store.page(&direct_view(1, entries), 10).unwrap();
        assert_eq!((seqs(&page), page.upto, page.more), (vec![], Seq(entries + 1), false));
    }

    #[test]
    fn a_page_never_reaches_past_its_view() {
        let (_directory, store) = store((0..9).map(|_| (1, 2, "halo".to_owned())));
        let mut view = direct_view(2, 1);
        view.spans[0].upto = Seq(4);
        let page = store.page(&view, 10).unwrap();
        assert_eq!((seqs(&page), page.upto, page.more), (vec![2, 3, 4], Seq(9), false));
        view.spans[0].after = Seq(u64::MAX);
        let page = store.page(&view, 10).unwrap();
        assert_eq!((seqs(&page), page.upto, page.more), (vec![], Seq(9), false));
    }

    #[test]
    fn a_message_comes_back_as_it_was_committed() {
        let (_directory, store) = store([(1, 2, "gól!".to_owned())]);
        let page = store.page(&direct_view(2, 0), 1).unwrap();
        let object = page.messages[0].body.object(Seq(1), page.messages[0].time);
        assert!(String::from_utf8(object).unwrap().contains("\"msg\":\"g\\u00f3l!\""));
        assert_eq!(page.messages[0].time, Time(1_000));
    }
}
