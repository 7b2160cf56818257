//! The store of a node of a cluster: a copy of the shared log, which records how far it goes.

use std::path::Path;

use crate::chat::Record;
use crate::settings::Durability;
use crate::store::error::{CommitError, StoreError};
use crate::store::interface::Store;
use crate::store::log_position::{self, LogPosition};
use crate::store::retention::sweep::SweepTarget;
use crate::store::sqlite::SqliteStore;

/// A store that is a copy of the shared log.
pub trait ReplicaStore: Store {
    /// The place in the shared log up to which the store has it; `None` if the store is of no cluster yet.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn position(&self) -> Result<Option<LogPosition>, StoreError>;

    /// Makes the store, as it is, a copy of a log that begins with it.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn begin_replica(&self, at: &LogPosition) -> Result<(), StoreError>;

    /// Makes the store one of a server on its own. False if it was.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn end_replica(&self) -> Result<bool, StoreError>;

    /// Syncs all that was written.
    ///
    /// # Errors
    /// If it cannot be.
    fn sync(&self) -> Result<(), StoreError>;

    /// Writes records of the shared log, up to a place, atomically with that place. With [`Durability::Sync`], this and all
    /// that was written before it survives a power cut.
    ///
    /// # Errors
    /// As [`Store::commit`].
    fn commit_up_to(&self, at: &LogPosition, batch: &[Record], durability: Durability) -> Result<(), CommitError>;
}

/// Opens the store of a server on its own, with nothing of a cluster.
///
/// # Errors
/// As [`SqliteStore::open`], or if the store is a node's.
pub fn open_alone(directory: &Path, durability: Durability) -> Result<SqliteStore, StoreError> {
    let store = SqliteStore::open(directory, durability)?;
    match store.position()? {
        None => Ok(store),
        Some(_) => Err(StoreError::OfCluster(directory.to_owned())),
    }
}

impl SqliteStore {
    /// Making or dropping a table gives the database another number: records it, so that the write-ahead log belongs to it.
    fn record_new_number(&self) -> Result<(), StoreError> {
        self.checkpoint()?;
        self.directory.record_database()
    }
}

impl ReplicaStore for SqliteStore {
    fn position(&self) -> Result<Option<LogPosition>, StoreError> {
        self.read(log_position::read)
    }

    fn begin_replica(&self, at: &LogPosition) -> Result<(), StoreError> {
        self.write(|transaction| log_position::begin(transaction, at))?;
        self.record_new_number()
    }

    fn end_replica(&self) -> Result<bool, StoreError> {
        let was_replica = self.position()?.is_some();
        self.write(log_position::end)?;
        self.record_new_number()?;
        Ok(was_replica)
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.checkpoint()
    }

    fn commit_up_to(&self, at: &LogPosition, batch: &[Record], durability: Durability) -> Result<(), CommitError> {
        self.commit_with(batch, durability, Some(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Destination;
    use crate::id::{Seq, UserId};
    use crate::store::directory::check_wal;
    use crate::store::testing::{open_tiny, sent};

    fn place(seq: u64) -> LogPosition {
        LogPosition { seq: Seq(seq), hash: [seq as u8; 32] }
    }

    #[test]
    fn the_place_is_stored_with_the_records_up_to_it() {
        let directory = tempfile::tempdir().unwrap();
        let store = open_tiny(directory.path());
        assert_eq!(store.position().unwrap(), None);
        store.begin_replica(&place(0)).unwrap();
        let records = [sent(1, 1, Destination::User(UserId(2)), "a"), sent(2, 1, Destination::User(UserId(2)), "b")];
        store.commit_up_to(&place(2), &records, Durability::Fast).unwrap();
        drop(store);
        let store = open_tiny(directory.path());
        assert_eq!(store.position().unwrap(), Some(place(2)));
        assert_eq!(store.load().unwrap().head, Seq(2));
    }

    #[test]
    fn the_write_ahead_log_of_a_copy_belongs_to_it_after_a_checkpoint() {
        let directory = tempfile::tempdir().unwrap();
        let store = open_tiny(directory.path());
        store.begin_replica(&place(0)).unwrap();
        store.close().unwrap();
        let records = [sent(1, 1, Destination::User(UserId(2)), "a")];
        store.commit_up_to(&place(1), &records, Durability::Fast).unwrap();
        check_wal(directory.path()).unwrap();
    }

    #[test]
    fn a_refused_batch_leaves_the_place() {
        let directory = tempfile::tempdir().unwrap();
        let store = open_tiny(directory.path());
        store.begin_replica(&place(0)).unwrap();
        let hole = [sent(2, 1, Destination::User(UserId(2)), "b")];
        assert!(matches!(store.commit_up_to(&place(2), &hole, Durability::Sync), Err(CommitError::RolledBack(_))));
        assert_eq!(store.position().unwrap(), Some(place(0)));
    }

    #[test]
    fn a_store_of_no_cluster_takes_no_place() {
        let directory = tempfile::tempdir().unwrap();
        let store = open_tiny(directory.path());
        let records = [sent(1, 1, Destination::User(UserId(2)), "a")];
        assert!(store.commit_up_to(&place(1), &records, Durability::Sync).is_err());
    }

    #[test]
    fn nothing_but_the_cluster_opens_a_nodes_store_until_it_has_left() {
        let directory = tempfile::tempdir().unwrap();
        open_tiny(directory.path()).begin_replica(&place(0)).unwrap();
        let open = || open_alone(directory.path(), Durability::Fast);
        assert!(matches!(open(), Err(StoreError::OfCluster(_))));
        assert!(open_tiny(directory.path()).end_replica().unwrap());
        assert!(!open().unwrap().end_replica().unwrap());
    }
}
