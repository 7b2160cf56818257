//! Recovery at opening: replays the log after the high-water mark into the memtable.

use std::collections::HashMap;
use std::ops::ControlFlow;

use rusqlite::Connection;

use crate::chat::{Entry, Event, Record, Timeline};
use crate::id::Seq;
use crate::limits::MAX_USERS;
use crate::store::damage::DamageLog;
use crate::store::error::StoreError;
use crate::store::index::config::IndexConfig;
use crate::store::index::partition::Partition;
use crate::store::index::run_stats::RunStatsTable;
use crate::store::index::{chunk, runs};
use crate::store::log::rows;
use crate::store::low_watermark;

/// Passes to `insert` the entries of the log after `mark` that are in no chunk and no run and were not removed, each
/// timeline's in ascending order.
pub(super) fn replay_log(
    database: &Connection,
    damage: &DamageLog,
    (mark, head): (Seq, Seq),
    (config, stats): (&IndexConfig, &RunStatsTable),
    mut insert: impl FnMut(Timeline, Entry),
) -> Result<(), StoreError> {
    let mut entries = read_log(database, damage, (mark, head), config)?;
    let removed: HashMap<_, _> = low_watermark::all(database)?.into_iter().collect();
    let partition = |(timeline, _): &(Timeline, Entry)| Partition::of(*timeline, config.partition_timelines);
    // In the order of the tables, so that the look-ups read each page once.
    entries.sort_unstable_by_key(|(timeline, entry)| (*timeline, entry.seq));
    for neighbours in entries.chunk_by(|one, other| partition(one) == partition(other)) {
        let Some(partition) = neighbours.first().map(partition) else { continue };
        let newest_in_runs =
            if stats.get(partition).is_empty() { Vec::new() } else { runs::newest(database, partition)? };
        for entries in neighbours.chunk_by(|(one, _), (other, _)| one == other) {
            let Some((timeline, _)) = entries.first() else { continue };
            let flushed = match newest_in_runs.get(usize::from(partition.slot(*timeline))) {
                Some(newest) if *newest > Seq(0) => *newest,
                _ => newest_in_chunks(database, *timeline)?,
            };
            let gone = flushed.max(removed.get(timeline).copied().unwrap_or_default());
            entries.iter().filter(|(_, entry)| entry.seq > gone).for_each(|(_, entry)| insert(*timeline, *entry));
        }
    }
    Ok(())
}

fn read_log(
    database: &Connection,
    damage: &DamageLog,
    (mark, head): (Seq, Seq),
    config: &IndexConfig,
) -> Result<Vec<(Timeline, Entry)>, StoreError> {
    // Two entries a message, allocated at once: while a list is grown it takes twice its size.
    let mut entries = Vec::with_capacity(2 * head.0.saturating_sub(mark.0).min(config.window) as usize);
    rows::for_each(database, mark, damage, |segment| {
        for record in segment.records() {
            let Record { seq, event, .. } = record?;
            if let Event::MessageSent(message) = event
                && seq > mark
            {
                entries.extend(message.placements(seq));
            }
        }
        Ok::<_, StoreError>(ControlFlow::Continue(()))
    })?;
    Ok(entries)
}

fn newest_in_chunks(database: &Connection, timeline: Timeline) -> Result<Seq, StoreError> {
    if matches!(timeline, Timeline::User(user) if user.0 >= MAX_USERS as u64) {
        return Err(StoreError::Damaged("a message of somebody that cannot be".into()));
    }
    chunk::newest(database, timeline)
}
