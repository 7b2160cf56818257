//! Whether the write-ahead log beside a database belongs to it. SQLite cannot tell, if an operator has restored the database of a
//! backup and left the log of the store that was there before: it would write the pages of one into the other.
//!
//! Each backup has a random schema version, a number that SQLite only compares. A server writes the number of its database
//! into the lock file, which is not part of a backup.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use rusqlite::Connection;

use crate::store::error::StoreError;

/// The place of the schema version in the header of a database.
const SCHEMA_VERSION: u64 = 40;

/// Refuses a write-ahead log that belongs to another database than the one beside it.
pub(super) fn check(directory: &Path, database: &Path, lock: &Path) -> Result<(), StoreError> {
    let unusable = |source| StoreError::Directory { directory: directory.to_owned(), source };
    let wal = database.with_extension("db-wal");
    let has_wal = fs::metadata(&wal).is_ok_and(|wal| wal.len() > 0);
    let recorded = fs::read_to_string(lock).ok().and_then(|text| text.trim().parse::<u32>().ok());
    let Some(recorded) = recorded.filter(|_| has_wal) else { return Ok(()) };
    match number(database).map_err(unusable)? {
        Some(found) if found != recorded => Err(StoreError::ForeignWal(wal)),
        _ => Ok(()),
    }
}

/// Records in the lock file which database the write-ahead log is of from now on. The log must be empty.
pub(super) fn record(database: &Path, mut lock: &File) -> io::Result<()> {
    let Some(number) = number(database)? else { return Ok(()) };
    lock.set_len(0)?;
    lock.seek(SeekFrom::Start(0))?;
    writeln!(lock, "{number}")
}

/// Makes a copy distinguishable from its original.
pub(super) fn mark_copy(copy: &Connection) -> rusqlite::Result<()> {
    copy.pragma_update(None, "schema_version", fastrand::i32(1..))
}

/// The number of a database; `None` if it is empty.
fn number(database: &Path) -> io::Result<Option<u32>> {
    let mut file = File::open(database)?;
    let mut number = [0; 4];
    file.seek(SeekFrom::Start(SCHEMA_VERSION))?;
    match file.read_exact(&mut number) {
        Ok(()) => Ok(Some(u32::from_be_bytes(number))),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}
