//! The version of the tables, and its migrations.
//!
//! A new version is a script at the end of [`MIGRATIONS`], which changes the tables of the scripts before it and fills new
//! columns from the log or the entity tables. A released script never changes. The missing scripts and the new version
//! number are one transaction. A new event is a variant at the end of `Event`; a new encoding of events or index rows has
//! another leading byte. Tests open a frozen store of each version.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::store::error::StoreError;

/// The value of `PRAGMA application_id`: `kabr`.
const APPLICATION: u32 = 0x6b61_6272;

/// The script at index n migrates version n (`PRAGMA user_version`) to n + 1. The empty database has version 0.
const MIGRATIONS: [&str; 2] = [include_str!("version-1.sql"), include_str!("version-2.sql")];

/// Migrates the database to the newest version.
pub(super) fn prepare(connection: &mut Connection, directory: &Path) -> Result<(), StoreError> {
    let missing = missing(connection, directory)?;
    if missing.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for script in missing {
        transaction.execute_batch(script)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as u32)?;
    Ok(transaction.commit()?)
}

/// Returns an error unless the database has the newest version.
pub(super) fn check(connection: &Connection, directory: &Path) -> Result<(), StoreError> {
    match missing(connection, directory)?.len() {
        0 => Ok(()),
        all if all == MIGRATIONS.len() => Err(StoreError::Empty(directory.to_owned())),
        _ => Err(StoreError::Older(directory.to_owned())),
    }
}

/// The migrations that the database needs.
fn missing(connection: &Connection, directory: &Path) -> Result<&'static [&'static str], StoreError> {
    let application = pragma(connection, "application_id")?;
    let version = pragma(connection, "user_version")?;
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let fresh = (application, version, tables) == (0, 0, 0);
    if application != APPLICATION && !fresh {
        return Err(StoreError::Foreign(directory.to_owned()));
    }
    let newer = StoreError::Newer { found: version, known: MIGRATIONS.len() as u32 };
    MIGRATIONS.get(version as usize..).ok_or(newer)
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
    fn an_empty_database_gets_the_newest_version_once() {
        let mut connection = prepared("").unwrap();
        prepare(&mut connection, Path::new("here")).unwrap();
        assert_eq!(pragma(&connection, "user_version").unwrap(), 2);
    }

    #[test]
    fn the_error_for_a_newer_version_says_what_to_do() {
        let refused = prepared("PRAGMA application_id = 0x6b616272; PRAGMA user_version = 3").err().unwrap();
        assert_eq!(
            refused.to_string(),
            "the store has version 3, this server knows versions up to 2; use the newer server"
        );
    }

    #[test]
    fn a_database_of_another_program_is_refused() {
        for foreign in ["CREATE TABLE log (line)", "PRAGMA application_id = 7", "PRAGMA user_version = 1"] {
            assert!(matches!(prepared(foreign), Err(StoreError::Foreign(_))), "{foreign}");
        }
    }
}
