//! The index: its part in memory, and the plans for moving entries to its tables.

use rusqlite::Connection;

use crate::chat::{Entry, Event, Record, SeqRange, Timeline};
use crate::id::Seq;
use crate::limits::RETENTION_CHUNKS;
use crate::store::damage::DamageLog;
use crate::store::error::StoreError;
use crate::store::index::config::IndexConfig;
use crate::store::index::encoding::{self, decode};
use crate::store::index::flush_plan::{FlushCycle, FlushPlan, FlushPlanner};
use crate::store::index::memtable::Memtable;
use crate::store::index::partition::Partition;
use crate::store::index::run_stats::RunStatsTable;
use crate::store::index::{recovery, runs};
use crate::store::log::head;

/// Entries are added once they are durable, and removed after the transaction that flushed them, all entries of a timeline
/// together. So the memtable has exactly the entries that are newer than all that the tables have of their timeline.
pub(crate) struct Index {
    config: IndexConfig,
    /// The newest durable log entry.
    head: Seq,
    /// The stored high-water mark: chunks and runs have all entries up to it.
    mark: Seq,
    memtable: Memtable,
    stats: RunStatsTable,
    cycle: FlushCycle,
}

impl Index {
    /// Reads the statistics of the runs, and the log after the mark.
    pub(crate) fn open(database: &Connection, config: IndexConfig, damage: &DamageLog) -> Result<Self, StoreError> {
        let (head, _) = head::read(database)?;
        let mark = Seq(database.query_row("SELECT upto FROM indexed", [], |row| row.get(0))?);
        let stats = runs::stats(database, config.partition_timelines, head)?;
        let mut memtable = Memtable::new(config.chunk_entries);
        let insert = |timeline, entry| memtable.push(timeline, entry);
        recovery::replay_log(database, damage, (mark, head), (&config, &stats), insert)?;
        Ok(Self { config, head, mark, memtable, stats, cycle: FlushCycle::starting_at(head) })
    }

    pub(crate) fn head(&self) -> Seq {
        self.head
    }

    pub(crate) fn config(&self) -> &IndexConfig {
        &self.config
    }

    /// The entries of a span that are in memory, and the entry up to which the tables have the others.
    pub(crate) fn in_memory(&self, span: &SeqRange) -> Result<(Vec<Entry>, Seq), StoreError> {
        let mut entries = Vec::new();
        let mut stored_upto = span.upto;
        for chunk in self.memtable.chunks(span.timeline) {
            stored_upto = stored_upto.min(Seq(chunk.oldest().0 - 1));
            if chunk.newest() > span.after && chunk.oldest() <= span.upto {
                entries.extend(decode(chunk.bytes(), span.after)?);
            }
        }
        entries.truncate(entries.partition_point(|entry| entry.seq <= span.upto));
        Ok((entries, stored_upto))
    }

    /// The partition whose runs may have entries of a timeline after `after`; `None` if there are no such runs.
    pub(crate) fn runs_of(&self, timeline: Timeline, after: Seq) -> Option<Partition> {
        let partition = Partition::of(timeline, self.config.partition_timelines);
        let stats = self.stats.get(partition);
        (!stats.is_empty() && after < stats.upto).then_some(partition)
    }

    /// The number of entries of a timeline in memory.
    pub(crate) fn entries_in_memory(&self, timeline: Timeline) -> usize {
        self.memtable.len(timeline)
    }

    /// Visits all entries in memory.
    pub(crate) fn for_each_in_memory(&self, mut visit: impl FnMut(Timeline, Entry)) -> Result<(), StoreError> {
        for timeline in self.memtable.all() {
            for chunk in self.memtable.chunks(timeline) {
                encoding::for_each(chunk.bytes(), |entry| visit(timeline, entry))?;
            }
        }
        Ok(())
    }

    /// The newest entry of each timeline that has entries in memory.
    pub(crate) fn newest_in_memory(&self) -> impl Iterator<Item = (Timeline, Seq)> {
        let newest = |timeline| Some((timeline, self.memtable.newest(timeline)?));
        self.memtable.all().filter_map(newest)
    }

    /// Plans what the transaction of a batch of `records` flushes: the timelines that fill a chunk, and the partitions
    /// whose turn it is.
    pub(crate) fn plan_commit(&self, records: usize) -> FlushPlan {
        let mut planner = self.planner();
        self.memtable.full().iter().for_each(|timeline| planner.flush_to_chunks(*timeline));
        let IndexConfig { partition_timelines: size, partitions_per_commit: at_once, window, .. } = self.config;
        let left = self.memtable.partitions(self.cycle.last_turn, size).count();
        let all = self.memtable.partitions(None, size).count();
        let records_left = self.cycle.records_left(self.mark, self.head, window);
        let turns = self.cycle.turns(records, left, all, records_left, &self.config);
        // A batch adds at most two timelines a record: with room for four, a late cycle catches up soon.
        let most_rows = planner.rows + at_once * size as usize + 4 * records;
        let taken = self.take_turns(&mut planner, turns, most_rows);
        let is_over = taken == left && records_left <= records;
        FlushPlan { mark: is_over.then_some(self.cycle.start), ..planner.plan }
    }

    /// Flushes up to `turns` partitions, fewer if the plan reaches `most_rows`. Returns their number.
    fn take_turns(&self, planner: &mut FlushPlanner<'_>, turns: usize, most_rows: usize) -> usize {
        let mut taken = 0;
        for partition in self.memtable.partitions(self.cycle.last_turn, self.config.partition_timelines).take(turns) {
            let due = self.memtable.of_partition(partition).filter(|timeline| {
                self.has_entries_upto(*timeline, self.cycle.start)
                    && self.memtable.len(*timeline) < self.config.chunk_entries
            });
            planner.flush(partition, due.collect());
            planner.plan.last_turn = Some(partition);
            taken += 1;
            if planner.rows >= most_rows {
                break;
            }
        }
        taken
    }

    fn has_entries_upto(&self, timeline: Timeline, upto: Seq) -> bool {
        self.memtable.oldest(timeline).is_some_and(|oldest| oldest <= upto)
    }

    /// Plans the next transaction of a closing store: flushes partitions after `after`. Returns the plan and the last of
    /// these partitions; `None` if everything is flushed.
    pub(crate) fn plan_closing(&self, after: Option<Partition>) -> Option<(FlushPlan, Option<Partition>)> {
        let mut partitions = self.memtable.partitions(after, self.config.partition_timelines);
        if self.memtable.timelines() == 0 && self.mark == self.head {
            return None;
        }
        let mut planner = self.planner();
        let mut last = after;
        while planner.rows < self.config.closing_rows
            && let Some(partition) = partitions.next()
        {
            planner.flush(partition, self.memtable.of_partition(partition).collect());
            last = Some(partition);
        }
        let is_all = partitions.next().is_none();
        Some((FlushPlan { mark: is_all.then_some(self.head), ..planner.plan }, last))
    }

    /// Plans splitting the runs of the next partition after `after` whose runs may have entries up to `upto`. Returns the
    /// plan and the partition; `None` if there is no such partition.
    pub(crate) fn plan_split(&self, after: Option<Partition>, upto: Seq) -> Option<(FlushPlan, Partition)> {
        let partition = self.stats.next(after, upto, self.config.partition_timelines)?;
        let mut planner = self.planner();
        planner.split(partition);
        Some((planner.plan, partition))
    }

    /// Plans flushing to chunks some of the timelines that have entries up to `upto`, or more than `most` entries, in
    /// memory; `None` if there are none.
    pub(crate) fn plan_flush_to_chunks(&self, upto: Seq, most: usize) -> Option<FlushPlan> {
        // A timeline has more entries than fill a chunk only from its last batch until the next commit.
        let has_most = |timeline: &Timeline| self.memtable.len(*timeline) <= most;
        if upto <= self.mark && most >= self.config.chunk_entries && self.memtable.full().iter().all(has_most) {
            return None;
        }
        let is_due =
            |timeline: &Timeline| self.memtable.len(*timeline) > most || self.has_entries_upto(*timeline, upto);
        let mut planner = self.planner();
        for timeline in self.memtable.all().filter(is_due) {
            planner.flush_to_chunks(timeline);
            if planner.rows >= RETENTION_CHUNKS {
                break;
            }
        }
        (!planner.plan.chunks.is_empty()).then_some(planner.plan)
    }

    fn planner(&self) -> FlushPlanner<'_> {
        FlushPlanner::new(&self.memtable, &self.stats, &self.config, self.cycle.last_turn)
    }

    /// Applies a durable transaction: a plan of this index, and a batch of records.
    pub(crate) fn apply(&mut self, plan: &FlushPlan, batch: &[Record]) {
        self.cycle.last_turn = plan.last_turn;
        plan.split.iter().for_each(|partition| self.stats.clear(*partition));
        plan.merged.keys().for_each(|partition| self.stats.merge(*partition));
        for run in &plan.runs {
            self.stats.add(run.partition, run.len(), self.mark, self.head);
        }
        self.memtable.remove(&plan.flushed);
        for record in batch {
            self.head = record.seq;
            if let Event::MessageSent(message) = &record.event {
                message.placements(record.seq).for_each(|(timeline, entry)| self.memtable.push(timeline, entry));
            }
        }
        if let Some(mark) = plan.mark {
            self.mark = mark;
            self.cycle = FlushCycle::starting_at(self.head);
        }
    }
}

#[cfg(test)]
mod tests;
