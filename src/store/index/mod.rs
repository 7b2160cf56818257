//! The timeline index: which log entries stand in which timeline. The newest entries are here, in memory, the older
//! ones in the database, in chunks of one timeline or in runs of neighbouring ones; together they are all, at any moment.
//!
//! Entries come here once they are durable, and leave in the transaction that writes them, a timeline's all together, so
//! that the memory holds what is newer than all that the database has of the timeline, and nothing else.

pub(super) mod chunk;
mod opening;
mod packed;
pub(super) mod partition;
pub(super) mod plan;
pub(super) mod runs;
mod tails;

use rusqlite::Connection;

use crate::chat::{Entry, Event, Record, SeqRange, Timeline};
use crate::id::Seq;
use crate::limits::{
    CHUNK_ENTRIES, CLOSING_ROWS, INDEX_WINDOW, PAGE_ENTRIES, PARTITION_BYTES, PARTITION_MERGED, PARTITION_RUNS,
    PARTITION_TIMELINES, PARTITIONS_PER_COMMIT, PARTITIONS_TOGETHER, RETENTION_CHUNKS, RUN_BYTES,
};
use crate::store::index::packed::unpack;
use crate::store::index::partition::{Extents, Partition};
use crate::store::index::plan::{Draft, Plan, Round};
use crate::store::index::tails::Tails;
use crate::store::{StoreError, load};

/// The limits that the index works by, apart so that tests can have small ones.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Tuning {
    pub(in crate::store) chunk_entries: usize,
    pub(in crate::store) window: u64,
    pub(in crate::store) partition_timelines: u32,
    pub(in crate::store) partitions_together: u32,
    pub(in crate::store) run_bytes: usize,
    pub(in crate::store) partition_runs: u32,
    pub(in crate::store) partition_merged: u32,
    pub(in crate::store) partition_bytes: usize,
    pub(in crate::store) partitions_per_commit: usize,
    pub(in crate::store) closing_rows: usize,
    pub(in crate::store) page_entries: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            chunk_entries: CHUNK_ENTRIES,
            window: INDEX_WINDOW,
            partition_timelines: PARTITION_TIMELINES,
            partitions_together: PARTITIONS_TOGETHER,
            run_bytes: RUN_BYTES,
            partition_runs: PARTITION_RUNS,
            partition_merged: PARTITION_MERGED,
            partition_bytes: PARTITION_BYTES,
            partitions_per_commit: PARTITIONS_PER_COMMIT,
            closing_rows: CLOSING_ROWS,
            page_entries: PAGE_ENTRIES,
        }
    }
}

/// The index's part in memory.
pub(in crate::store) struct Index {
    tuning: Tuning,
    /// The newest durable log entry.
    head: Seq,
    /// The high-water mark as it is stored: all that the log holds up to it is in chunks and runs.
    mark: Seq,
    /// Each timeline's entries after what the database has of it.
    tails: Tails,
    extents: Extents,
    round: Round,
    /// Timelines with enough entries for a chunk: they do not wait for their turn.
    full: Vec<Timeline>,
}

impl Index {
    /// Reads again what the database has in the log alone: what came after the mark.
    pub(in crate::store) fn open(database: &Connection, tuning: Tuning) -> Result<Self, StoreError> {
        let (head, _) = load::head(database)?;
        let mark = Seq(database.query_row("SELECT upto FROM indexed", [], |row| row.get(0))?);
        let (tails, extents) =
            (Tails::new(tuning.chunk_entries), runs::extents(database, tuning.partition_timelines, head)?);
        let mut index = Self { tuning, head, mark, tails, extents, round: Round::default(), full: Vec::new() };
        index.read_log(database)?;
        index.round = Round::from(head);
        Ok(index)
    }

    pub(in crate::store) fn head(&self) -> Seq {
        self.head
    }

    pub(in crate::store) fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    /// What memory has of a span, and up to where the database has it.
    ///
    /// # Errors
    /// Damage, which what was packed here does not have.
    pub(in crate::store) fn recent(&self, span: &SeqRange) -> Result<(Vec<Entry>, Seq), StoreError> {
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

    /// The partition in whose runs a timeline may have entries after one; none where it has no such runs.
    pub(in crate::store) fn runs_of(&self, timeline: Timeline, after: Seq) -> Option<Partition> {
        let partition = Partition::of(timeline, self.tuning.partition_timelines);
        let extent = self.extents.of(partition);
        (!extent.is_empty() && after < extent.upto).then_some(partition)
    }

    /// How many entries of a timeline are in memory.
    pub(in crate::store) fn entries_of(&self, timeline: Timeline) -> usize {
        self.tails.length(timeline)
    }

    /// The newest entry of each timeline that has entries in memory.
    pub(in crate::store) fn newest(&self) -> impl Iterator<Item = (Timeline, Seq)> {
        let newest = |timeline| Some((timeline, self.tails.newest(timeline)?));
        self.tails.all().filter_map(newest)
    }

    /// What the transaction of a batch of that many records is to write: the full timelines, and the partitions whose
    /// turn it is.
    pub(in crate::store) fn plan(&self, records: usize) -> Plan {
        let mut draft = self.draft();
        self.full.iter().for_each(|timeline| draft.chunk(*timeline));
        let Tuning { partition_timelines: size, partitions_per_commit: at_once, window, .. } = self.tuning;
        let left = self.tails.partitions(self.round.after, size).count();
        let all = self.tails.partitions(None, size).count();
        let time_left = self.round.time_left(self.mark, self.head, window);
        let turns = self.round.turns(records, left, all, time_left, &self.tuning);
        // A batch adds two timelines a record at the most: with room for four, a round that is late is soon over.
        let rows = draft.rows + at_once * size as usize + 4 * records;
        let taken = self.take_turns(&mut draft, turns, rows);
        let is_over = taken == left && time_left <= records;
        Plan { mark: is_over.then_some(self.round.began), ..draft.plan }
    }

    /// Gives so many partitions their turn, but ends with the one that makes the draft so many rows. Gives the number.
    fn take_turns(&self, draft: &mut Draft<'_>, turns: usize, rows: usize) -> usize {
        let mut taken = 0;
        for partition in self.tails.partitions(self.round.after, self.tuning.partition_timelines).take(turns) {
            let due = self.tails.of(partition).filter(|timeline| {
                self.has_up_to(*timeline, self.round.began) && self.tails.length(*timeline) < self.tuning.chunk_entries
            });
            draft.partition(partition, due.collect());
            draft.plan.after = Some(partition);
            taken += 1;
            if draft.rows >= rows {
                break;
            }
        }
        taken
    }

    fn has_up_to(&self, timeline: Timeline, upto: Seq) -> bool {
        self.tails.oldest(timeline).is_some_and(|oldest| oldest <= upto)
    }

    /// What the next transaction of a closing store is to write, after the partition that the one before it came to, and
    /// to which it comes itself; none when all is written.
    pub(in crate::store) fn plan_closing(&self, after: Option<Partition>) -> Option<(Plan, Option<Partition>)> {
        let size = self.tuning.partition_timelines;
        let mut partitions = self.tails.partitions(after, size);
        if self.tails.timelines() == 0 && self.mark == self.head {
            return None;
        }
        let mut draft = self.draft();
        let mut last = after;
        while draft.rows < self.tuning.closing_rows
            && let Some(partition) = partitions.next()
        {
            draft.partition(partition, self.tails.of(partition).collect());
            last = Some(partition);
        }
        let is_all = partitions.next().is_none();
        Some((Plan { mark: is_all.then_some(self.head), ..draft.plan }, last))
    }

    /// What the next transaction is to write so that no entries up to `upto` stand in runs of the partitions after one,
    /// and the partition that it comes to; none where there are no such runs.
    pub(in crate::store) fn plan_dealing(&self, after: Option<Partition>, upto: Seq) -> Option<(Plan, Partition)> {
        let partition = self.extents.next(after, upto, self.tuning.partition_timelines)?;
        let mut draft = self.draft();
        draft.deal(partition);
        Some((draft.plan, partition))
    }

    /// What the next transaction is to write so that chunks hold every entry of the memory up to `upto`, and all entries
    /// of timelines with more than `most` there; none when they do.
    pub(in crate::store) fn plan_sweep(&self, upto: Seq, most: usize) -> Option<Plan> {
        // A timeline that fills a chunk leaves with the next commit anyway.
        if upto <= self.mark && most >= self.tuning.chunk_entries {
            return None;
        }
        let leaves = |timeline: &Timeline| self.tails.length(*timeline) > most || self.has_up_to(*timeline, upto);
        let mut draft = self.draft();
        for timeline in self.tails.all().filter(leaves) {
            draft.chunk(timeline);
            if draft.rows >= RETENTION_CHUNKS {
                break;
            }
        }
        (!draft.plan.chunks.is_empty()).then_some(draft.plan)
    }

    fn draft(&self) -> Draft<'_> {
        Draft::new(&self.tails, &self.extents, &self.tuning, self.round.after)
    }

    /// Takes in what a transaction has made durable: a plan of this index, and a batch of records.
    pub(in crate::store) fn settle(&mut self, plan: &Plan, batch: &[Record]) {
        self.round.after = plan.after;
        plan.dealt.iter().for_each(|partition| self.extents.clear(*partition));
        plan.merged.keys().for_each(|partition| self.extents.merge(*partition));
        for run in &plan.runs {
            self.extents.add(run.partition, run.length(), self.mark, self.head);
        }
        plan.leaving.iter().for_each(|timeline| self.tails.remove(*timeline));
        self.full.retain(|timeline| self.tails.length(*timeline) > 0);
        for record in batch {
            self.head = record.seq;
            if let Event::MessageSent(message) = &record.event {
                message.placements(record.seq).for_each(|(timeline, entry)| self.insert(timeline, entry));
            }
        }
        if let Some(mark) = plan.mark {
            self.mark = mark;
            self.round = Round::from(self.head);
        }
    }

    fn insert(&mut self, timeline: Timeline, entry: Entry) {
        if self.tails.push(timeline, entry) == self.tuning.chunk_entries {
            self.full.push(timeline);
        }
    }
}

#[cfg(test)]
mod tests;
