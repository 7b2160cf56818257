//! A sweep, step by step: each reads the store without blocking anything, then writes one short transaction.

use rusqlite::Connection;

use crate::chat::Timeline;
use crate::id::Seq;
use crate::limits::{RETENTION_CHUNKS, RETENTION_LOOK, RETENTION_PAGES};
use crate::store::damage::DamageLog;
use crate::store::error::StoreError;
use crate::store::index::chunk;
use crate::store::index::partition::Partition;
use crate::store::log::{head, time_search};
use crate::store::low_watermark;
use crate::store::retention::log_deletion::LogDeletion;
use crate::store::retention::read_positions::ReadPositions;
use crate::store::retention::rules::{Limits, Rules};
use crate::store::retention::truncation::Truncation;

/// The state of a sweep between its steps. It may be replaced by a new one at any time; a kept one skips what an earlier
/// sweep has searched.
#[derive(Debug, Default)]
pub struct Sweep {
    phase: SweepPhase,
    limits: Limits,
    /// The newest log entry when the sweep began: only entries up to it are deleted.
    head: Seq,
    /// No log entry up to here can be deleted: earlier sweeps have tried.
    searched: Seq,
    /// Messages that this sweep has deleted.
    deleted: u64,
}

#[derive(Clone, Copy, Debug, Default)]
enum SweepPhase {
    #[default]
    Start,
    /// Flush due entries from memory to chunks.
    FlushMemory,
    /// Split runs with due entries into chunks, in partitions after this one.
    SplitRuns(Option<Partition>),
    /// Truncate the timelines after this one.
    Truncate(Option<Timeline>),
    /// Delete from the log after one entry and up to the other.
    DeleteLog { after: Seq, upto: Seq },
    /// Return free pages to the file system.
    Vacuum,
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swept {
    /// There is more to do.
    Partly,
    /// The sweep is complete; it has deleted so many messages.
    Wholly(u64),
}

/// The store operations that a sweep needs.
pub(crate) trait SweepTarget {
    /// Calls `read` with a snapshot of the database. Entries in the snapshot's tables must not be in memory any more.
    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError>;

    /// Calls `write` with a transaction of the writer, between two commits.
    fn write(&self, write: impl FnOnce(&Connection) -> Result<(), StoreError>) -> Result<(), StoreError>;

    /// Flushes to chunks some timelines that have entries up to `upto`, or more than `most` entries, in memory. Returns
    /// `false` if there were none.
    fn flush_to_chunks(&self, upto: Seq, most: usize) -> Result<bool, StoreError>;

    /// Splits the runs of the next partition after `after` that may have entries up to `upto` in runs. Returns `None` if
    /// there was none.
    fn split_runs(&self, after: Option<Partition>, upto: Seq) -> Result<Option<Partition>, StoreError>;

    /// The number of entries of a timeline in memory.
    fn entries_in_memory(&self, timeline: Timeline) -> usize;

    fn damage(&self) -> &DamageLog;

    /// Returns up to `pages` free pages to the file system. Returns whether there are more.
    fn vacuum(&self, pages: u32) -> Result<bool, StoreError>;
}

/// The truncations of one step.
struct Truncations {
    found: Vec<Truncation>,
    /// The timelines up to this one are done.
    upto: Option<Timeline>,
    /// There are no others.
    is_last: bool,
}

impl Sweep {
    /// Starts a new sweep.
    pub fn begin(&mut self, rules: Rules) {
        *self = Self { limits: Limits { rules, ..Limits::default() }, searched: self.searched, ..Self::default() };
    }

    pub(crate) fn step(&mut self, store: &impl SweepTarget) -> Result<Swept, StoreError> {
        self.phase = match self.phase {
            SweepPhase::Start => self.start(store)?,
            SweepPhase::FlushMemory => self.flush_memory(store)?,
            SweepPhase::SplitRuns(after) => self.split_runs(store, after)?,
            SweepPhase::Truncate(after) => self.truncate(store, after)?,
            SweepPhase::DeleteLog { after, upto } => self.delete_log(store, after, upto)?,
            SweepPhase::Vacuum if store.vacuum(RETENTION_PAGES)? => SweepPhase::Vacuum,
            SweepPhase::Vacuum => return Ok(Swept::Wholly(self.deleted)),
        };
        Ok(Swept::Partly)
    }

    fn start(&mut self, store: &impl SweepTarget) -> Result<SweepPhase, StoreError> {
        let rules = self.limits.rules;
        let (head, time, old, positions) = store.read(|database| {
            let (head, time) = head::read(database)?;
            let old = rules.before.map_or(Ok(Seq(0)), |before| time_search::newest_before(database, before, head))?;
            // Outboxes do not need the positions of users.
            let positions = if rules.unread { ReadPositions::default() } else { ReadPositions::read(database)? };
            Ok((head, time, old, positions))
        })?;
        (self.head, self.limits) = (head, Limits { rules, old, positions });
        // The newest entry may be deleted, too.
        store.write(|transaction| Ok(head::save(transaction, head, time)?))?;
        Ok(SweepPhase::FlushMemory)
    }

    fn flush_memory(&self, store: &impl SweepTarget) -> Result<SweepPhase, StoreError> {
        let most = self.limits.rules.newest.unwrap_or(usize::MAX);
        let has_more = store.flush_to_chunks(self.limits.old, most)?;
        Ok(if has_more { SweepPhase::FlushMemory } else { SweepPhase::SplitRuns(None) })
    }

    /// Comes after the memory, so that no due entry is flushed to a run any more.
    fn split_runs(&self, store: &impl SweepTarget, after: Option<Partition>) -> Result<SweepPhase, StoreError> {
        // A limit by number may make any entry due.
        let upto = if self.limits.rules.newest.is_some() { Seq(u64::MAX) } else { self.limits.old };
        let split = store.split_runs(after, upto)?;
        Ok(split.map_or(SweepPhase::Truncate(None), |partition| SweepPhase::SplitRuns(Some(partition))))
    }

    fn truncate(&mut self, store: &impl SweepTarget, after: Option<Timeline>) -> Result<SweepPhase, StoreError> {
        let truncations = store.read(|database| self.find_truncations(database, store, after))?;
        if let Some(first) = truncations.found.iter().map(|truncation| truncation.first).min() {
            self.searched = self.searched.min(Seq(first.0.saturating_sub(1)));
            let mut found = truncations.found.iter();
            store.write(|transaction| found.try_for_each(|truncation| truncation.write(transaction)))?;
        }
        if !truncations.is_last {
            return Ok(SweepPhase::Truncate(truncations.upto));
        }
        let removed = store.read(|database| Ok(low_watermark::highest(database)?))?;
        Ok(SweepPhase::DeleteLog { after: self.searched, upto: self.limits.old.max(removed).min(self.head) })
    }

    fn find_truncations(
        &self,
        database: &Connection,
        store: &impl SweepTarget,
        after: Option<Timeline>,
    ) -> Result<Truncations, StoreError> {
        let mut truncations = Truncations { found: Vec::new(), upto: after, is_last: false };
        let (mut chunks_read, mut rows) = (0, 0);
        while chunks_read < RETENTION_LOOK && rows < RETENTION_CHUNKS {
            let Some(timeline) = chunk::next_timeline(database, truncations.upto)? else {
                truncations.is_last = true;
                break;
            };
            let in_memory = || store.entries_in_memory(timeline);
            let truncation = Truncation::find(database, &self.limits, timeline, in_memory, &mut chunks_read)?;
            if let Some(truncation) = truncation {
                rows += truncation.rows();
                let has_more = truncation.has_more;
                truncations.found.push(truncation);
                if has_more {
                    break;
                }
            }
            truncations.upto = Some(timeline);
        }
        Ok(truncations)
    }

    fn delete_log(&mut self, store: &impl SweepTarget, after: Seq, upto: Seq) -> Result<SweepPhase, StoreError> {
        let old = self.limits.old;
        let deletion = store.read(|database| LogDeletion::find(database, store.damage(), old, (after, upto)))?;
        if !deletion.is_empty() {
            store.write(|transaction| deletion.write(transaction))?;
            self.deleted += deletion.messages;
        }
        if deletion.is_last {
            // An old message that is left is unread. Only a truncation can free it, and that lowers this again.
            self.searched = old;
            return Ok(SweepPhase::Vacuum);
        }
        Ok(SweepPhase::DeleteLog { after: deletion.upto, upto })
    }
}

#[cfg(test)]
mod tests;
