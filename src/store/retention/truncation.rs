//! Truncating a timeline at its old end.

use std::ops::ControlFlow;

use rusqlite::Connection;

use crate::chat::Timeline;
use crate::id::Seq;
use crate::limits::RETENTION_CHUNKS;
use crate::store::error::StoreError;
use crate::store::index::chunk::{self, Chunk, Direction};
use crate::store::low_watermark;
use crate::store::retention::rules::Limits;

/// The entries to remove from a timeline in one step.
pub(super) struct Truncation {
    timeline: Timeline,
    /// The oldest entry to remove.
    pub(super) first: Seq,
    /// The newest entry to remove.
    upto: Seq,
    /// The chunks to delete.
    whole: Vec<Seq>,
    /// The chunk that loses its older entries, with the others.
    shortened: Option<Chunk>,
    /// A further step must continue with this timeline.
    pub(super) has_more: bool,
}

impl Truncation {
    /// The number of rows to write.
    pub(super) fn rows(&self) -> usize {
        self.whole.len() + 2
    }

    pub(super) fn write(&self, transaction: &Connection) -> Result<(), StoreError> {
        for last in &self.whole {
            chunk::delete(transaction, self.timeline, *last)?;
        }
        if let Some(shortened) = &self.shortened {
            chunk::replace_entries(transaction, self.timeline, shortened)?;
        }
        Ok(low_watermark::advance(transaction, self.timeline, self.upto)?)
    }

    /// Finds what to remove from a timeline; `None` if nothing is due. Adds the number of chunks read to `chunks_read`.
    /// `in_memory` returns the number of the timeline's entries in memory. Entries that were flushed to a run in the
    /// meantime are not counted: then more is kept, never less.
    pub(super) fn find(
        database: &Connection,
        limits: &Limits,
        timeline: Timeline,
        in_memory: impl FnOnce() -> usize,
        chunks_read: &mut usize,
    ) -> Result<Option<Self>, StoreError> {
        let surplus = match limits.rules.newest {
            Some(newest) => surplus(database, timeline, newest, in_memory, chunks_read)?,
            None => Seq(0),
        };
        let unread = limits.unread(database, timeline)?;
        let mut found =
            Self { timeline, first: Seq(0), upto: Seq(0), whole: Vec::new(), shortened: None, has_more: false };
        chunk::walk(database, timeline, Direction::Forward, |Chunk { last, mut entries }| {
            *chunks_read += 1;
            let due = entries.iter().take_while(|entry| limits.is_due(entry, surplus, &unread)).count();
            let Some(newest) = due.checked_sub(1).and_then(|at| entries.get(at)) else { return ControlFlow::Break(()) };
            found.upto = newest.seq;
            if found.first == Seq(0) {
                found.first = entries.first().map_or(Seq(0), |entry| entry.seq);
            }
            if due < entries.len() {
                found.shortened = Some(Chunk { last, entries: entries.split_off(due) });
                return ControlFlow::Break(());
            }
            found.whole.push(last);
            found.has_more = found.whole.len() >= RETENTION_CHUNKS;
            if found.has_more { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok((found.upto > Seq(0)).then_some(found))
    }
}

/// The newest entry in chunks that is not among the newest `newest` of the timeline, 0 if there is none.
fn surplus(
    database: &Connection,
    timeline: Timeline,
    newest: usize,
    in_memory: impl FnOnce() -> usize,
    chunks_read: &mut usize,
) -> Result<Seq, StoreError> {
    let mut surplus = Seq(0);
    // Counted only if the timeline has chunks.
    let mut in_memory = Some(in_memory);
    let mut seen = 0;
    chunk::walk(database, timeline, Direction::Reverse, |Chunk { entries, .. }| {
        *chunks_read += 1;
        seen += in_memory.take().map_or(0, |count| count()) + entries.len();
        let Some(over) = seen.checked_sub(newest + 1) else { return ControlFlow::Continue(()) };
        // `over` entries of this chunk are older than the newest surplus one.
        surplus = entries.get(over.min(entries.len() - 1)).map_or(Seq(0), |entry| entry.seq);
        ControlFlow::Break(())
    })?;
    Ok(surplus)
}
