//! Scans: the entries of a query's spans, merged by number, in either direction, as lazily as the page allows.
//!
//! A scan takes what the memtable has before the transaction begins in which it reads the tables. So an entry that is
//! flushed in between is found in memory, or in both, never in neither; and the tables are read only up to the oldest
//! entry in memory, so nothing is found twice.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BinaryHeap, VecDeque};
use std::ops::ControlFlow;

use rusqlite::Connection;

use crate::chat::{Entry, SeqRange, StoredMessage, Timeline, TimelineQuery};
use crate::id::Seq;
use crate::limits::PAGE_BYTES;
use crate::store::error::StoreError;
use crate::store::index::chunk::Direction;
use crate::store::index::partition::Partition;
use crate::store::index::timeline_index::Index;
use crate::store::index::{chunk, runs};
use crate::store::log::reader::LogReader;
use crate::store::page::{NewestPage, Page};

/// A query's spans with what the memtable has of them.
pub(super) struct Scan {
    direction: Direction,
    cursors: Vec<SpanCursor>,
    /// The newest durable entry.
    head: Seq,
    /// Entries that one page may look at.
    page_entries: usize,
}

/// The end of a page.
struct Cut {
    /// The first entry that is not in the page.
    at: Seq,
    /// The page has as many messages or bytes as it may have.
    is_full: bool,
}

impl Scan {
    /// Must be called before the transaction begins in which the tables are read.
    pub(super) fn new(index: &Index, query: &TimelineQuery, direction: Direction) -> Result<Self, StoreError> {
        let head = index.head();
        let durable = query.spans.iter().map(|span| SeqRange { upto: span.upto.min(head), ..*span });
        let cursors = durable
            .filter(|span| span.after < span.upto)
            .map(|span| SpanCursor::new(index, span, direction))
            .collect::<Result<_, _>>()?;
        Ok(Self { direction, cursors, head, page_entries: index.config().page_entries })
    }

    /// Visits the entries of the spans, matching the query's filter or not, until `visit` breaks.
    pub(super) fn walk(
        self,
        database: &Connection,
        mut visit: impl FnMut(Timeline, Entry) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let mut entries = MergeIter::new(self.cursors, self.direction);
        while let Some((timeline, entry)) = entries.next(database)? {
            if visit(timeline, entry)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Reads a page of a forward scan.
    pub(super) fn page(self, log: &mut LogReader<'_>, query: &TimelineQuery, limit: usize) -> Result<Page, StoreError> {
        let head = self.head;
        let (messages, cut) = self.read(log, query, limit)?;
        let upto = match (&cut, messages.last()) {
            (None, _) => head,
            (Some(Cut { is_full: true, .. }), Some(last)) => last.seq,
            (Some(Cut { at, .. }), _) => Seq(at.0 - 1),
        };
        Ok(Page { messages, upto, more: cut.is_some() })
    }

    /// Reads a page of a reverse scan.
    pub(super) fn newest_page(
        self,
        log: &mut LogReader<'_>,
        query: &TimelineQuery,
        limit: usize,
    ) -> Result<NewestPage, StoreError> {
        let (mut messages, cut) = self.read(log, query, limit)?;
        messages.reverse();
        Ok(NewestPage { messages, before: cut.map(|cut| cut.at.next()) })
    }

    fn read(
        self,
        log: &mut LogReader<'_>,
        query: &TimelineQuery,
        limit: usize,
    ) -> Result<(Vec<StoredMessage>, Option<Cut>), StoreError> {
        let database = log.database();
        let mut entries = MergeIter::new(self.cursors, self.direction);
        let (mut messages, mut bytes, mut seen) = (Vec::new(), 0, 0);
        while let Some((timeline, entry)) = entries.next(database)? {
            seen += 1;
            let matches = query.matches_entry(timeline, &entry);
            let is_full = matches && (messages.len() >= limit || bytes >= PAGE_BYTES);
            if is_full || seen > self.page_entries {
                return Ok((messages, Some(Cut { at: entry.seq, is_full })));
            }
            if matches
                && let Some(message) = log.message(timeline, &entry)?
                && (message.body.is_damaged() || query.matches_body(timeline, &entry, &message.body))
            {
                bytes += message.body.size();
                messages.push(message);
            }
        }
        Ok((messages, None))
    }
}

/// The k-way merge of some cursors. An entry of overlapping spans is returned once.
struct MergeIter {
    cursors: Vec<SpanCursor>,
    /// Each cursor's index with a bound of its next entry: a cursor that the page does not get to is never read.
    order: BinaryHeap<(Rank, Reverse<usize>)>,
    last: Option<Seq>,
    direction: Direction,
}

/// Greater for entries that come earlier in the scan.
type Rank = u64;

fn rank(direction: Direction, seq: Seq) -> Rank {
    match direction {
        Direction::Forward => u64::MAX - seq.0,
        Direction::Reverse => seq.0,
    }
}

impl MergeIter {
    fn new(cursors: Vec<SpanCursor>, direction: Direction) -> Self {
        let order =
            cursors.iter().zip(0..).map(|(cursor, at)| (rank(direction, cursor.bound()), Reverse(at))).collect();
        Self { cursors, order, last: None, direction }
    }

    fn next(&mut self, database: &Connection) -> Result<Option<(Timeline, Entry)>, StoreError> {
        while let Some(mut top) = self.order.peek_mut() {
            let (bound, Reverse(at)) = *top;
            let Some(cursor) = self.cursors.get_mut(at) else { break };
            let Some(entry) = cursor.peek(database)? else {
                PeekMut::pop(top);
                continue;
            };
            let rank_of_entry = rank(self.direction, entry.seq);
            if rank_of_entry < bound {
                *top = (rank_of_entry, Reverse(at));
                continue;
            }
            cursor.advance(entry.seq);
            *top = (rank(self.direction, cursor.bound()), Reverse(at));
            if self.last != Some(entry.seq) {
                self.last = Some(entry.seq);
                return Ok(Some((cursor.timeline, entry)));
            }
        }
        Ok(None)
    }
}

/// The parts of the index, in the order of a forward scan.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Chunks,
    Runs,
    Memory,
}

/// The entries of one span that were not returned yet.
struct SpanCursor {
    direction: Direction,
    timeline: Timeline,
    after: Seq,
    upto: Seq,
    /// The part to read next; `None` after the last.
    part: Option<Part>,
    /// The tables are read up to here: memory has the entries after it. 0 if there is nothing more to read in the tables.
    stored_upto: Seq,
    /// The partition whose runs to read.
    runs: Option<Partition>,
    memory: Vec<Entry>,
    /// For a reverse scan: no chunk has entries on both sides of `upto`, so the next chunk is the newest that ends there.
    is_aligned: bool,
    /// The rest of what was read last, ascending.
    buffer: VecDeque<Entry>,
}

impl SpanCursor {
    fn new(index: &Index, span: SeqRange, direction: Direction) -> Result<Self, StoreError> {
        let (memory, stored_upto) = index.in_memory(&span)?;
        let SeqRange { timeline, after, upto } = span;
        let runs = index.runs_of(timeline, after);
        // The entries in memory are newer than all chunks. If there are runs, these may be split before the tables are read,
        // and a chunk may then hold entries of both.
        let is_aligned = !memory.is_empty() && runs.is_none();
        let part = Some(if direction == Direction::Forward { Part::Chunks } else { Part::Memory });
        let buffer = VecDeque::new();
        Ok(Self { direction, timeline, after, upto, part, stored_upto, runs, memory, is_aligned, buffer })
    }

    /// The earliest entry, in scan order, that the cursor may return next.
    fn bound(&self) -> Seq {
        match self.direction {
            Direction::Forward => self.after.next(),
            Direction::Reverse => self.upto,
        }
    }

    /// The next entry, `None` at the end of the span.
    fn peek(&mut self, database: &Connection) -> Result<Option<Entry>, StoreError> {
        while self.buffer.is_empty()
            && let Some(part) = self.part
        {
            self.buffer = self.read(part, database)?.into();
            if part != Part::Chunks || self.buffer.is_empty() {
                self.part = self.part_after(part);
            }
        }
        let next = if self.direction == Direction::Forward { self.buffer.front() } else { self.buffer.back() };
        Ok(next.copied())
    }

    fn part_after(&self, part: Part) -> Option<Part> {
        match (self.direction, part) {
            (Direction::Forward, Part::Chunks) | (Direction::Reverse, Part::Memory) => Some(Part::Runs),
            (Direction::Forward, Part::Runs) => Some(Part::Memory),
            (Direction::Reverse, Part::Runs) => Some(Part::Chunks),
            (Direction::Forward, Part::Memory) | (Direction::Reverse, Part::Chunks) => None,
        }
    }

    /// All entries within the bounds that memory or the runs have, or those of the next chunk; empty if there are none.
    fn read(&mut self, part: Part, database: &Connection) -> Result<Vec<Entry>, StoreError> {
        if part == Part::Memory {
            return Ok(std::mem::take(&mut self.memory));
        }
        let upto = self.upto.min(self.stored_upto);
        if self.after >= upto {
            return Ok(Vec::new());
        }
        let mut entries = match (part, self.runs) {
            (Part::Chunks, _) => self.read_chunk(database, upto)?.unwrap_or_default(),
            (_, Some(partition)) => runs::read(database, partition, self.timeline)?,
            (_, None) => Vec::new(),
        };
        let reaches_past_the_span = match self.direction {
            Direction::Forward => entries.last().is_some_and(|entry| entry.seq > upto),
            Direction::Reverse => entries.first().is_some_and(|entry| entry.seq <= self.after),
        };
        if reaches_past_the_span {
            // Then so does everything that follows in the tables: nothing is left to read there.
            self.stored_upto = Seq(0);
        }
        entries.retain(|entry| self.after < entry.seq && entry.seq <= upto);
        self.is_aligned |= !entries.is_empty();
        Ok(entries)
    }

    fn read_chunk(&self, database: &Connection, upto: Seq) -> Result<Option<Vec<Entry>>, StoreError> {
        match self.direction {
            Direction::Forward => chunk::read_after(database, self.timeline, self.after),
            Direction::Reverse if self.is_aligned => chunk::read_ending_upto(database, self.timeline, upto),
            Direction::Reverse => chunk::read_upto(database, self.timeline, upto),
        }
    }

    /// Moves past the entry that [`SpanCursor::peek`] returned.
    fn advance(&mut self, seq: Seq) {
        match self.direction {
            Direction::Forward => {
                self.buffer.pop_front();
                self.after = seq;
            }
            Direction::Reverse => {
                self.buffer.pop_back();
                self.upto = Seq(seq.0.saturating_sub(1));
            }
        }
    }
}
