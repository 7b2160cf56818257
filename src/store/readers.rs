//! The connections for reading: a bounded pool.

use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::limits::READERS;
use crate::store::{StoreError, connection, locked};

/// [`READERS`] connections.
pub(super) struct Readers {
    free: Mutex<Vec<Connection>>,
    given_back: Condvar,
}

impl Readers {
    pub(super) fn open(database: &Path) -> rusqlite::Result<Self> {
        let free = (0..READERS).map(|_| connection::open_reader(database)).collect::<rusqlite::Result<_>>()?;
        Ok(Self { free: Mutex::new(free), given_back: Condvar::new() })
    }

    /// Calls `read` with one moment of the database; waits where all connections are in use.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.take();
        let result = Transaction::new(&mut connection, TransactionBehavior::Deferred)
            .map_err(StoreError::from)
            .and_then(|moment| read(&moment));
        locked(&self.free).push(connection);
        self.given_back.notify_one();
        result
    }

    fn take(&self) -> Connection {
        let mut free = locked(&self.free);
        loop {
            if let Some(connection) = free.pop() {
                return connection;
            }
            free = self.given_back.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
