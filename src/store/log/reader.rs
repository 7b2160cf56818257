//! Reads records of the log by number.

use rusqlite::Connection;

use crate::chat::{Entry, Event, MessageBody, Record, StoredMessage, Timeline};
use crate::id::Seq;
use crate::store::damage::{Damage, DamageLog};
use crate::store::error::StoreError;
use crate::store::log::rows::{self, LogRow};
use crate::store::low_watermark;
use crate::time::Time;

/// Reads records, mostly neighbours: it keeps the newest row that it has read.
pub(crate) struct LogReader<'a> {
    database: &'a Connection,
    damage: &'a DamageLog,
    row: Option<LogRow>,
}

/// The result of looking for a record.
pub(crate) enum Found {
    Record(Record),
    /// No row has it.
    Missing,
    Damaged,
}

impl<'a> LogReader<'a> {
    pub(crate) fn new(database: &'a Connection, damage: &'a DamageLog) -> Self {
        Self { database, damage, row: None }
    }

    pub(crate) fn database(&self) -> &'a Connection {
        self.database
    }

    pub(crate) fn find(&mut self, seq: Seq) -> Result<Found, StoreError> {
        let is_read = matches!(&self.row, Some(LogRow::Intact(segment)) if segment.contains(seq));
        if !is_read {
            self.row = rows::ending_from(self.database, seq)?;
        }
        Ok(match &self.row {
            None => Found::Missing,
            Some(LogRow::Damaged(damage)) => self.damaged(damage.clone()),
            Some(LogRow::Intact(segment)) => match segment.record(seq) {
                Ok(Some(record)) => Found::Record(record),
                Ok(None) => Found::Missing,
                Err(_) => self.damaged(Damage::Log { first: seq, last: seq }),
            },
        })
    }

    fn damaged(&self, damage: Damage) -> Found {
        self.damage.report(damage);
        Found::Damaged
    }

    /// The message of an entry of a timeline; a mark if it is damaged, `None` if retention has removed it. A message is
    /// shown only in a timeline in which it places itself, so that no damage of the index shows it to others.
    pub(crate) fn message(&mut self, timeline: Timeline, entry: &Entry) -> Result<Option<StoredMessage>, StoreError> {
        let seq = entry.seq;
        match self.find(seq)? {
            Found::Record(Record { time, event: Event::MessageSent(message), .. })
                if message.placements(seq).any(|placement| placement == (timeline, *entry)) =>
            {
                return Ok(Some(StoredMessage { seq, time, body: message.body }));
            }
            Found::Record(_) => self.damage.report(Damage::Index(format!("entry {seq} of {timeline:?}").into())),
            Found::Missing if low_watermark::get(self.database, timeline)? >= seq => return Ok(None),
            Found::Missing => self.damage.report(Damage::Log { first: seq, last: seq }),
            Found::Damaged => {}
        }
        self.mark(seq).map(Some)
    }

    /// The message with a number, if it places itself in one of the timelines that `is_read` says; a mark if it is damaged.
    pub(crate) fn message_of(
        &mut self,
        seq: Seq,
        is_read: impl Fn(Timeline) -> bool,
    ) -> Result<Option<StoredMessage>, StoreError> {
        match self.find(seq)? {
            Found::Record(Record { time, event: Event::MessageSent(message), .. })
                if message.placements(seq).any(|(timeline, _)| is_read(timeline)) =>
            {
                Ok(Some(StoredMessage { seq, time, body: message.body }))
            }
            Found::Missing => Ok(None),
            Found::Record(_) | Found::Damaged => self.mark(seq).map(Some),
        }
    }

    fn mark(&self, seq: Seq) -> Result<StoredMessage, StoreError> {
        Ok(StoredMessage { seq, time: self.time_before(seq)?, body: MessageBody::damaged() })
    }

    /// The time of the row before, about when a damaged message was sent; 0 if that row is damaged, too.
    fn time_before(&self, seq: Seq) -> Result<Time, StoreError> {
        let before = rows::ending_before(self.database, seq)?;
        Ok(if let Some(LogRow::Intact(segment)) = before { segment.newest_time()? } else { Time(0) })
    }
}
