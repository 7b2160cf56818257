//! The version of the tables.
//!
//! A new version is a script that changes the tables of the version before it, and a frozen store of that version in the
//! tests. A new event is a variant at the end of `Event`; a new encoding of segments or index rows has another leading byte.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::store::error::StoreError;

/// The value of `PRAGMA application_id`: `kabr`.
const APPLICATION: u32 = 0x6b61_6272;

/// The value of `PRAGMA user_version`. Versions 1 and 2 were never released; the server that wrote one exports it.
const VERSION: u32 = 3;

const TABLES: &str = include_str!("schema.sql");

/// Creates the tables in an empty database.
pub(super) fn prepare(connection: &mut Connection, directory: &Path) -> Result<(), StoreError> {
    if !is_fresh(connection, directory)? {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(TABLES)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    Ok(transaction.commit()?)
}

/// Returns an error unless the database has the tables.
pub(super) fn check(connection: &Connection, directory: &Path) -> Result<(), StoreError> {
    if is_fresh(connection, directory)? { Err(StoreError::Empty(directory.to_owned())) } else { Ok(()) }
}

/// Whether the database is empty. Returns an error if it is not of this version.
fn is_fresh(connection: &Connection, directory: &Path) -> Result<bool, StoreError> {
    let application = pragma(connection, "application_id")?;
    let version = pragma(connection, "user_version")?;
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if (application, version, tables) == (0, 0, 0) {
        return Ok(true);
    }
    if application != APPLICATION {
        return Err(StoreError::Foreign(directory.to_owned()));
    }
    match version {
        VERSION => Ok(false),
        found if found < VERSION => Err(StoreError::Older(directory.to_owned())),
        found => Err(StoreError::Newer { found, known: VERSION }),
    }
}

fn pragma(connection: &Connection, name: &str) -> Result<u32, StoreError> {
    let value: i32 = connection.pragma_query_value(None, name, |row| row.get(0))?;
    Ok(value.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(before: &str) -> Result<Connection, StoreError> {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(before).unwrap();
        prepare(&mut connection, Path::new("here")).map(|()| connection)
    }

    #[test]
    fn an_empty_database_gets_the_tables_once() {
        let mut connection = prepared("").unwrap();
        prepare(&mut connection, Path::new("here")).unwrap();
        assert_eq!(pragma(&connection, "user_version").unwrap(), VERSION);
    }

    #[test]
    fn the_error_for_a_newer_version_says_what_to_do() {
        let refused = prepared("PRAGMA application_id = 0x6b616272; PRAGMA user_version = 4").err().unwrap();
        assert_eq!(
            refused.to_string(),
            "the store has version 4, this server knows versions up to 3; use the newer server"
        );
    }

    #[test]
    fn a_database_of_another_program_is_refused() {
        for foreign in ["CREATE TABLE log (line)", "PRAGMA application_id = 7", "PRAGMA user_version = 1"] {
            assert!(matches!(prepared(foreign), Err(StoreError::Foreign(_))), "{foreign}");
        }
    }

    #[test]
    fn the_error_for_a_version_that_was_never_released_says_what_to_do() {
        let refused = prepared("PRAGMA application_id = 0x6b616272; PRAGMA user_version = 2").err().unwrap();
        assert!(refused.to_string().contains("export"), "{refused}");
    }
}
