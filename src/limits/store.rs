//! The store, retention, and what is read and written as a whole.

use std::time::Duration;

// --- the store ---

/// Timeline entries at which a chunk row is written, with all that the timeline has then, at most twice as many: 1 to 4 KB.
/// A chunk is decoded as a whole, some microseconds, and each costs a write to a page of keys.
pub const CHUNK_ENTRIES: usize = 512;
/// Neighbouring timelines in a partition, whose few new entries share a row of the index, a run. A larger partition means
/// fewer pages to write, a smaller one less to decode per timeline. Part of the stored format: changing it needs a new
/// version of the store.
pub const PARTITION_TIMELINES: u32 = 128;
/// Neighbouring partitions that are compacted in the same flush cycle: their runs are in the same pages.
pub const PARTITIONS_TOGETHER: u32 = 64;
/// A partition with at least so many new bytes is flushed to chunks, not to a run: some 16 entries per timeline are worth a
/// row each.
pub const RUN_BYTES: usize = 16 * 1024;
/// Runs per partition before they are merged. For some partitions it is half as many, so that not all are merged in the
/// same flush cycle, which would take twice as long.
pub const PARTITION_RUNS: u32 = 24;
/// Merged runs per partition before all its runs are split into chunks. Together with [`PARTITION_RUNS`] it bounds the runs
/// that a read of one timeline scans.
pub const PARTITION_MERGED: u32 = 8;
/// Bytes of runs per partition before they are split into chunks: then most chunks are full.
pub const PARTITION_BYTES: usize = 128 * 1024;
/// Log entries after the high-water mark of the timeline index. Bounds the memtable (some 10 MB, and 70 bytes per timeline
/// in it) and recovery after a crash (half a second, or two if every entry is of another timeline). A flush cycle is half of
/// it: a longer one writes fuller rows.
pub const INDEX_WINDOW: u64 = 512 * 1024;
/// The fewest partitions that a commit flushes, if any: neighbouring partitions share pages.
pub const PARTITIONS_PER_COMMIT: usize = 8;
/// The page cache of the writing connection, in KiB. Few pages are changed repeatedly, and after a commit that moved pages
/// SQLite visits the whole cache.
pub const WRITER_CACHE_KIB: u32 = 4 * 1024;
/// The page cache of each reading connection, in KiB.
pub const READER_CACHE_KIB: u32 = 4 * 1024;
/// Pages (of 4 KiB) in the write-ahead log at which the checkpointer starts to copy them, off the commit path.
pub const WAL_CHECKPOINT_PAGES: u32 = 2_000;
/// Pages at which a commit waits for the checkpointer: bounds the log at 128 MB on a disk that cannot keep up.
pub const WAL_MAX_PAGES: u32 = 32_000;
/// Pages that a commit copies itself after the checkpointer, so that SQLite overwrites the log instead of growing it, which
/// is twice as fast to sync: 1 MB, no more than a large batch writes.
pub const WAL_REST_PAGES: u32 = 256;
/// The longest row of the log, unless one record is longer: with its key it fits in a page of 4 KiB.
pub const SEGMENT_BYTES: usize = 4_048;
/// Damaged places that the server logs, each once: an operator needs a restore by then, not more lines.
pub const DAMAGE_REPORTS: usize = 100;
/// How long commits may wait for readers when a sweep erases the write-ahead log: a page is read in less.
pub const WAL_TRUNCATE: Duration = Duration::from_millis(100);
/// Index rows, or the cost of as many, in one transaction of a closing store: about 4 MB.
pub const CLOSING_ROWS: usize = 4_096;
/// Timeline entries that one page scans, matching or not: some 8,000 chunks, a tenth of a second.
pub const PAGE_ENTRIES: usize = 1024 * 1024;
/// How long a statement waits for a lock of another process, for example an operator's shell that writes.
pub const STORE_BUSY: Duration = Duration::from_secs(5);
/// Prepared statements that a connection to the store caches: more than there are.
pub const STATEMENTS: usize = 64;

// --- retention ---

/// The interval between sweeps.
pub const RETENTION_ROUND: Duration = Duration::from_secs(3600);
/// The pause between two steps of a sweep: with steps of a few milliseconds, commits rarely wait for one.
pub const RETENTION_PAUSE: Duration = Duration::from_millis(10);
/// Log rows, each a page, that one step of a sweep deletes or writes again: about two milliseconds.
pub const RETENTION_ROWS: usize = 64;
/// Index rows that one step of a sweep writes: about two milliseconds.
pub const RETENTION_CHUNKS: usize = 128;
/// Log records or index rows that one step of a sweep reads, which blocks nothing: about ten milliseconds of one reading connection.
pub const RETENTION_LOOK: usize = 4_096;
/// Free pages (of 4 KiB) that one step of a sweep returns to the file system; each costs moving another page.
pub const RETENTION_PAGES: u32 = 128;

// --- backup, export, import ---

/// Pages (of 4 KiB) that one step of a backup copies: between steps it reports progress and handles an interrupt.
pub const BACKUP_PAGES: i32 = 1_024;
/// Lines between two looks at the clock for showing progress.
pub const PROGRESS_STEP: u64 = 1_024;
/// How often progress is shown: often enough to be seen moving.
pub const PROGRESS_SHOWN: Duration = Duration::from_millis(100);
/// The longest line of an import, in bytes: the longest message, every byte of it escaped, twice over.
pub const IMPORT_LINE_BYTES: usize = 1024 * 1024;
/// Records that an import appends in one transaction …
pub const IMPORT_BATCH_RECORDS: usize = 4_096;
/// … or bytes of message bodies.
pub const IMPORT_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// The page cache of an import or a backup, in KiB.
pub const IMPORT_CACHE_KIB: u32 = 64 * 1024;
/// Bytes of an export or an import that are read or written at a time.
pub const TRANSFER_BUFFER_BYTES: usize = 1024 * 1024;
