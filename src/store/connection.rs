//! Connections to the database and how each kind is set up.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::settings::Durability;
use crate::store::error::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::limits::{IMPORT_CACHE_KIB, READER_CACHE_KIB, STATEMENTS, STORE_BUSY, WRITER_CACHE_KIB};

/// Opens the only connection that writes. It leaves checkpoints to the checkpointer: inside a commit they are latency
/// spikes.
pub(super) fn open_writer(database: &Path, durability: Durability) -> rusqlite::Result<Connection> {
    let connection = open(database, OpenFlags::SQLITE_OPEN_READ_WRITE, WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "page_size", 4096)?;
    // Takes effect only in a new database. Retention returns free pages to the file system a few at a time.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // Removed messages are overwritten: otherwise SQLite leaves it readable in free pages and in gaps of others.
    connection.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
    set_durability(&connection, durability)?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    Ok(connection)
}

/// Opens a connection for checkpoints, which syncs as the writer does.
pub(super) fn open_checkpointer(database: &Path, durability: Durability) -> rusqlite::Result<Connection> {
    let connection = open(database, OpenFlags::SQLITE_OPEN_READ_WRITE, READER_CACHE_KIB)?;
    set_durability(&connection, durability)?;
    Ok(connection)
}

/// Opens a read-only connection.
pub(super) fn open_reader(database: &Path) -> rusqlite::Result<Connection> {
    open(database, OpenFlags::SQLITE_OPEN_READ_ONLY, READER_CACHE_KIB)
}

/// Opens a read-only connection to a database of a disk that cannot be written. SQLite needs files beside a database, even
/// to read it, unless it is told that nobody writes.
pub(super) fn open_unwritable(database: &Path) -> Result<Connection, StoreError> {
    let wal = database.with_extension("db-wal");
    if fs::metadata(&wal).is_ok_and(|wal| wal.len() > 0) {
        let connection = open_reader(database)?;
        let readable = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
        return readable.map(|()| connection).map_err(|_| StoreError::UnreadableWal(wal));
    }
    let uri = PathBuf::from(format!("file:{}?immutable=1", percent_encoded(database)));
    Ok(open(&uri, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI, READER_CACHE_KIB)?)
}

fn percent_encoded(path: &Path) -> String {
    let mut encoded = String::new();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => encoded.push(char::from(*byte)),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

/// Opens a connection to a temporary database. Without journal and syncs: the database is discarded unless it is completed,
/// and then synced as a whole.
pub(super) fn open_temp(database: &Path) -> rusqlite::Result<Connection> {
    let connection = open(database, OpenFlags::SQLITE_OPEN_READ_WRITE, IMPORT_CACHE_KIB)?;
    connection.pragma_update(None, "page_size", 4096)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    Ok(connection)
}

fn open(database: &Path, access: OpenFlags, cache_kib: u32) -> rusqlite::Result<Connection> {
    // Each connection is behind a mutex here: SQLite's own is not needed.
    let connection = Connection::open_with_flags(database, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(STORE_BUSY)?;
    // Keeps the plan of a prepared statement. Without this, SQLite compiles some again for each new value, which takes as
    // long as ten look-ups.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "cache_size", -i64::from(cache_kib))?;
    Ok(connection)
}

/// FULL syncs every commit. NORMAL syncs only checkpoints: a power cut loses the newest commits, and damages nothing.
pub(super) fn set_durability(connection: &Connection, durability: Durability) -> rusqlite::Result<()> {
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
    fn a_statement_is_not_compiled_again_for_other_values() {
        let home = tempfile::tempdir().unwrap();
        let database = home.path().join("kabar.db");
        std::fs::write(&database, "").unwrap();
        let writer = open_writer(&database, Durability::Fast).unwrap();
        writer.execute_batch(include_str!("schema.sql")).unwrap();
        let mut newest = writer.prepare("SELECT max(last) FROM chunks WHERE kind = ?1 AND owner = ?2").unwrap();
        for owner in 0..3 {
            newest.query_row([0, owner], |row| row.get::<_, Option<u64>>(0)).unwrap();
        }
        assert_eq!(newest.get_status(StatementStatus::RePrepare), 0);
    }
}
