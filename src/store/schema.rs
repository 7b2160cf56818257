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
const VERSION: u32 = FIRST + SCRIPTS.len() as u32 - 1;

/// The oldest version that is read.
const FIRST: u32 = 3;

/// Migrations: each makes a version of the one before it, the first of an empty database.
const SCRIPTS: [&str; 2] = [include_str!("schema.sql"), include_str!("schema_4.sql")];

/// Creates the tables in an empty database, and brings those of an earlier version to this one.
pub(super) fn prepare(connection: &mut Connection, directory: &Path) -> Result<(), StoreError> {
    let done = match version(connection, directory)? {
        None => 0,
        Some(VERSION) => return Ok(()),
        Some(found) => found + 1 - FIRST,
    };
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for script in SCRIPTS.iter().skip(done as usize) {
        transaction.execute_batch(script)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    Ok(transaction.commit()?)
}

/// Returns an error unless the database has the tables of this version.
pub(super) fn check(connection: &Connection, directory: &Path) -> Result<(), StoreError> {
    match version(connection, directory)? {
        None => Err(StoreError::Empty(directory.to_owned())),
        Some(VERSION) => Ok(()),
        Some(found) => Err(StoreError::NotUpgraded { directory: directory.to_owned(), found, known: VERSION }),
    }
}

/// The version of the tables, one that can be brought to this one; `None` if the database is empty.
fn version(connection: &Connection, directory: &Path) -> Result<Option<u32>, StoreError> {
    let application = pragma(connection, "application_id")?;
    let version = pragma(connection, "user_version")?;
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if (application, version, tables) == (0, 0, 0) {
        return Ok(None);
    }
    if application != APPLICATION {
        return Err(StoreError::Foreign(directory.to_owned()));
    }
    match version {
        FIRST..=VERSION => Ok(Some(version)),
        found if found < FIRST => Err(StoreError::Older(directory.to_owned())),
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
    fn the_tables_of_an_earlier_version_become_those_of_this_one() {
        let schema = |connection: &Connection| -> Vec<String> {
            let mut statement = connection.prepare("SELECT sql FROM sqlite_schema ORDER BY name").unwrap();
            statement.query_map([], |row| row.get::<_, Option<String>>(0)).unwrap().filter_map(Result::unwrap).collect()
        };
        let fresh = prepared("").unwrap();
        for found in FIRST..VERSION {
            let scripts = SCRIPTS[..=(found - FIRST) as usize].concat();
            let earlier = format!("{scripts}; PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {found}");
            let connection = Connection::open_in_memory().unwrap();
            connection.execute_batch(&earlier).unwrap();
            let refused = check(&connection, Path::new("here")).unwrap_err().to_string();
            assert!(refused.contains("start the server"), "{refused}");
            assert_eq!(schema(&prepared(&earlier).unwrap()), schema(&fresh), "of version {found}");
        }
    }

    #[test]
    fn the_error_for_a_newer_version_says_what_to_do() {
        let refused = prepared("PRAGMA application_id = 0x6b616272; PRAGMA user_version = 5").err().unwrap();
        assert_eq!(
            refused.to_string(),
            "the store has version 5, this server knows versions up to 4; use the newer server"
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
