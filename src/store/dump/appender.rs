//! Appends records to a store in the making as a server does, without its syncs.

use rusqlite::Connection;

use crate::chat::{Event, Record};
use crate::limits::{IMPORT_BATCH_BYTES, IMPORT_BATCH_RECORDS};
use crate::store::damage::DamageLog;
use crate::store::error::{CommitError, StoreError};
use crate::store::index::config::IndexConfig;
use crate::store::index::timeline_index::Index;
use crate::store::log::segment;
use crate::store::writer::Writer;

pub(super) struct Appender {
    writer: Writer,
    index: Index,
    batch: Vec<Record>,
    /// Of the message bodies in the batch.
    bytes: usize,
}

impl Appender {
    pub(super) fn new(database: Connection, damage: &DamageLog) -> Result<Self, StoreError> {
        let index = Index::open(&database, IndexConfig::default(), damage)?;
        Ok(Self { writer: Writer::new(database), index, batch: Vec::new(), bytes: 0 })
    }

    pub(super) fn append(&mut self, record: Record) -> Result<(), StoreError> {
        if let Event::MessageSent(message) = &record.event {
            self.bytes += message.body.size();
        }
        self.batch.push(record);
        if self.batch.len() < IMPORT_BATCH_RECORDS && self.bytes < IMPORT_BATCH_BYTES { Ok(()) } else { self.commit() }
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let segments = segment::encode(&self.batch)?;
        let plan = self.index.plan_commit(self.batch.len());
        self.writer
            .commit(self.index.head(), (&self.batch, &segments), &plan, None)
            .map_err(CommitError::into_cause)?;
        self.index.apply(&plan, &self.batch);
        self.batch.clear();
        self.bytes = 0;
        Ok(())
    }

    /// Commits the rest and closes the database.
    pub(super) fn finish(mut self) -> Result<(), StoreError> {
        self.commit()?;
        let mut after = None;
        while let Some((plan, last)) = self.index.plan_closing(after) {
            self.writer.commit(self.index.head(), (&[], &[]), &plan, None).map_err(CommitError::into_cause)?;
            self.index.apply(&plan, &[]);
            after = last;
        }
        Ok(())
    }
}
