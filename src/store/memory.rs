//! A store in memory that holds exactly what was committed. The tests' own.

use std::sync::{Arc, Mutex, MutexGuard};

use crate::chat::{ConversationPage, ConversationQuery, Event, Record, Snapshot, State, StoredMessage, TimelineQuery};
use crate::id::Seq;
use crate::name::Name;
use crate::settings::Durability;
use crate::store::error::{CommitError, StoreError};
use crate::store::interface::Store;
use crate::store::log_position::LogPosition;
use crate::store::page::{NewestPage, Page};
use crate::store::replica::ReplicaStore;
use crate::store::retention::sweep::{Sweep, Swept};

/// The committed records. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct MemoryDisk(Arc<Mutex<Contents>>);

#[derive(Default)]
struct Contents {
    records: Vec<Record>,
    position: Option<LogPosition>,
    /// How many of the records survive a power cut, and the position that does.
    synced: (usize, Option<LogPosition>),
}

impl Contents {
    fn sync(&mut self) {
        self.synced = (self.records.len(), self.position);
    }
}

impl MemoryDisk {
    pub(crate) fn copy(&self) -> Vec<Record> {
        self.contents().records.clone()
    }

    pub(crate) fn replace(&self, records: Vec<Record>) {
        self.contents().records = records;
    }

    /// Loses what was not synced.
    pub(crate) fn cut_power(&self) {
        let mut contents = self.contents();
        let (records, position) = contents.synced;
        contents.records.truncate(records);
        contents.position = position;
    }

    /// Loses everything.
    pub(crate) fn lose(&self) {
        *self.contents() = Contents::default();
    }

    /// Becomes as another disk is.
    pub(crate) fn take_snapshot(&self, of: &Self) {
        let (records, position) = (of.copy(), of.contents().position);
        let synced = (records.len(), position);
        *self.contents() = Contents { records, position, synced };
    }

    /// How many records survive a power cut.
    pub(crate) fn synced(&self) -> usize {
        self.contents().synced.0
    }

    pub(crate) fn position(&self) -> Option<LogPosition> {
        self.contents().position
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap()
    }

    pub(crate) fn state(&self, home: &Name) -> State {
        let mut state = State::new(home.clone());
        self.contents().records.iter().for_each(|record| state.apply(record));
        state
    }

    /// Whether a message with this text was committed.
    pub(crate) fn holds(&self, text: &str) -> bool {
        self.contents().records.iter().any(|record| match &record.event {
            Event::MessageSent(message) => message.body.fields().unwrap().msg == text,
            _ => false,
        })
    }
}

/// The store of one run of a server.
pub(crate) struct MemoryStore {
    pub(crate) disk: MemoryDisk,
    pub(crate) home: Name,
}

impl Store for MemoryStore {
    fn load(&self) -> Result<Snapshot, StoreError> {
        Ok(self.disk.state(&self.home).snapshot())
    }

    fn commit(&self, batch: &[Record]) -> Result<(), CommitError> {
        let mut contents = self.disk.contents();
        contents.records.extend_from_slice(batch);
        contents.sync();
        Ok(())
    }

    fn page(&self, view: &TimelineQuery, limit: usize) -> Result<Page, StoreError> {
        let contents = self.disk.contents();
        let records = &contents.records;
        let mut page = Page { upto: records.last().map_or(Seq(0), |record| record.seq), ..Page::default() };
        for Record { seq, time, event } in records.iter() {
            let Event::MessageSent(message) = event else { continue };
            let is_shown = message.placements(*seq).any(|(timeline, entry)| {
                let in_span =
                    |span: &crate::chat::SeqRange| span.timeline == timeline && span.after < *seq && *seq <= span.upto;
                view.spans.iter().any(in_span)
                    && view.matches_entry(timeline, &entry)
                    && view.matches_body(timeline, &entry, &message.body)
            });
            if !is_shown {
                continue;
            }
            if page.messages.len() == limit {
                page.upto = page.messages.last().map_or(Seq(0), |message| message.seq);
                page.more = true;
                break;
            }
            page.messages.push(StoredMessage { seq: *seq, time: *time, body: message.body.clone() });
        }
        Ok(page)
    }

    fn newest_page(&self, _: &TimelineQuery, _: usize) -> Result<NewestPage, StoreError> {
        Ok(NewestPage::default())
    }

    fn conversations(&self, _: &ConversationQuery) -> Result<ConversationPage, StoreError> {
        Ok(ConversationPage::default())
    }

    fn low_watermark(&self, _: &TimelineQuery) -> Result<Seq, StoreError> {
        Ok(Seq(0))
    }

    fn sweep(&self, _: &mut Sweep) -> Result<Swept, StoreError> {
        Ok(Swept::Wholly(0))
    }

    fn waits(&self) -> bool {
        false
    }

    fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl ReplicaStore for MemoryStore {
    fn position(&self) -> Result<Option<LogPosition>, StoreError> {
        Ok(self.disk.contents().position)
    }

    fn begin_replica(&self, at: &LogPosition) -> Result<(), StoreError> {
        let mut contents = self.disk.contents();
        contents.position = Some(*at);
        contents.sync();
        Ok(())
    }

    fn end_replica(&self) -> Result<bool, StoreError> {
        Ok(self.disk.contents().position.take().is_some())
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.disk.contents().sync();
        Ok(())
    }

    fn commit_up_to(&self, at: &LogPosition, batch: &[Record], durability: Durability) -> Result<(), CommitError> {
        let mut contents = self.disk.contents();
        contents.records.extend_from_slice(batch);
        contents.position = Some(*at);
        if durability == Durability::Sync {
            contents.sync();
        }
        Ok(())
    }
}
