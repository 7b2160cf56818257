//! Plans what a transaction flushes from the memtable and compacts, and when.
//!
//! In each flush cycle every partition gets one turn, in the order of the tables: rows that are written one after the
//! other are in the same pages, and pages cost more than rows. A timeline whose entries all arrived during the cycle is
//! left for the next one, when it has more of them.
//!
//! At its turn a partition with few entries is flushed to a run, one with many to a chunk per timeline. A timeline that
//! fills a chunk is flushed at once. When a partition has many runs, they are merged; when it has many merged runs, or
//! before one of its timelines gets a chunk from the memtable, all its runs are split into chunks. So chunks stay older
//! than runs, and runs older than the memtable.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use crate::chat::Timeline;
use crate::id::Seq;
use crate::store::error::StoreError;
use crate::store::index::chunk;
use crate::store::index::config::IndexConfig;
use crate::store::index::encoding::EncodedEntries;
use crate::store::index::memtable::Memtable;
use crate::store::index::partition::Partition;
use crate::store::index::run_stats::{RunStats, RunStatsTable};
use crate::store::index::runs::{self, Run};

/// The writes of one transaction, in this order.
#[derive(Debug)]
pub(crate) struct FlushPlan {
    /// Partitions whose runs are split into chunks.
    pub(super) split: BTreeSet<Partition>,
    pub(super) chunk_entries: usize,
    /// Partitions whose fresh runs are merged, and the number of the merged run.
    pub(super) merged: BTreeMap<Partition, u32>,
    /// Chunks from the memtable.
    pub(super) chunks: Vec<(Timeline, EncodedEntries)>,
    /// Runs from the memtable.
    pub(super) runs: Vec<Run>,
    /// The new high-water mark, if the transaction completes the flush cycle.
    pub(super) mark: Option<Seq>,
    /// Timelines whose entries all leave the memtable.
    pub(super) flushed: Vec<Timeline>,
    /// The partition that had the last turn.
    pub(super) last_turn: Option<Partition>,
}

impl FlushPlan {
    pub(crate) fn write(&self, transaction: &Connection) -> Result<(), StoreError> {
        self.split
            .iter()
            .try_for_each(|partition| runs::split_into_chunks(transaction, *partition, self.chunk_entries))?;
        self.merged.iter().try_for_each(|(partition, number)| runs::merge(transaction, *partition, *number))?;
        chunk::insert(transaction, &self.chunks)?;
        runs::insert(transaction, &self.runs)?;
        if let Some(mark) = self.mark {
            transaction.prepare_cached("UPDATE indexed SET upto = ?1")?.execute([mark.0])?;
        }
        Ok(())
    }
}

/// Builds a [`FlushPlan`].
pub(super) struct FlushPlanner<'a> {
    memtable: &'a Memtable,
    stats: &'a RunStatsTable,
    config: &'a IndexConfig,
    pub(super) plan: FlushPlan,
    /// The cost of the plan: rows written or deleted, or work of the same cost.
    pub(super) rows: usize,
}

/// The cost of writing a run, in rows.
const RUN_ROWS: usize = 4;
/// The cost of merging runs, in rows.
const MERGE_ROWS: usize = 32;

impl<'a> FlushPlanner<'a> {
    pub(super) fn new(
        memtable: &'a Memtable,
        stats: &'a RunStatsTable,
        config: &'a IndexConfig,
        last_turn: Option<Partition>,
    ) -> Self {
        let plan = FlushPlan {
            split: BTreeSet::new(),
            chunk_entries: config.chunk_entries,
            merged: BTreeMap::new(),
            chunks: Vec::new(),
            runs: Vec::new(),
            mark: None,
            flushed: Vec::new(),
            last_turn,
        };
        Self { memtable, stats, config, plan, rows: 0 }
    }

    /// Splits the runs of a partition into chunks.
    pub(super) fn split(&mut self, partition: Partition) {
        if !self.stats.get(partition).is_empty() && self.plan.split.insert(partition) {
            self.rows += partition.size as usize;
        }
    }

    /// Flushes a timeline to chunks.
    pub(super) fn flush_to_chunks(&mut self, timeline: Timeline) {
        self.split(Partition::of(timeline, self.config.partition_timelines));
        let before = self.plan.chunks.len();
        self.plan.chunks.extend(self.memtable.chunks(timeline).map(|chunk| (timeline, chunk.clone())));
        self.plan.flushed.push(timeline);
        self.rows += self.plan.chunks.len() - before;
    }

    /// Flushes some timelines of a partition to chunks or to a run.
    pub(super) fn flush(&mut self, partition: Partition, timelines: Vec<Timeline>) {
        let chunks = timelines.iter().flat_map(|timeline| self.memtable.chunks(*timeline));
        let bytes: usize = chunks.map(|chunk| chunk.bytes().len()).sum();
        if bytes >= self.config.run_bytes || !partition.has_runs() {
            timelines.iter().for_each(|timeline| self.flush_to_chunks(*timeline));
        } else if !timelines.is_empty() {
            self.flush_to_run(partition, timelines);
        }
    }

    fn flush_to_run(&mut self, partition: Partition, timelines: Vec<Timeline>) {
        self.compact_if_needed(partition);
        let has_no_runs_before = self.plan.split.contains(&partition) || self.plan.merged.contains_key(&partition);
        let mut run = Run::new(partition, if has_no_runs_before { 0 } else { self.stats.get(partition).fresh });
        for timeline in &timelines {
            self.memtable.chunks(*timeline).for_each(|entries| run.push(*timeline, entries));
        }
        self.plan.runs.push(run);
        self.plan.flushed.extend(timelines);
        self.rows += RUN_ROWS;
    }

    /// Merges the fresh runs of a partition if there are many, or splits all its runs if there are many merged ones.
    fn compact_if_needed(&mut self, partition: Partition) {
        let RunStats { fresh, merged, bytes, .. } = self.stats.get(partition);
        let IndexConfig { partition_runs: runs, partitions_together: together, .. } = *self.config;
        // Partitions with runs in the same pages are compacted in the same cycle, others in different ones.
        let most = runs - (partition.number / u64::from(together) % u64::from(runs / 2)) as u32;
        let most_bytes = self.config.partition_bytes / runs as usize * most as usize;
        let is_full = fresh >= most;
        if bytes as usize >= most_bytes || (is_full && merged >= self.config.partition_merged) {
            self.split(partition);
        } else if is_full && !self.plan.split.contains(&partition) {
            self.plan.merged.insert(partition, merged);
            self.rows += MERGE_ROWS;
        }
    }
}

/// The current flush cycle.
#[derive(Debug, Default)]
pub(super) struct FlushCycle {
    /// The head of the log when the cycle began: everything up to it is flushed when the cycle ends.
    pub(super) start: Seq,
    /// The partition that had the last turn.
    pub(super) last_turn: Option<Partition>,
}

impl FlushCycle {
    pub(super) fn starting_at(head: Seq) -> Self {
        Self { start: head, last_turn: None }
    }

    /// The number of records until the cycle must end. The log after the mark, which recovery reads, must stay within the
    /// window: it spans two cycles, and what recovery found.
    pub(super) fn records_left(&self, mark: Seq, head: Seq, window: u64) -> usize {
        let end = (self.start.0 + window / 2).min(mark.0 + window);
        end.saturating_sub(head.0) as usize
    }

    /// The number of partitions that get their turn with a batch of `records`, if `partitions_left` of `partitions` are
    /// left. Turns are spread over the cycle, but taken a few at a time, since neighbours share pages.
    pub(super) fn turns(
        &self,
        records: usize,
        partitions_left: usize,
        partitions: usize,
        records_left: usize,
        config: &IndexConfig,
    ) -> usize {
        let records_left_after = records_left.saturating_sub(records);
        let partitions_left_after = partitions * records_left_after / (config.window / 2) as usize;
        let due = partitions_left.saturating_sub(partitions_left_after);
        if due < config.partitions_per_commit && records_left_after > 0 { 0 } else { due }
    }
}
