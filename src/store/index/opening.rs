//! What an opening reads again: the entries that stand in the log alone.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::chat::{Entry, Event, Timeline};
use crate::id::Seq;
use crate::limits::MAX_USERS;
use crate::store::index::partition::Partition;
use crate::store::index::{Index, chunk, runs};
use crate::store::{StoreError, record, removed};

impl Index {
    /// Reads what the log has after the mark.
    pub(super) fn read_log(&mut self, database: &Connection) -> Result<(), StoreError> {
        // Two entries a message: a list that grew would hold twice as much while it is copied.
        let mut entries =
            Vec::with_capacity(2 * self.head.0.saturating_sub(self.mark.0).min(self.tuning.window) as usize);
        let mut statement =
            database.prepare("SELECT seq, event FROM log WHERE seq > ?1 AND body IS NOT NULL ORDER BY seq")?;
        let mut rows = statement.query([self.mark.0])?;
        while let Some(row) = rows.next()? {
            let event = record::decode(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?;
            if let Event::MessageSent(message) = event {
                entries.extend(message.placements(Seq(row.get(0)?)));
            }
        }
        self.insert_unstored(database, entries)
    }

    /// Adds those entries that stand neither in a chunk nor in a run and were not removed either. They are looked up in
    /// the order of the tables, so that each page is read once.
    fn insert_unstored(
        &mut self,
        database: &Connection,
        mut entries: Vec<(Timeline, Entry)>,
    ) -> Result<(), StoreError> {
        let removed: HashMap<_, _> = removed::all(database)?.into_iter().collect();
        let size = self.tuning.partition_timelines;
        let partition = |(timeline, _): &(Timeline, Entry)| Partition::of(*timeline, size);
        entries.sort_unstable_by_key(|(timeline, entry)| (*timeline, entry.seq));
        for neighbours in entries.chunk_by(|one, other| partition(one) == partition(other)) {
            let newest_in_runs = match neighbours.first().and_then(|(timeline, _)| self.runs_of(*timeline, Seq(0))) {
                Some(partition) => runs::newest(database, partition)?,
                None => Vec::new(),
            };
            for entries in neighbours.chunk_by(|(one, _), (other, _)| one == other) {
                let Some(first @ (timeline, _)) = entries.first() else { continue };
                let in_runs = newest_in_runs.get(usize::from(partition(first).place(*timeline)));
                let upto = match in_runs {
                    Some(newest) if *newest > Seq(0) => *newest,
                    _ => newest_chunked(database, *timeline)?,
                };
                let upto = upto.max(removed.get(timeline).copied().unwrap_or_default());
                entries
                    .iter()
                    .filter(|(_, entry)| entry.seq > upto)
                    .for_each(|(_, entry)| self.insert(*timeline, *entry));
            }
        }
        Ok(())
    }
}

/// The newest entry of a timeline's chunks.
fn newest_chunked(database: &Connection, timeline: Timeline) -> Result<Seq, StoreError> {
    let (_, owner) = chunk::key(timeline);
    if owner as usize >= MAX_USERS {
        return Err(StoreError::Damaged("a message of somebody that cannot be".into()));
    }
    chunk::newest(database, timeline)
}
