//! The timeline index: which log entries belong to which timeline. It is a log-structured merge tree:
//!
//! | part | where | name elsewhere |
//! |---|---|---|
//! | [`memtable`] | memory: the newest entries of each timeline | memtable |
//! | [`runs`] | a row: the entries that the memtable had of up to 128 neighbouring timelines, a *partition* | level 0 segment |
//! | merged runs | a row made of all level 0 runs of a partition | level 1 segment |
//! | [`chunk`] | a row: up to 128 consecutive entries of one timeline | last level |
//!
//! Of each timeline, chunks are older than runs and runs older than the memtable, so a reader concatenates the three.
//! [`flush_plan`] decides what the transaction of a commit flushes and compacts; [`recovery`] replays the log after the
//! last complete flush cycle.

pub(super) mod chunk;
pub(super) mod config;
pub(super) mod encoding;
pub(super) mod flush_plan;
mod memtable;
mod number_map;
pub(super) mod partition;
mod recovery;
mod run_stats;
pub(super) mod runs;
pub(super) mod timeline_index;
