//! Rules of what retention may remove.

use rusqlite::Connection;

use crate::chat::{Entry, Timeline};
use crate::id::Seq;
use crate::store::error::StoreError;
use crate::store::retention::read_positions::{ReadPositions, Unread};
use crate::time::Time;

/// A message is due if it is too old or too many newer ones are in its timeline. Unless `unread` is set, retention keeps
/// unread messages, and everything after them in their timeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Messages and other events from before this time are due.
    pub before: Option<Time>,
    /// Messages that are not among the newest so many of their timeline are due.
    pub newest: Option<usize>,
    /// Remove unread messages, too. A direct message is unread if the receiver's cursor is before it, a group message if
    /// the cursor of anyone who was a member then is, a broadcast if any user's is. Unregistered users do not count.
    pub unread: bool,
}

/// The rules, applied to a store at the start of a sweep.
#[derive(Debug, Default)]
pub(super) struct Limits {
    pub(super) rules: Rules,
    /// The newest log entry from before [`Rules::before`].
    pub(super) old: Seq,
    pub(super) positions: ReadPositions,
}

impl Limits {
    /// The entries of a timeline that stay because they are unread. Unacknowledged outbox entries must in any case:
    /// their senders were told that they are on their way.
    pub(super) fn unread(&self, database: &Connection, timeline: Timeline) -> Result<Unread<'_>, StoreError> {
        if self.rules.unread && !matches!(timeline, Timeline::Outbox(_)) {
            return Ok(Unread::NONE);
        }
        self.positions.unread(database, timeline)
    }

    pub(super) fn is_due(&self, entry: &Entry, surplus: Seq, unread: &Unread<'_>) -> bool {
        entry.seq <= self.old.max(surplus) && !unread.contains(entry)
    }
}
