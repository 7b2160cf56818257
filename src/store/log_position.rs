//! A place in the log that the nodes of a cluster share. A node's store is a copy of that log up to one.

use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use crate::id::Seq;
use crate::store::error::StoreError;

/// Made when the store becomes a node's: without a cluster there is no such table. One row.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS replica (seq INTEGER NOT NULL, hash BLOB NOT NULL)";

/// SHA-256 of a block of the shared log, which covers the hash of the block before it.
pub type BlockHash = [u8; 32];

/// The place behind a block of the shared log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPosition {
    /// The number of the block's last record.
    pub seq: Seq,
    pub hash: BlockHash,
}

/// The place up to which the database has the shared log; `None` if it is of no cluster.
pub(super) fn read(database: &Connection) -> Result<Option<LogPosition>, StoreError> {
    if !database.table_exists(None, "replica")? {
        return Ok(None);
    }
    let place = |row: &Row<'_>| Ok(LogPosition { seq: Seq(row.get(0)?), hash: row.get(1)? });
    Ok(database.query_row("SELECT seq, hash FROM replica", [], place).optional()?)
}

/// Begins a copy of a shared log at a place.
pub(super) fn begin(transaction: &Connection, at: &LogPosition) -> Result<(), StoreError> {
    transaction.execute_batch(TABLE)?;
    transaction.execute("DELETE FROM replica", [])?;
    transaction.execute("INSERT INTO replica (seq, hash) VALUES (?1, ?2)", (at.seq.0, at.hash))?;
    Ok(())
}

/// Ends the copy: what the database has is its own from now on.
pub(super) fn end(transaction: &Connection) -> Result<(), StoreError> {
    Ok(transaction.execute_batch("DROP TABLE IF EXISTS replica")?)
}

/// Records that the database has the shared log up to a place.
pub(super) fn save(transaction: &Connection, at: &LogPosition) -> Result<(), StoreError> {
    let mut update = transaction.prepare_cached("UPDATE replica SET seq = ?1, hash = ?2")?;
    match update.execute((at.seq.0, at.hash))? {
        1 => Ok(()),
        _ => Err(StoreError::NoReplica),
    }
}
