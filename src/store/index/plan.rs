//! What a transaction is to write of the timeline index, and when.
//!
//! The partitions take turns, in the order of the tables, each once in a round: what is written one after the other stands
//! in the same pages, which cost more than the rows. A timeline whose entries all came in the round itself waits for the
//! next, and leaves with more of them.
//!
//! At its turn a partition with few entries gets a run, one with many a chunk for each timeline, as does a timeline that
//! is full at any time. Some runs become one, some of those are dealt out to chunks; and runs are dealt out before one of
//! their timelines gets a chunk: so chunks are older than runs, and runs older than what is in memory.

use std::collections::{BTreeMap, BTreeSet};

use crate::chat::Timeline;
use crate::id::Seq;
use crate::store::index::Tuning;
use crate::store::index::packed::Packed;
use crate::store::index::partition::{Extent, Extents, Partition};
use crate::store::index::runs::Run;
use crate::store::index::tails::Tails;

/// What a transaction is to write, in this order.
#[derive(Debug)]
pub(in crate::store) struct Plan {
    /// The partitions whose runs become chunks, …
    pub(in crate::store) dealt: BTreeSet<Partition>,
    /// … of so many entries.
    pub(in crate::store) chunk_entries: usize,
    /// The partitions whose fresh runs become one, and its number.
    pub(in crate::store) merged: BTreeMap<Partition, u32>,
    /// The chunks to write from memory.
    pub(in crate::store) chunks: Vec<(Timeline, Packed)>,
    /// The runs to write from memory.
    pub(in crate::store) runs: Vec<Run>,
    /// The new high-water mark, where it is to move: the round is over then.
    pub(in crate::store) mark: Option<Seq>,
    /// The timelines of which all entries in memory are written.
    pub(super) leaving: Vec<Timeline>,
    /// The partition whose turn was last.
    pub(super) after: Option<Partition>,
}

/// A plan that is being made.
pub(super) struct Draft<'a> {
    tails: &'a Tails,
    extents: &'a Extents,
    tuning: &'a Tuning,
    pub(super) plan: Plan,
    /// The rows that it writes or deletes, or the work of so many.
    pub(super) rows: usize,
}

/// A run that is written is the work of so many rows …
const ROWS_OF_A_RUN: usize = 4;
/// … and one that is made of others of so many.
const ROWS_OF_A_MERGE: usize = 32;

impl<'a> Draft<'a> {
    /// An empty one. `after` is the partition whose turn was last.
    pub(super) fn new(tails: &'a Tails, extents: &'a Extents, tuning: &'a Tuning, after: Option<Partition>) -> Self {
        let plan = Plan {
            dealt: BTreeSet::new(),
            chunk_entries: tuning.chunk_entries,
            merged: BTreeMap::new(),
            chunks: Vec::new(),
            runs: Vec::new(),
            mark: None,
            leaving: Vec::new(),
            after,
        };
        Self { tails, extents, tuning, plan, rows: 0 }
    }

    /// Makes chunks of what the runs of a partition have.
    pub(super) fn deal(&mut self, partition: Partition) {
        if !self.extents.of(partition).is_empty() && self.plan.dealt.insert(partition) {
            self.rows += partition.size as usize;
        }
    }

    /// Makes chunks of what memory has of a timeline.
    pub(super) fn chunk(&mut self, timeline: Timeline) {
        self.deal(Partition::of(timeline, self.tuning.partition_timelines));
        let before = self.plan.chunks.len();
        self.plan.chunks.extend(self.tails.chunks(timeline).map(|chunk| (timeline, chunk.clone())));
        self.plan.leaving.push(timeline);
        self.rows += self.plan.chunks.len() - before;
    }

    /// Makes chunks or a run of what memory has of some timelines of a partition.
    pub(super) fn partition(&mut self, partition: Partition, timelines: Vec<Timeline>) {
        let tails = timelines.iter().flat_map(|timeline| self.tails.chunks(*timeline));
        let bytes: usize = tails.map(|tail| tail.bytes().len()).sum();
        if bytes >= self.tuning.run_bytes || !partition.has_runs() {
            timelines.iter().for_each(|timeline| self.chunk(*timeline));
        } else if !timelines.is_empty() {
            self.run(partition, timelines);
        }
    }

    fn run(&mut self, partition: Partition, timelines: Vec<Timeline>) {
        self.make_room(partition);
        let goes_first = self.plan.dealt.contains(&partition) || self.plan.merged.contains_key(&partition);
        let mut run = Run::new(partition, if goes_first { 0 } else { self.extents.of(partition).fresh });
        for timeline in &timelines {
            self.tails.chunks(*timeline).for_each(|tail| run.push(*timeline, tail));
        }
        self.plan.runs.push(run);
        self.plan.leaving.extend(timelines);
        self.rows += ROWS_OF_A_RUN;
    }

    /// Makes one of the runs of a partition, or chunks, where there are many.
    fn make_room(&mut self, partition: Partition) {
        let Extent { fresh, merged, bytes, .. } = self.extents.of(partition);
        let Tuning { partition_runs: runs, partitions_together: together, .. } = *self.tuning;
        // Not all in one round, but those together whose runs stand in the same pages.
        let most = runs - partition.number / together % (runs / 2);
        let most_bytes = self.tuning.partition_bytes / runs as usize * most as usize;
        let is_full = fresh >= most;
        if bytes as usize >= most_bytes || (is_full && merged >= self.tuning.partition_merged) {
            self.deal(partition);
        } else if is_full && !self.plan.dealt.contains(&partition) {
            self.plan.merged.insert(partition, merged);
            self.rows += ROWS_OF_A_MERGE;
        }
    }
}

/// The round that is under way.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// The newest entry when it began. At its end the database has everything up to there.
    pub(super) began: Seq,
    /// The partition whose turn was last.
    pub(super) after: Option<Partition>,
}

impl Round {
    /// One that begins.
    pub(super) fn from(head: Seq) -> Self {
        Self { began: head, after: None }
    }

    /// How many more records may come before the round is to be over. The log after the mark, which an opening reads, is
    /// to stay within the window: it is that of two rounds, and what an opening found.
    pub(super) fn time_left(&self, mark: Seq, head: Seq, window: u64) -> usize {
        let end = (self.began.0 + window / 2).min(mark.0 + window);
        end.saturating_sub(head.0) as usize
    }

    /// How many partitions have their turn beside a batch of that many records, where so many of `all` are `left`. They
    /// are spread over the round, but no fewer at a time than share their pages well.
    pub(super) fn turns(&self, records: usize, left: usize, all: usize, time_left: usize, tuning: &Tuning) -> usize {
        let time_left_then = time_left.saturating_sub(records);
        let left_then = all * time_left_then / (tuning.window / 2) as usize;
        let due = left.saturating_sub(left_then);
        if due < tuning.partitions_per_commit && time_left_then > 0 { 0 } else { due }
    }
}
