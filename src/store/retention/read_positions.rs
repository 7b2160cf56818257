//! How far the readers of each timeline have read. Cursors only move forward, so what was read stays read.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

use crate::chat::{Entry, Timeline};
use crate::id::{GroupId, Seq};
use crate::store::error::StoreError;
use crate::store::{columns, peers};

#[derive(Debug, Default)]
pub(super) struct ReadPositions {
    /// The ranges (after, upto] of each group that someone has not read. Groups without any are missing.
    groups: HashMap<GroupId, Vec<(Seq, Seq)>>,
    /// The lowest cursor of all users.
    everyone: Seq,
}

impl ReadPositions {
    pub(super) fn read(database: &Connection) -> Result<Self, StoreError> {
        let lowest = "SELECT min(cursor) FROM users WHERE NOT unregistered";
        let everyone: Option<u64> = database.query_row(lowest, [], |row| row.get(0))?;
        // Former members still read what was sent before they left. The present members are one range together.
        let sql = "SELECT group_id, min(max(cursor, joined)), \"left\" FROM members JOIN users ON users.id = user_id
            WHERE NOT unregistered AND (\"left\" IS NULL OR \"left\" > max(cursor, joined))
            GROUP BY group_id, \"left\"";
        let mut groups: HashMap<_, Vec<_>> = HashMap::new();
        columns::for_each_row(database, sql, |row| {
            let upto = row.get::<_, Option<u64>>(2)?.unwrap_or(u64::MAX);
            groups.entry(GroupId(row.get(0)?)).or_default().push((Seq(row.get(1)?), Seq(upto)));
            Ok(())
        })?;
        Ok(Self { groups, everyone: Seq(everyone.unwrap_or(u64::MAX)) })
    }

    /// Reads the cursor of a user or a peer from the database: there may be many, and each is needed once.
    pub(super) fn unread(&self, database: &Connection, timeline: Timeline) -> Result<Unread<'_>, StoreError> {
        Ok(match timeline {
            Timeline::Group(group) => self.groups.get(&group).map_or(Unread::NONE, |ranges| Unread::In(ranges)),
            Timeline::Broadcast => Unread::After(self.everyone),
            Timeline::Outbox(realm) => Unread::After(peers::outbox_cursor(database, realm)?),
            Timeline::User(user) => {
                let cursor: Option<u64> = database
                    .prepare_cached("SELECT cursor FROM users WHERE id = ?1 AND NOT unregistered")?
                    .query_row([user.0], |row| row.get(0))
                    .optional()?;
                Unread::ReceivedAfter(Seq(cursor.unwrap_or(u64::MAX)))
            }
        })
    }
}

/// The unread entries of a timeline.
pub(super) enum Unread<'a> {
    /// Those in the ranges (after, upto].
    In(&'a [(Seq, Seq)]),
    After(Seq),
    /// Those after this entry that the user received.
    ReceivedAfter(Seq),
}

impl Unread<'_> {
    pub(super) const NONE: Self = Self::In(&[]);

    pub(super) fn contains(&self, entry: &Entry) -> bool {
        match self {
            Self::In(ranges) => ranges.iter().any(|(after, upto)| *after < entry.seq && entry.seq <= *upto),
            Self::After(read) => entry.seq > *read,
            Self::ReceivedAfter(read) => !entry.sent && entry.seq > *read,
        }
    }
}
