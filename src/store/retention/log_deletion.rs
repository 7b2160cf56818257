//! Deleting records from the log.

use std::ops::ControlFlow;

use rusqlite::Connection;

use crate::chat::{Event, Record};
use crate::id::Seq;
use crate::limits::{RETENTION_LOOK, RETENTION_ROWS};
use crate::store::damage::DamageLog;
use crate::store::error::StoreError;
use crate::store::log::rows;
use crate::store::log::segment::{EncodedSegment, Segment};
use crate::store::low_watermark;

/// The rows that one step deletes from the log. A row that has other records, too, is written again without them, so
/// that nothing of what is removed stays on the disk.
pub(super) struct LogDeletion {
    /// The keys of rows without any record that stays.
    whole: Vec<Seq>,
    shortened: Vec<EncodedSegment>,
    pub(super) messages: u64,
    /// The log was searched up to here.
    pub(super) upto: Seq,
    /// The search reached the end.
    pub(super) is_last: bool,
}

impl LogDeletion {
    /// Searches the log after `after` and up to `upto`, as much as one step may. Messages are due if they are in no
    /// timeline any more, other events up to `old`.
    pub(super) fn find(
        database: &Connection,
        damage: &DamageLog,
        old: Seq,
        (after, upto): (Seq, Seq),
    ) -> Result<Self, StoreError> {
        let mut found = Self { whole: Vec::new(), shortened: Vec::new(), messages: 0, upto: after, is_last: true };
        let mut searched = 0;
        rows::for_each(database, after, damage, |segment| {
            let is_full = found.whole.len() + found.shortened.len() >= RETENTION_ROWS || searched >= RETENTION_LOOK;
            if is_full || segment.first() > upto {
                found.is_last = !is_full;
                return Ok(ControlFlow::Break(()));
            }
            searched += found.search(database, segment, old, upto)?;
            Ok::<_, StoreError>(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// Finds the due records of a segment. Returns how many it has.
    fn search(&mut self, database: &Connection, segment: &Segment, old: Seq, upto: Seq) -> Result<usize, StoreError> {
        let mut due = Vec::new();
        let mut records = 0;
        for record in segment.records() {
            let Record { seq, event, .. } = record?;
            records += 1;
            if seq <= upto && is_due(database, old, seq, &event)? {
                self.messages += u64::from(matches!(event, Event::MessageSent(_)));
                due.push(seq);
            }
        }
        if due.len() == records {
            self.whole.push(segment.last());
        } else if !due.is_empty() {
            self.shortened.extend(segment.retain(|seq| due.binary_search(&seq).is_err()));
        }
        self.upto = segment.last().min(upto);
        Ok(records)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.shortened.is_empty()
    }

    pub(super) fn write(&self, transaction: &Connection) -> Result<(), StoreError> {
        self.whole.iter().try_for_each(|last| rows::delete(transaction, *last))?;
        Ok(self.shortened.iter().try_for_each(|segment| rows::replace(transaction, segment))?)
    }
}

fn is_due(database: &Connection, old: Seq, seq: Seq, event: &Event) -> Result<bool, StoreError> {
    let Event::MessageSent(message) = event else { return Ok(seq <= old) };
    for (timeline, _) in message.placements(seq) {
        if low_watermark::get(database, timeline)? < seq {
            return Ok(false);
        }
    }
    Ok(true)
}
