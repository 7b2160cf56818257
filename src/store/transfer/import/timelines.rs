//! The timeline index of an import: as many entries as fit are sorted by timeline, then written as chunks in the order of
//! the table, which costs a fraction of writing them as they come.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::chat::{Entry, Message, Timeline};
use crate::id::Seq;
use crate::limits::{CHUNK_ENTRIES, IMPORT_ENTRIES};
use crate::store::index::chunk;
use crate::store::{StoreError, removed};

#[derive(Default)]
pub(super) struct Timelines {
    entries: Vec<(Timeline, Entry)>,
    removed: HashMap<Timeline, Seq>,
}

impl Timelines {
    /// Notes that nothing up to `upto` is to stand in a timeline.
    pub(super) fn remove(&mut self, database: &Connection, timeline: Timeline, upto: Seq) -> Result<(), StoreError> {
        self.removed.insert(timeline, upto);
        Ok(removed::raise(database, timeline, upto)?)
    }

    pub(super) fn add(&mut self, database: &Connection, seq: Seq, message: &Message) -> Result<(), StoreError> {
        if self.entries.len() + 2 > IMPORT_ENTRIES {
            self.write(database)?;
        }
        let removed = |timeline: &Timeline| self.removed.get(timeline).is_some_and(|upto| seq <= *upto);
        self.entries.extend(message.placements(seq).filter(|(timeline, _)| !removed(timeline)));
        Ok(())
    }

    pub(super) fn write(&mut self, database: &Connection) -> Result<(), StoreError> {
        self.entries.sort_unstable_by_key(|(timeline, entry)| (*timeline, entry.seq));
        for timeline in self.entries.chunk_by(|(one, _), (other, _)| one == other) {
            let packed = |part: &[(Timeline, Entry)]| {
                let (timeline, _) = part.first()?;
                Some((*timeline, part.iter().map(|(_, entry)| *entry).collect()))
            };
            let chunks: Vec<_> = timeline.chunks(CHUNK_ENTRIES).filter_map(packed).collect();
            chunk::insert(database, &chunks)?;
        }
        self.entries.clear();
        Ok(())
    }
}
