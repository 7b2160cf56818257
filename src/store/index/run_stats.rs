//! Statistics of each partition's runs, in memory: they tell when to compact, and let readers skip partitions.

use crate::id::Seq;
use crate::store::index::number_map::NumberMap;
use crate::store::index::partition::Partition;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RunStats {
    /// Runs of level 0.
    pub(super) fresh: u32,
    /// Runs of level 1, each merged from several.
    pub(super) merged: u32,
    /// Bytes of all runs, as flushed.
    pub(super) bytes: u32,
    /// All entries are after this …
    pub(super) after: Seq,
    /// … and none is after this.
    pub(super) upto: Seq,
}

impl RunStats {
    pub(super) fn is_empty(&self) -> bool {
        self.fresh + self.merged == 0
    }
}

/// The statistics of all partitions, by kind and number.
#[derive(Debug, Default)]
pub(super) struct RunStatsTable(Vec<NumberMap<RunStats>>);

impl RunStatsTable {
    pub(super) fn get(&self, partition: Partition) -> RunStats {
        self.0.get(usize::from(partition.kind)).map(|kind| kind.get(partition.number)).unwrap_or_default()
    }

    /// Adds a fresh run, whose entries are after `after` and up to `upto`.
    pub(super) fn add(&mut self, partition: Partition, bytes: usize, after: Seq, upto: Seq) {
        let stats = self.get(partition);
        let after = if stats.is_empty() { after } else { stats.after };
        let bytes = stats.bytes.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        self.set(partition, RunStats { fresh: stats.fresh + 1, bytes, after, upto, ..stats });
    }

    /// Counts a stored run, whose entries are up to `upto`. Each level counts up to its highest number: a new run gets the
    /// next one.
    pub(super) fn restore(&mut self, partition: Partition, (is_fresh, number): (bool, u32), bytes: u32, upto: Seq) {
        let mut stats = self.get(partition);
        let count = if is_fresh { &mut stats.fresh } else { &mut stats.merged };
        *count = (*count).max(number.saturating_add(1));
        self.set(partition, RunStats { bytes: stats.bytes.saturating_add(bytes), upto, ..stats });
    }

    /// Replaces the fresh runs of a partition by one merged run.
    pub(super) fn merge(&mut self, partition: Partition) {
        let stats = self.get(partition);
        self.set(partition, RunStats { fresh: 0, merged: stats.merged + 1, ..stats });
    }

    pub(super) fn clear(&mut self, partition: Partition) {
        self.set(partition, RunStats::default());
    }

    fn set(&mut self, partition: Partition, stats: RunStats) {
        while self.0.len() <= usize::from(partition.kind) {
            self.0.push(NumberMap::of_kind(self.0.len() as u8));
        }
        self.0[usize::from(partition.kind)].set(partition.number, stats);
    }

    /// The next partition after `after` whose runs may have entries up to `upto`.
    pub(super) fn next(&self, after: Option<Partition>, upto: Seq, size: u32) -> Option<Partition> {
        let (first_kind, first_number) = after.map_or((0, 0), |partition| (partition.kind, partition.number + 1));
        let kinds = self.0.iter().zip(0_u8..).skip(first_kind.into());
        let mut all = kinds.flat_map(|(stats, kind)| {
            let first = if kind == first_kind { first_number } else { 0 };
            stats.range(first..u64::MAX).map(move |(number, stats)| (stats, kind, number))
        });
        let (_, kind, number) = all.find(|(stats, ..)| !stats.is_empty() && stats.after < upto)?;
        Some(Partition { kind, number, size })
    }
}
