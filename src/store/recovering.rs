//! A store whose disk could not be written when the server started: it is read, and opened anew once the disk can be written.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use tracing::{error, info};

use crate::chat::{ConversationPage, ConversationQuery, Record, Snapshot, TimelineQuery};
use crate::id::Seq;
use crate::settings::Durability;
use crate::store::directory::{TEMP_DATABASE, TempDatabase};
use crate::store::error::{CommitError, StoreError};
use crate::store::interface::Store;
use crate::store::page::{NewestPage, Page};
use crate::store::replica::open_alone;
use crate::store::retention::sweep::{Sweep, Swept};
use crate::store::sqlite::SqliteStore;

/// Written to find out whether the disk takes anything: a page of the database.
const PROBE: [u8; 4_096] = [0; 4_096];

/// Opens the store in a directory; if the disk cannot be written, for reading only until it can be.
///
/// # Errors
/// As [`SqliteStore::open`], or if it cannot be read either.
pub fn open_or_read(path: &Path, durability: Durability) -> Result<Box<dyn Store>, StoreError> {
    match open_alone(path, durability) {
        Ok(store) => Ok(Box::new(store)),
        Err(cause) if cause.is_of_the_disk() => {
            error!(%cause, directory = %path.display(), "the store is opened for reading only, until the disk can be written");
            let store = SqliteStore::open_read_only(path, durability, cause)?;
            Ok(Box::new(RecoveringStore { path: path.to_owned(), durability, store: RwLock::new(Some(store)) }))
        }
        Err(error) => Err(error),
    }
}

struct RecoveringStore {
    path: PathBuf,
    durability: Durability,
    /// Locked for writing while the store is opened anew. `None` if it could not even be read then: [`Store::load`], which
    /// follows a failed commit, tries again.
    store: RwLock<Option<SqliteStore>>,
}

impl RecoveringStore {
    fn with<T>(&self, use_store: impl FnOnce(&SqliteStore) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.opened().as_ref().map_or(Err(StoreError::Failed), use_store)
    }

    fn opened(&self) -> RwLockReadGuard<'_, Option<SqliteStore>> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_read_only(&self) -> bool {
        self.opened().as_ref().is_some_and(SqliteStore::is_read_only)
    }

    /// Opens the store anew, for reading only if the disk still cannot be written. Readers wait meanwhile.
    fn open_anew(&self) -> Result<(), StoreError> {
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        // The lock of the directory must be free.
        *store = None;
        *store = Some(match SqliteStore::open(&self.path, self.durability) {
            Ok(opened) => {
                info!("the disk can be written: the store was opened anew");
                opened
            }
            Err(cause) => SqliteStore::open_read_only(&self.path, self.durability, cause)?,
        });
        Ok(())
    }
}

/// Writes a page beside the database, and removes it again. The directory must be locked.
fn probe(directory: &Path) -> Result<(), StoreError> {
    let _left_by_an_import_that_was_killed = fs::remove_file(directory.join(TEMP_DATABASE));
    let file = TempDatabase::create(directory)?;
    let written = fs::write(file.path(), PROBE).and_then(|()| fs::File::open(file.path())?.sync_all());
    written.map_err(|source| StoreError::Directory { directory: directory.to_owned(), source })
}

impl Store for RecoveringStore {
    fn load(&self) -> Result<Snapshot, StoreError> {
        if self.opened().is_none() {
            self.open_anew()?;
        }
        self.with(SqliteStore::load)
    }

    /// A batch that finds the store opened for reading only is refused in any case: it was decided on what was read before.
    fn commit(&self, batch: &[Record]) -> Result<(), CommitError> {
        if self.is_read_only() {
            let opened = probe(&self.path).and_then(|()| self.open_anew());
            return Err(CommitError::RolledBack(opened.err().unwrap_or(StoreError::OpenedAnew)));
        }
        match self.opened().as_ref() {
            Some(store) => store.commit(batch),
            None => Err(CommitError::RolledBack(StoreError::Failed)),
        }
    }

    fn page(&self, query: &TimelineQuery, limit: usize) -> Result<Page, StoreError> {
        self.with(|store| store.page(query, limit))
    }

    fn newest_page(&self, query: &TimelineQuery, limit: usize) -> Result<NewestPage, StoreError> {
        self.with(|store| store.newest_page(query, limit))
    }

    fn conversations(&self, query: &ConversationQuery) -> Result<ConversationPage, StoreError> {
        self.with(|store| store.conversations(query))
    }

    fn low_watermark(&self, query: &TimelineQuery) -> Result<Seq, StoreError> {
        self.with(|store| store.low_watermark(query))
    }

    fn sweep(&self, sweep: &mut Sweep) -> Result<Swept, StoreError> {
        self.with(|store| store.sweep(sweep))
    }

    fn check_place(&self) -> Result<(), StoreError> {
        self.opened().as_ref().map_or(Ok(()), SqliteStore::check_place)
    }

    fn close(&self) -> Result<(), StoreError> {
        self.opened().as_ref().map_or(Ok(()), SqliteStore::close)
    }
}
