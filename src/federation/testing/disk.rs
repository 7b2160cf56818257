//! A store in memory that holds exactly what was committed.

use std::sync::{Arc, Mutex};

use crate::chat::{ConversationPage, ConversationQuery, Event, Record, Snapshot, State, StoredMessage, TimelineQuery};
use crate::id::Seq;
use crate::name::Name;
use crate::store::{CommitError, NewestPage, Page, Store, StoreError, Sweep, Swept};

/// The committed records. Clones share them.
#[derive(Clone, Default)]
pub(in crate::federation) struct Disk(Arc<Mutex<Vec<Record>>>);

impl Disk {
    pub(in crate::federation) fn copy(&self) -> Vec<Record> {
        self.0.lock().unwrap().clone()
    }

    pub(in crate::federation) fn replace(&self, records: Vec<Record>) {
        *self.0.lock().unwrap() = records;
    }

    pub(in crate::federation) fn state(&self, home: &Name) -> State {
        let mut state = State::new(home.clone());
        self.0.lock().unwrap().iter().for_each(|record| state.apply(record));
        state
    }

    /// Whether a message with this text was committed.
    pub(in crate::federation) fn holds(&self, text: &str) -> bool {
        let records = self.0.lock().unwrap();
        records.iter().any(|record| match &record.event {
            Event::MessageSent(message) => message.body.fields().unwrap().msg == text,
            _ => false,
        })
    }
}

/// The store of one run of a server.
pub(in crate::federation) struct DiskStore {
    pub(in crate::federation) disk: Disk,
    pub(in crate::federation) home: Name,
}

impl Store for DiskStore {
    fn load(&self) -> Result<Snapshot, StoreError> {
        Ok(self.disk.state(&self.home).snapshot())
    }

    fn commit(&self, batch: &[Record]) -> Result<(), CommitError> {
        self.disk.0.lock().unwrap().extend_from_slice(batch);
        Ok(())
    }

    fn page(&self, view: &TimelineQuery, limit: usize) -> Result<Page, StoreError> {
        let records = self.disk.0.lock().unwrap();
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
