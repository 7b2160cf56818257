//! Where a timeline is to be cut.

use std::collections::HashMap;
use std::ops::ControlFlow;

use rusqlite::{Connection, OptionalExtension};

use crate::chat::{Entry, Timeline};
use crate::id::{GroupId, Seq};
use crate::limits::RETENTION_CHUNKS;
use crate::store::index::chunk::{self, Chunk, Direction};
use crate::store::retention::Sweep;
use crate::store::{StoreError, links, removed};

/// How far those have read who share a timeline. Cursors only go forward, so that what was read stays read.
#[derive(Debug, Default)]
pub(super) struct Readers {
    /// What somebody has not read of each group's messages: after the one entry, up to and with the other. A group of
    /// which everything is read is not here.
    groups: HashMap<GroupId, Vec<(Seq, Seq)>>,
    /// The slowest user.
    everyone: Seq,
}

impl Readers {
    pub(super) fn of(database: &Connection) -> Result<Self, StoreError> {
        let slowest = "SELECT min(cursor) FROM users WHERE NOT unregistered";
        let everyone: Option<u64> = database.query_row(slowest, [], |row| row.get(0))?;
        // Who has left still reads what came before; those who are still there are one interval together.
        let mut statement = database.prepare(
            "SELECT group_id, min(max(cursor, joined)), \"left\" FROM members JOIN users ON users.id = user_id
                WHERE NOT unregistered AND (\"left\" IS NULL OR \"left\" > max(cursor, joined))
                GROUP BY group_id, \"left\"",
        )?;
        let mut rows = statement.query([])?;
        let mut groups: HashMap<_, Vec<_>> = HashMap::new();
        while let Some(row) = rows.next()? {
            let upto = row.get::<_, Option<u64>>(2)?.unwrap_or(u64::MAX);
            groups.entry(GroupId(row.get(0)?)).or_default().push((Seq(row.get(1)?), Seq(upto)));
        }
        Ok(Self { groups, everyone: Seq(everyone.unwrap_or(u64::MAX)) })
    }
}

/// What is to be cut off a timeline.
pub(super) struct Cut {
    pub(super) timeline: Timeline,
    /// The newest entry that goes.
    pub(super) upto: Seq,
    /// Chunks that go as a whole.
    whole: Vec<Seq>,
    /// The chunk that loses its older entries.
    short: Option<Chunk>,
    /// The oldest entry that goes.
    pub(super) first: Seq,
    /// The timeline is to be cut further by another step.
    pub(super) more: bool,
}

impl Cut {
    /// How many rows it writes.
    pub(super) fn rows(&self) -> usize {
        self.whole.len() + 2
    }

    pub(super) fn make(&self, database: &Connection) -> Result<(), StoreError> {
        for last in &self.whole {
            chunk::delete(database, self.timeline, *last)?;
        }
        if let Some(short) = &self.short {
            chunk::shorten(database, self.timeline, short)?;
        }
        Ok(removed::raise(database, self.timeline, self.upto)?)
    }
}

/// Looks where a timeline is to be cut; adds to `looked` how many chunks it looked at. `recent` tells how many entries of
/// it are in memory. What went from there to a run since is not counted: more is kept then, and never less.
pub(super) fn find(
    database: &Connection,
    sweep: &Sweep,
    timeline: Timeline,
    recent: impl FnOnce() -> usize,
    looked: &mut usize,
) -> Result<Option<Cut>, StoreError> {
    let aged = if sweep.rules.before.is_some() { sweep.old } else { Seq(0) };
    let surplus = match sweep.rules.newest {
        Some(newest) => surplus(database, timeline, newest, recent, looked)?,
        None => Seq(0),
    };
    // What waits for another server was acknowledged to its sender: no rule takes it.
    let spares_unread = !sweep.rules.unread || matches!(timeline, Timeline::Outbox(_));
    let unread = if spares_unread { Unread::of(database, &sweep.readers, timeline)? } else { Unread::NONE };
    let goes = |entry: &Entry| entry.seq <= aged.max(surplus) && !unread.holds(entry);
    let mut cut = Cut { timeline, upto: Seq(0), whole: Vec::new(), short: None, first: Seq(0), more: false };
    chunk::walk(database, timeline, Direction::Forward, |Chunk { last, mut entries }| {
        *looked += 1;
        let going = entries.iter().take_while(|entry| goes(entry)).count();
        let Some(newest) = going.checked_sub(1).and_then(|at| entries.get(at)) else { return ControlFlow::Break(()) };
        cut.upto = newest.seq;
        if cut.first == Seq(0) {
            cut.first = entries.first().map_or(Seq(0), |entry| entry.seq);
        }
        if going < entries.len() {
            cut.short = Some(Chunk { last, entries: entries.split_off(going) });
            return ControlFlow::Break(());
        }
        cut.whole.push(last);
        cut.more = cut.whole.len() >= RETENTION_CHUNKS;
        if cut.more { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok((cut.upto > Seq(0)).then_some(cut))
}

/// The newest entry of a timeline that is not among its newest `newest`, 0 where there is none in the chunks.
fn surplus(
    database: &Connection,
    timeline: Timeline,
    newest: usize,
    recent: impl FnOnce() -> usize,
    looked: &mut usize,
) -> Result<Seq, StoreError> {
    let mut surplus = Seq(0);
    let mut recent = Some(recent);
    let mut kept = 0;
    chunk::walk(database, timeline, Direction::Back, |Chunk { entries, .. }| {
        *looked += 1;
        kept += recent.take().map_or(0, |count| count()) + entries.len();
        let Some(over) = kept.checked_sub(newest + 1) else { return ControlFlow::Continue(()) };
        // The table is walked back: `over` older entries of this chunk stand before the newest that goes.
        let newest_that_goes = entries.get(over.min(entries.len() - 1));
        surplus = newest_that_goes.map_or(Seq(0), |entry| entry.seq);
        ControlFlow::Break(())
    })?;
    Ok(surplus)
}

/// What of a timeline counts as unread.
enum Unread<'a> {
    /// What came after the one entry, up to and with the other.
    In(&'a [(Seq, Seq)]),
    /// What came after this entry.
    After(Seq),
    /// What was received after this entry.
    ReceivedAfter(Seq),
}

impl<'a> Unread<'a> {
    const NONE: Self = Self::In(&[]);

    fn of(database: &Connection, readers: &'a Readers, timeline: Timeline) -> Result<Self, StoreError> {
        Ok(match timeline {
            Timeline::Group(group) => readers.groups.get(&group).map_or(Self::NONE, |unread| Self::In(unread)),
            Timeline::Broadcast => Self::After(readers.everyone),
            Timeline::Outbox(realm) => Self::After(links::outbox_cursor(database, realm)?),
            Timeline::User(user) => {
                let cursor: Option<u64> = database
                    .prepare_cached("SELECT cursor FROM users WHERE id = ?1 AND NOT unregistered")?
                    .query_row([user.0], |row| row.get(0))
                    .optional()?;
                Self::ReceivedAfter(Seq(cursor.unwrap_or(u64::MAX)))
            }
        })
    }

    fn holds(&self, entry: &Entry) -> bool {
        match self {
            Self::In(unread) => unread.iter().any(|(after, upto)| *after < entry.seq && entry.seq <= *upto),
            Self::After(read) => entry.seq > *read,
            Self::ReceivedAfter(read) => !entry.sent && entry.seq > *read,
        }
    }
}
