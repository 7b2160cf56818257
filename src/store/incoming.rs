//! The store of another node that is being received: it takes the place of the one in a data directory once it is complete
//! and verified. Until then that one stays as it is, and whatever interrupts this leaves nothing in the way.

#[cfg(test)]
mod tests;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use crate::id::Seq;
use crate::limits::{SNAPSHOT_COMPARED, SNAPSHOT_SYNC_BYTES};
use crate::store::damage::DamageLog;
use crate::store::directory::{DATABASE, Directory, TEMP_DATABASE, TempDatabase};
use crate::store::error::StoreError;
use crate::store::log::head;
use crate::store::log::reader::{Found, LogReader};
use crate::store::log_position::{self, LogPosition};
use crate::store::progress::Progress;
use crate::store::usage::free_bytes;
use crate::store::{connection, schema, verify};

/// A store that is being received beside the one of a data directory, whose lock must be held.
pub struct IncomingStore {
    directory: PathBuf,
    temp: TempDatabase,
    file: File,
    hash: Sha256,
    /// What was written since the last sync.
    unsynced: usize,
}

impl IncomingStore {
    /// Begins to receive a store of so many bytes.
    ///
    /// # Errors
    /// If the directory cannot be written, or its disk has no room beside `reserve` bytes.
    pub fn begin(directory: &Path, bytes: u64, reserve: u64) -> Result<Self, StoreError> {
        let unusable = |source| StoreError::Directory { directory: directory.to_owned(), source };
        let _left_by_an_attempt_before = fs::remove_file(directory.join(TEMP_DATABASE));
        let (free, needed) = (free_bytes(directory).map_err(unusable)?, bytes.saturating_add(reserve));
        if free < needed {
            return Err(StoreError::NoRoom { directory: directory.to_owned(), free, needed });
        }
        let temp = TempDatabase::create(directory)?;
        let file = OpenOptions::new().append(true).open(temp.path()).map_err(unusable)?;
        Ok(Self { directory: directory.to_owned(), temp, file, hash: Sha256::new(), unsynced: 0 })
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.hash.update(bytes);
        self.unsynced += bytes.len();
        self.append(bytes).map_err(|source| StoreError::Directory { directory: self.directory.clone(), source })
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        if self.unsynced < SNAPSHOT_SYNC_BYTES {
            return Ok(());
        }
        self.unsynced = 0;
        self.file.sync_data()
    }

    /// All bytes are there: reads all of the store, and verifies it.
    ///
    /// # Errors
    /// If the bytes are not those with this SHA-256, or are no store of a node of this version, or part of it is damaged.
    pub fn complete(self, sent: &[u8; 32], progress: &mut dyn FnMut(Progress)) -> Result<ReceivedStore, StoreError> {
        let Self { directory, temp, file, hash, .. } = self;
        if <[u8; 32]>::from(hash.finalize()) != *sent {
            return Err(StoreError::DamagedCopy);
        }
        file.sync_all().map_err(|source| StoreError::Directory { directory: directory.clone(), source })?;
        let mut database = connection::open_unwritable(&temp.path())?;
        schema::check(&database, &directory)?;
        let position = log_position::read(&database)?.ok_or(StoreError::NoReplica)?;
        if let Some(damage) = verify::verify_database(&mut database, progress)?.damage.first() {
            return Err(StoreError::Damaged(damage.to_string().into()));
        }
        Ok(ReceivedStore { directory, temp, position })
    }
}

/// A store that was received and verified.
pub struct ReceivedStore {
    directory: PathBuf,
    temp: TempDatabase,
    position: LogPosition,
}

impl ReceivedStore {
    /// The place up to which it has the cluster's log.
    #[must_use]
    pub fn position(&self) -> LogPosition {
        self.position
    }

    /// Returns an error unless it is a later state of the store in the directory, as far as can be told: it goes further, and
    /// the newest entries of that store are the same in both.
    ///
    /// # Errors
    /// [`StoreError::OtherHistory`], or if one of them cannot be read.
    pub fn check_history(&self) -> Result<(), StoreError> {
        let here = connection::open_reader(&self.directory.join(DATABASE))?;
        let received = connection::open_unwritable(&self.temp.path())?;
        let (newest, _) = head::read(&here)?;
        let known = log_position::read(&here)?.map_or(Seq(0), |position| position.seq);
        if newest == known && newest <= self.position.seq && is_same(&here, &received, newest)? {
            return Ok(());
        }
        Err(StoreError::OtherHistory(self.directory.clone()))
    }

    /// Takes the place of the store in the directory, which must be closed. That one stays under another name, which is
    /// returned, unless it is empty; an older one that was kept so is removed.
    ///
    /// # Errors
    /// If the disk refuses. Then the directory has either of the two stores.
    pub fn replace(self, directory: &Directory) -> Result<Option<PathBuf>, StoreError> {
        let newest = newest_of(&directory.database())?;
        directory.clear_wal()?;
        let kept = newest.map(|newest| directory.keep_database(newest)).transpose()?;
        self.temp.finish()?;
        if let Some(kept) = &kept {
            let forgotten = directory.forget_databases_except(kept);
            forgotten.map_err(|source| StoreError::Directory { directory: self.directory, source })?;
        }
        Ok(kept)
    }
}

/// The newest entry of a database that is closed; `None` if it has none.
fn newest_of(database: &Path) -> Result<Option<Seq>, StoreError> {
    if fs::metadata(database).is_ok_and(|found| found.len() == 0) {
        return Ok(None);
    }
    let (newest, _) = head::read(&connection::open_unwritable(database)?)?;
    Ok(Some(newest).filter(|newest| *newest > Seq(0)))
}

/// Whether the newest entries up to one are the same in both. What retention has removed from one of them, or is damaged in
/// the older one, tells nothing.
fn is_same(older: &Connection, later: &Connection, newest: Seq) -> Result<bool, StoreError> {
    let (older_damage, later_damage) = (DamageLog::new("".into()), DamageLog::new("".into()));
    let (mut older, mut later) = (LogReader::new(older, &older_damage), LogReader::new(later, &later_damage));
    for seq in (newest.0.saturating_sub(SNAPSHOT_COMPARED)..=newest.0).map(Seq) {
        if let (Found::Record(here), Found::Record(there)) = (older.find(seq)?, later.find(seq)?)
            && here != there
        {
            return Ok(false);
        }
    }
    Ok(true)
}
