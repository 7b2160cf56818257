//! The limits of the index. `limits/` explains the values; tests use small ones.

use crate::limits::{
    CHUNK_ENTRIES, CLOSING_ROWS, INDEX_WINDOW, PAGE_ENTRIES, PARTITION_BYTES, PARTITION_MERGED, PARTITION_RUNS,
    PARTITION_TIMELINES, PARTITIONS_PER_COMMIT, PARTITIONS_TOGETHER, RUN_BYTES,
};

#[derive(Clone, Copy, Debug)]
pub(crate) struct IndexConfig {
    pub(crate) chunk_entries: usize,
    pub(crate) window: u64,
    pub(crate) partition_timelines: u32,
    pub(crate) partitions_together: u32,
    pub(crate) run_bytes: usize,
    pub(crate) partition_runs: u32,
    pub(crate) partition_merged: u32,
    pub(crate) partition_bytes: usize,
    pub(crate) partitions_per_commit: usize,
    pub(crate) closing_rows: usize,
    pub(crate) page_entries: usize,
}

impl Default for IndexConfig {
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
