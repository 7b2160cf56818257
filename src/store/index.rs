//! The timeline index: which log entries stand in which timeline. The newest entries are here, in memory, the older
//! ones in chunks in the database; together they are all, at any moment.
//!
//! Entries come here once they are durable, and leave in the transaction that writes them to chunks, a timeline's all
//! together, so that the memory holds what is newer than the timeline's newest chunk and nothing else.
//!
//! The timelines take turns to leave, in the order of the table, each once in a round: what is written one after the
//! other stands in the same pages, which cost more than the rows. One whose entries all came in the round itself waits
//! for the next, and leaves with more of them.

use hashbrown::HashMap;
use rusqlite::Connection;

use crate::chat::{Entry, Event, Record, Span, Timeline};
use crate::id::Seq;
use crate::limits::{CHUNK_ENTRIES, CHUNKS_PER_CLOSING, CHUNKS_PER_COMMIT, INDEX_WINDOW, MAX_USERS, PAGE_ENTRIES};
use crate::store::packed::{Packed, unpack};
use crate::store::tails::Tails;
use crate::store::{StoreError, chunk, load, record, removed};

/// The limits that the index works by, apart so that tests can have small ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tuning {
    pub(super) chunk_entries: usize,
    pub(super) window: u64,
    pub(super) chunks_per_commit: usize,
    pub(super) chunks_per_closing: usize,
    pub(super) page_entries: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            chunk_entries: CHUNK_ENTRIES,
            window: INDEX_WINDOW,
            chunks_per_commit: CHUNKS_PER_COMMIT,
            chunks_per_closing: CHUNKS_PER_CLOSING,
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
    /// Each timeline's entries after its newest chunk.
    tails: Tails,
    round: Round,
    /// Timelines with enough entries for a chunk: they do not wait for their turn.
    full: Vec<Timeline>,
}

/// The round that is under way.
#[derive(Default)]
struct Round {
    /// The newest entry when it began. At its end chunks hold everything up to there.
    began: Seq,
    /// The timeline whose turn was last.
    after: Option<Timeline>,
    /// How many timelines with entries still have their turn before them.
    left: usize,
}

/// What a transaction is to write of the index.
#[derive(Debug)]
pub(super) struct Plan {
    /// The chunks to write: all entries in memory of some timelines.
    pub(super) chunks: Vec<(Timeline, Packed)>,
    /// The new high-water mark, where it is to move: the round is over then.
    pub(super) mark: Option<Seq>,
    /// How many timelines had their turn …
    turns: usize,
    /// … and which was the last.
    after: Option<Timeline>,
}

impl Index {
    /// Reads again what stands in no chunk: the log after the mark.
    pub(super) fn open(database: &Connection, tuning: Tuning) -> Result<Self, StoreError> {
        let (head, _) = load::head(database)?;
        let mark = Seq(database.query_row("SELECT upto FROM indexed", [], |row| row.get(0))?);
        let (tails, round) = (Tails::new(tuning.chunk_entries), Round::default());
        let mut index = Self { tuning, head, mark, tails, round, full: Vec::new() };
        index.read_log(database)?;
        index.begin_round();
        Ok(index)
    }

    fn read_log(&mut self, database: &Connection) -> Result<(), StoreError> {
        // Two entries a message: a list that grew would hold twice as much while it is copied.
        let mut entries =
            Vec::with_capacity(2 * self.head.0.saturating_sub(self.mark.0).min(self.tuning.window) as usize);
        let mut statement =
            database.prepare("SELECT seq, event FROM log WHERE seq > ?1 AND body IS NOT NULL ORDER BY seq")?;
        let mut rows = statement.query([self.mark.0])?;
        while let Some(row) = rows.next()? {
            let event = record::decode(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?;
            if let Event::MessageSent(message) = event {
                entries.extend(message.placements(Seq(row.get(0)?)));
            }
        }
        self.insert_unstored(database, entries)
    }

    /// Adds those entries that stand in no chunk and were not removed either. They are looked up in the order of the
    /// table, so that each of its pages is read once.
    fn insert_unstored(
        &mut self,
        database: &Connection,
        mut entries: Vec<(Timeline, Entry)>,
    ) -> Result<(), StoreError> {
        let removed: HashMap<_, _> = removed::all(database)?.into_iter().collect();
        entries.sort_unstable_by_key(|(timeline, entry)| (*timeline, entry.seq));
        for entries in entries.chunk_by(|(one, _), (other, _)| one == other) {
            let Some((timeline, _)) = entries.first() else { continue };
            let upto = stored_upto(database, *timeline)?.max(removed.get(timeline).copied().unwrap_or_default());
            for (timeline, entry) in entries.iter().filter(|(_, entry)| entry.seq > upto) {
                self.insert(*timeline, *entry);
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
    ///
    /// # Errors
    /// Damage, which what was packed here does not have.
    pub(super) fn recent(&self, span: &Span) -> Result<(Vec<Entry>, Seq), StoreError> {
        let mut recent = Vec::new();
        let mut stored_upto = span.upto;
        for packed in self.tails.chunks(span.timeline) {
            stored_upto = stored_upto.min(Seq(packed.oldest().0 - 1));
            if packed.newest() > span.after && packed.oldest() <= span.upto {
                recent.extend(unpack(packed.bytes(), span.after)?);
            }
        }
        recent.truncate(recent.partition_point(|entry| entry.seq <= span.upto));
        Ok((recent, stored_upto))
    }

    /// How many entries of a timeline are in memory.
    pub(super) fn entries_of(&self, timeline: Timeline) -> usize {
        self.tails.length(timeline)
    }

    /// The newest entry of each timeline that has entries in memory.
    pub(super) fn newest(&self) -> impl Iterator<Item = (Timeline, Seq)> {
        let newest = |timeline| Some((timeline, self.tails.newest(timeline)?));
        self.tails.after(None).filter_map(newest)
    }

    /// What the transaction of a batch of that many records is to write: the full timelines, and those whose turn it is.
    pub(super) fn plan(&self, records: usize) -> Plan {
        let turns = self.turns(records);
        let is_over = turns == self.round.left && self.time_left() <= records;
        let full = self.full.iter().copied();
        let waiting = |timeline: &Timeline| self.tails.length(*timeline) < self.tuning.chunk_entries;
        let due = |timeline: &Timeline| self.has_up_to(*timeline, self.round.began) && waiting(timeline);
        let mut after = self.round.after;
        let turn = self.tails.after(self.round.after).take(turns).inspect(|timeline| after = Some(*timeline));
        let leaving = self.take(full.chain(turn.filter(due)));
        Plan { mark: is_over.then_some(self.round.began), turns, after, ..leaving }
    }

    fn has_up_to(&self, timeline: Timeline, upto: Seq) -> bool {
        self.tails.oldest(timeline).is_some_and(|oldest| oldest <= upto)
    }

    /// How many turns there are beside a batch of that many records. They are spread over the round, but no fewer at a
    /// time than share their pages well. A batch adds two entries a record at the most: with room for four, a round that
    /// is late is soon over.
    fn turns(&self, records: usize) -> usize {
        let (left, time_left) = (self.round.left, self.time_left());
        let at_once = self.tuning.chunks_per_commit;
        let is_last = records >= time_left;
        let even = if is_last { left } else { left * records / time_left };
        if even < at_once && !is_last {
            return 0;
        }
        even.min(at_once + 4 * records)
    }

    /// How many more records may come before the round is to be over. The log after the mark, which an opening reads, is
    /// to stay within the window: it is that of two rounds, and what an opening found.
    fn time_left(&self) -> usize {
        let end = (self.round.began.0 + self.tuning.window / 2).min(self.mark.0 + self.tuning.window);
        end.saturating_sub(self.head.0) as usize
    }

    /// What the next transaction of a closing store is to write; none when all is written.
    pub(super) fn plan_closing(&self) -> Option<Plan> {
        if self.tails.timelines() == 0 && self.mark == self.head {
            return None;
        }
        let at_once = self.tuning.chunks_per_closing;
        let is_all = self.tails.timelines() <= at_once;
        Some(Plan { mark: is_all.then_some(self.head), ..self.take(self.tails.after(None).take(at_once)) })
    }

    /// What the next transaction is to write so that chunks hold every entry up to `upto`, and all entries of timelines
    /// with more than `most` in memory; none when they do.
    pub(super) fn plan_sweep(&self, upto: Seq, most: usize) -> Option<Plan> {
        // A timeline that fills a chunk leaves with the next commit anyway.
        if upto <= self.mark && most >= self.tuning.chunk_entries {
            return None;
        }
        let leaves = |timeline: &Timeline| self.tails.length(*timeline) > most || self.has_up_to(*timeline, upto);
        let plan = self.take(self.tails.after(None).filter(leaves).take(self.tuning.chunks_per_commit));
        (!plan.chunks.is_empty()).then_some(plan)
    }

    /// A plan for some timelines, of which the round takes no notice.
    fn take(&self, timelines: impl Iterator<Item = Timeline>) -> Plan {
        let chunks =
            timelines.flat_map(|timeline| self.tails.chunks(timeline).map(move |chunk| (timeline, chunk.clone())));
        Plan { chunks: chunks.collect(), mark: None, turns: 0, after: self.round.after }
    }

    /// Takes in what a transaction has made durable: a plan of this index, and a batch of records.
    pub(super) fn settle(&mut self, plan: &Plan, batch: &[Record]) {
        self.round.left -= plan.turns;
        self.round.after = plan.after;
        for (timeline, _) in &plan.chunks {
            if self.tails.remove(*timeline) && Some(*timeline) > self.round.after {
                self.round.left -= 1;
            }
        }
        self.full.retain(|timeline| self.tails.length(*timeline) > 0);
        for record in batch {
            self.head = record.seq;
            if let Event::MessageSent(message) = &record.event {
                message.placements(record.seq).for_each(|(timeline, entry)| self.insert(timeline, entry));
            }
        }
        if let Some(mark) = plan.mark {
            self.mark = mark;
            self.begin_round();
        }
    }

    fn begin_round(&mut self) {
        self.round = Round { began: self.head, after: None, left: self.tails.timelines() };
    }

    fn insert(&mut self, timeline: Timeline, entry: Entry) {
        let length = self.tails.push(timeline, entry);
        if length == 1 && Some(timeline) > self.round.after {
            self.round.left += 1;
        }
        if length == self.tuning.chunk_entries {
            self.full.push(timeline);
        }
    }
}

/// Up to where a timeline's entries stand in chunks.
fn stored_upto(database: &Connection, timeline: Timeline) -> Result<Seq, StoreError> {
    let (_, owner) = chunk::key(timeline);
    if owner as usize >= MAX_USERS {
        return Err(StoreError::Damaged("a message of somebody that cannot be".into()));
    }
    chunk::newest(database, timeline)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Destination;
    use crate::id::UserId;
    use crate::store::testing::{TINY, said};
    use std::path::Path;

    fn empty() -> Index {
        empty_tuned(TINY)
    }

    fn empty_tuned(tuning: Tuning) -> Index {
        let mut database = Connection::open_in_memory().unwrap();
        crate::store::schema::prepare(&mut database, Path::new("here")).unwrap();
        Index::open(&database, tuning).unwrap()
    }

    fn entries(index: &Index) -> usize {
        index.tails.after(None).map(|timeline| index.tails.length(timeline)).sum()
    }

    #[test]
    fn memory_stays_bounded_however_many_timelines_take_turns() {
        let mut index = empty();
        for batch in 0..100 {
            let to_new_timelines = |seq: u64| said(seq, 2 * seq as u32, to(2 * seq as u32 + 1), "");
            let batch: Vec<_> = (3 * batch + 1..=3 * batch + 3).map(to_new_timelines).collect();
            let plan = index.plan(batch.len());
            index.settle(&plan, &batch);
            assert!(index.head.0 - index.mark.0 <= TINY.window + batch.len() as u64);
            assert!(entries(&index) <= 2 * (TINY.window as usize + batch.len()));
        }
    }

    #[test]
    fn each_timeline_with_entries_from_before_a_round_leaves_once_in_it() {
        let mut index = empty_tuned(Tuning { chunk_entries: 99, ..TINY });
        let mut turns = Vec::new();
        for seq in 1..=12 {
            let plan = index.plan(1);
            turns.extend(plan.chunks.iter().map(|(timeline, entries)| (seq, *timeline, entries.length())));
            index.settle(&plan, &[said(seq, 1, to(2), "")]);
        }
        let of = |seq, user, entries| (seq, Timeline::User(UserId(user)), entries);
        assert_eq!(turns, [of(7, 1, 6), of(8, 2, 7), of(11, 1, 4), of(12, 2, 4)]);
        assert_eq!((index.mark, index.round.began), (Seq(8), Seq(12)));
    }

    #[test]
    fn a_timeline_that_is_full_does_not_wait_for_its_turn() {
        let mut index = empty();
        index.settle(&index.plan(1), &[said(1, 7, to(7), "")]);
        let batch: Vec<_> = (2..=6).map(|seq| said(seq, 7, to(7), "")).collect();
        index.settle(&index.take(std::iter::empty()), &batch);
        let plan = index.plan(0);
        let chunks: Vec<_> = plan.chunks.iter().map(|(timeline, entries)| (*timeline, entries.length())).collect();
        assert_eq!(chunks, [(Timeline::User(UserId(7)), 4), (Timeline::User(UserId(7)), 2)]);
        index.settle(&plan, &[said(7, 7, to(7), "")]);
        assert_eq!((entries(&index), index.round.left), (1, 1));
    }

    #[test]
    fn closing_moves_everything_in_bounded_steps() {
        let mut index = empty();
        let batch: Vec<_> = (1..=5).map(|seq| said(seq, seq as u32, to(seq as u32), "")).collect();
        index.settle(&index.plan(batch.len()), &batch);
        let mut steps = Vec::new();
        while let Some(plan) = index.plan_closing() {
            steps.push(plan.chunks.len());
            index.settle(&plan, &[]);
        }
        assert_eq!((steps, index.mark, entries(&index)), (vec![2, 2, 1], Seq(5), 0));
    }

    fn to(user: u32) -> Destination {
        Destination::User(UserId(user))
    }
}
