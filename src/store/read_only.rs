//! Read-only access to a store for a process that is not its server. Takes no lock, so it works beside a running server.

use std::path::Path;

use rusqlite::Connection;

use crate::store::error::StoreError;
use crate::store::{connection, directory, schema};

/// Opens the store in a directory. Fails if the store has another version than this program writes.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let database = directory::database_in(path)?;
    directory::check_wal(path)?;
    let connection = connection::open_reader(&database)?;
    schema::check(&connection, path)?;
    Ok(connection)
}
