//! A bounded pool of read-only connections.

use std::sync::{Condvar, Mutex, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::limits::READERS;
use crate::store::error::StoreError;
use crate::store::lock::lock;

pub(super) struct Readers {
    free: Mutex<Vec<Connection>>,
    returned: Condvar,
}

impl Readers {
    /// Opens the connections by `open`.
    pub(super) fn open(open: impl Fn() -> Result<Connection, StoreError>) -> Result<Self, StoreError> {
        let free = (0..READERS).map(|_| open()).collect::<Result<_, _>>()?;
        Ok(Self { free: Mutex::new(free), returned: Condvar::new() })
    }

    /// Calls `read` with a snapshot of the database. Blocks while all connections are in use.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.take();
        let result = Transaction::new(&mut connection, TransactionBehavior::Deferred)
            .map_err(StoreError::from)
            .and_then(|snapshot| read(&snapshot));
        lock(&self.free).push(connection);
        self.returned.notify_one();
        result
    }

    fn take(&self) -> Connection {
        let mut free = lock(&self.free);
        loop {
            if let Some(connection) = free.pop() {
                return connection;
            }
            free = self.returned.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
