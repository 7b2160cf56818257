//! Connections to the database and how each kind is set up.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::limits::{IMPORT_CACHE_KIB, READER_CACHE_KIB, STATEMENTS, STORE_BUSY, WRITER_CACHE_KIB};
use crate::store::Durability;

/// The one connection that changes the database. It leaves the write-ahead log to the checkpointer: a checkpoint inside
/// a commit shows as a latency spike.
pub(super) fn open_writer(database: &Path, durability: Durability) -> rusqlite::Result<Connection> {
    let connection = open(database, OpenFlags::SQLITE_OPEN_READ_WRITE, WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "page_size", 4096)?;
    // Counts for a new database only: what retention frees is given back to the system, some pages at a time.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    synchronise(&connection, durability)?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    Ok(connection)
}

/// A connection that only copies the write-ahead log back. It syncs as the writer does.
pub(super) fn open_checkpointer(database: &Path, durability: Durability) -> rusqlite::Result<Connection> {
    let connection = open(database, OpenFlags::SQLITE_OPEN_READ_WRITE, READER_CACHE_KIB)?;
    synchronise(&connection, durability)?;
    Ok(connection)
}

/// A connection that cannot write.
pub(super) fn open_reader(database: &Path) -> rusqlite::Result<Connection> {
    open(database, OpenFlags::SQLITE_OPEN_READ_ONLY, READER_CACHE_KIB)
}

/// A connection to a new database that counts for nothing until it is finished: nothing is synced or could be taken
/// back, for that would only cost.
pub(super) fn open_unfinished(database: &Path) -> rusqlite::Result<Connection> {
    let connection = open(database, OpenFlags::SQLITE_OPEN_READ_WRITE, IMPORT_CACHE_KIB)?;
    connection.pragma_update(None, "page_size", 4096)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    Ok(connection)
}

fn open(database: &Path, access: OpenFlags, cache_kib: u32) -> rusqlite::Result<Connection> {
    // Each connection has a lock of ours around it: SQLite's own would only cost.
    let connection = Connection::open_with_flags(database, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(STORE_BUSY)?;
    // A statement keeps its plan: with new values SQLite would compile some anew every time, which takes as long as ten
    // look-ups.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "cache_size", -i64::from(cache_kib))?;
    Ok(connection)
}

/// FULL syncs every commit. NORMAL syncs checkpoints only, which a power cut survives, but for the newest commits.
pub(super) fn synchronise(connection: &Connection, durability: Durability) -> rusqlite::Result<()> {
    let level = match durability {
        Durability::Sync => "FULL",
        Durability::Fast => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::StatementStatus;

    #[test]
    fn a_statement_is_not_compiled_anew_for_other_values() {
        let home = tempfile::tempdir().unwrap();
        let database = home.path().join("kabar.db");
        std::fs::write(&database, "").unwrap();
        let writer = open_writer(&database, Durability::Fast).unwrap();
        writer.execute_batch(include_str!("version-1.sql")).unwrap();
        let mut newest = writer.prepare("SELECT max(last) FROM chunks WHERE kind = ?1 AND owner = ?2").unwrap();
        for owner in 0..3 {
            newest.query_row([0, owner], |row| row.get::<_, Option<u64>>(0)).unwrap();
        }
        assert_eq!(newest.get_status(StatementStatus::RePrepare), 0);
    }
}
