//! The timeline index: which log entries stand in which timeline. The newest entries are here, in memory, the older
//! ones in chunks in the database; together they are all, at any moment.
//!
//! Entries come here once they are durable, and leave in the transaction that writes them to chunks, a timeline's all
//! together, so that the memory holds what is newer than the timeline's newest chunk and nothing else.

use std::collections::VecDeque;

use hashbrown::HashMap;
use rusqlite::Connection;

use crate::chat::{Entry, Event, Record, Span, Timeline};
use crate::id::Seq;
use crate::limits::{CHUNK_ENTRIES, CHUNKS_PER_CLOSING, CHUNKS_PER_COMMIT, INDEX_WINDOW, MARK_STEP, PAGE_ENTRIES};
use crate::store::{StoreError, chunk, load, record, removed};

/// The limits that the index works by, apart so that tests can have small ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tuning {
    pub(super) chunk_entries: usize,
    pub(super) window: u64,
    pub(super) chunks_per_commit: usize,
    pub(super) chunks_per_closing: usize,
    pub(super) mark_step: u64,
    pub(super) page_entries: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            chunk_entries: CHUNK_ENTRIES,
            window: INDEX_WINDOW,
            chunks_per_commit: CHUNKS_PER_COMMIT,
            chunks_per_closing: CHUNKS_PER_CLOSING,
            mark_step: MARK_STEP,
            page_entries: PAGE_ENTRIES,
        }
    }
}

/// The index's part in memory.
pub(super) struct Index {
    tuning: Tuning,
    /// The newest durable log entry.
    head: Seq,
    /// The high-water mark as it is stored: all that the log holds up to it is in chunks.
    mark: Seq,
    /// Each timeline's entries after its newest chunk; no timeline without any.
    recent: HashMap<Timeline, Vec<Entry>>,
    /// The timelines by their oldest entry in memory. Those that left before it was their turn are passed over.
    oldest: VecDeque<(Seq, Timeline)>,
    /// Timelines with enough entries for a chunk.
    full: Vec<Timeline>,
}

/// What a transaction is to write of the index.
#[derive(Debug)]
pub(super) struct Plan {
    /// Timelines with all their entries in memory, and how many of them go into a chunk.
    timelines: Vec<(Timeline, Vec<Entry>)>,
    chunk_entries: usize,
    /// The new high-water mark, where it is to move.
    pub(super) mark: Option<Seq>,
    /// How many of `oldest` are done with.
    passed: usize,
}

impl Plan {
    /// The chunks to write.
    pub(super) fn chunks(&self) -> impl Iterator<Item = (Timeline, &[Entry])> {
        self.timelines
            .iter()
            .flat_map(|(timeline, entries)| entries.chunks(self.chunk_entries).map(|chunk| (*timeline, chunk)))
    }
}

impl Index {
    /// Reads again what stands in no chunk: the log after the mark.
    pub(super) fn open(database: &Connection, tuning: Tuning) -> Result<Self, StoreError> {
        let (head, _) = load::head(database)?;
        let mark = Seq(database.query_row("SELECT upto FROM indexed", [], |row| row.get(0))?);
        let mut index = Self { tuning, head, mark, recent: HashMap::new(), oldest: VecDeque::new(), full: Vec::new() };
        index.read_log(database)?;
        Ok(index)
    }

    fn read_log(&mut self, database: &Connection) -> Result<(), StoreError> {
        let mut chunked = HashMap::new();
        let mut statement =
            database.prepare("SELECT seq, event FROM log WHERE seq > ?1 AND body IS NOT NULL ORDER BY seq")?;
        let mut rows = statement.query([self.mark.0])?;
        while let Some(row) = rows.next()? {
            let seq = Seq(row.get(0)?);
            let Event::MessageSent(message) =
                record::decode(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?
            else {
                continue;
            };
            for (timeline, entry) in message.placements(seq) {
                let upto = match chunked.get(&timeline) {
                    Some(upto) => *upto,
                    None => {
                        let newest = chunk::newest(database, timeline)?.max(removed::upto(database, timeline)?);
                        *chunked.entry(timeline).or_insert(newest)
                    }
                };
                if seq > upto {
                    self.insert(timeline, entry);
                }
            }
        }
        Ok(())
    }

    pub(super) fn head(&self) -> Seq {
        self.head
    }

    pub(super) fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    /// What memory has of a span, and up to where the table has it.
    pub(super) fn recent(&self, span: &Span) -> (Vec<Entry>, Seq) {
        let Some(entries) = self.recent.get(&span.timeline) else { return (Vec::new(), span.upto) };
        let stored_upto = entries.first().map_or(span.upto, |first| span.upto.min(Seq(first.seq.0 - 1)));
        let in_span = |entry: &&Entry| span.after < entry.seq && entry.seq <= span.upto;
        (entries.iter().filter(in_span).copied().collect(), stored_upto)
    }

    /// How many entries of a timeline are in memory.
    pub(super) fn entries_of(&self, timeline: Timeline) -> usize {
        self.recent.get(&timeline).map_or(0, Vec::len)
    }

    /// The newest entry of each timeline that has entries in memory.
    pub(super) fn newest(&self) -> impl Iterator<Item = (Timeline, Seq)> {
        self.recent.iter().filter_map(|(timeline, entries)| Some((*timeline, entries.last()?.seq)))
    }

    /// What the transaction of a batch of that many records is to write: the full timelines, and those that the head
    /// leaves too far behind. The room grows with the batch, which adds two entries a record at the most: so the memory
    /// never falls further behind.
    pub(super) fn plan(&self, records: usize) -> Plan {
        let head = self.head.0.saturating_add(records as u64);
        let room = self.tuning.chunks_per_commit + 2 * records;
        self.gather(Seq(head.saturating_sub(self.tuning.window)), room, self.tuning.mark_step)
    }

    /// What the next transaction of a closing store is to write; none when all is written.
    pub(super) fn plan_closing(&self) -> Option<Plan> {
        let plan = self.gather(self.head, self.tuning.chunks_per_closing, 1);
        (!plan.timelines.is_empty() || plan.mark.is_some()).then_some(plan)
    }

    /// What the next transaction is to write so that chunks hold every entry up to `upto`, and all entries of timelines
    /// with more than `most` in memory; none when they do.
    pub(super) fn plan_sweep(&self, upto: Seq, most: usize) -> Option<Plan> {
        let old = self.gather(upto.min(self.head), self.tuning.chunks_per_commit, 1);
        if !old.timelines.is_empty() {
            return Some(old);
        }
        // A timeline that fills a chunk leaves with the next commit anyway: longer ones need not be looked for.
        if most >= self.tuning.chunk_entries {
            return None;
        }
        let long = self.recent.iter().filter(|(_, entries)| entries.len() > most).take(self.tuning.chunks_per_commit);
        let timelines: Vec<_> = long.map(|(timeline, entries)| (*timeline, entries.clone())).collect();
        let plan = Plan { timelines, chunk_entries: self.tuning.chunk_entries, mark: None, passed: 0 };
        (!plan.timelines.is_empty()).then_some(plan)
    }

    fn gather(&self, upto: Seq, room: usize, mark_step: u64) -> Plan {
        let entries = |timeline: &Timeline| Some((*timeline, self.recent.get(timeline)?.clone()));
        let mut timelines: Vec<_> = self.full.iter().filter_map(entries).collect();
        let room = timelines.len() + room;
        let mut chunked = self.head;
        let mut passed = 0;
        for &(first, timeline) in &self.oldest {
            if let Some(waiting) = self.waiting(first, timeline) {
                if first > upto || timelines.len() >= room {
                    chunked = Seq(first.0.saturating_sub(1));
                    break;
                }
                timelines.push((timeline, waiting.clone()));
            }
            passed += 1;
        }
        let mark = (chunked.0 >= self.mark.0.saturating_add(mark_step)).then_some(chunked);
        Plan { timelines, chunk_entries: self.tuning.chunk_entries, mark, passed }
    }

    /// The entries of a timeline that begins there and is not full, which goes to chunks anyway.
    fn waiting(&self, first: Seq, timeline: Timeline) -> Option<&Vec<Entry>> {
        let entries = self.recent.get(&timeline)?;
        let begins_there = entries.first().is_some_and(|entry| entry.seq == first);
        (begins_there && entries.len() < self.tuning.chunk_entries).then_some(entries)
    }

    /// Takes in what a transaction has made durable: a plan of this index, and a batch of records.
    pub(super) fn settle(&mut self, plan: &Plan, batch: &[Record]) {
        for (timeline, _) in &plan.timelines {
            self.recent.remove(timeline);
        }
        self.full.clear();
        self.oldest.drain(..plan.passed);
        self.mark = plan.mark.unwrap_or(self.mark);
        for record in batch {
            self.head = record.seq;
            if let Event::MessageSent(message) = &record.event {
                message.placements(record.seq).for_each(|(timeline, entry)| self.insert(timeline, entry));
            }
        }
    }

    fn insert(&mut self, timeline: Timeline, entry: Entry) {
        let entries = self.recent.entry(timeline).or_default();
        if entries.is_empty() {
            self.oldest.push_back((entry.seq, timeline));
        }
        entries.push(entry);
        if entries.len() == self.tuning.chunk_entries {
            self.full.push(timeline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Destination;
    use crate::id::UserId;
    use crate::store::testing::{TINY, said};
    use std::path::Path;

    fn empty() -> Index {
        let mut database = Connection::open_in_memory().unwrap();
        crate::store::schema::prepare(&mut database, Path::new("here")).unwrap();
        Index::open(&database, TINY).unwrap()
    }

    fn entries(index: &Index) -> usize {
        index.recent.values().map(|entries| entries.len()).sum()
    }

    #[test]
    fn memory_stays_bounded_however_many_timelines_take_turns() {
        let mut index = empty();
        for batch in 0..100 {
            let to_new_timelines = |seq: u64| said(seq, 2 * seq as u32, to(2 * seq as u32 + 1), "");
            let batch: Vec<_> = (10 * batch + 1..=10 * batch + 10).map(to_new_timelines).collect();
            let plan = index.plan(batch.len());
            index.settle(&plan, &batch);
            assert!(entries(&index) <= 2 * (TINY.window as usize + batch.len()));
            assert!(index.oldest.len() <= entries(&index));
            assert!(index.head.0 - index.mark.0 <= TINY.window + batch.len() as u64 + TINY.mark_step);
        }
    }

    #[test]
    fn a_timeline_that_is_full_leaves_at_once_and_is_passed_over_later() {
        let mut index = empty();
        let batch: Vec<_> = (1..=6).map(|seq| said(seq, 7, to(7), "")).collect();
        index.settle(&index.plan(batch.len()), &batch);
        let plan = index.plan(1);
        let chunks: Vec<_> = plan.chunks().map(|(timeline, entries)| (timeline, entries.len())).collect();
        assert_eq!(chunks, [(Timeline::User(UserId(7)), 4), (Timeline::User(UserId(7)), 2)]);
        assert_eq!(plan.mark, Some(Seq(6)));
        index.settle(&plan, &[said(7, 7, to(7), "")]);
        assert_eq!((entries(&index), index.oldest.len()), (1, 1));
    }

    #[test]
    fn closing_moves_everything_in_bounded_steps() {
        let mut index = empty();
        let batch: Vec<_> = (1..=5).map(|seq| said(seq, seq as u32, to(seq as u32), "")).collect();
        index.settle(&index.plan(batch.len()), &batch);
        let mut steps = Vec::new();
        while let Some(plan) = index.plan_closing() {
            steps.push(plan.chunks().count());
            index.settle(&plan, &[]);
        }
        assert_eq!((steps, index.mark, entries(&index)), (vec![2, 2, 1], Seq(5), 0));
    }

    fn to(user: u32) -> Destination {
        Destination::User(UserId(user))
    }
}
