//! A store as its directory holds it, to be read by a process that does not serve it.
//!
//! The lock is for servers: reading goes beside one and holds it up nowhere.

use std::path::Path;

use rusqlite::Connection;

use crate::store::{StoreError, connection, directory, schema};

/// A connection that cannot write, to a store of the version that is known here.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let database = directory::database_in(path)?;
    let connection = connection::open_reader(&database)?;
    schema::check(&connection, path)?;
    Ok(connection)
}
