//! Directories that a command fills: a failure leaves each as it was.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::store::directory::{DATABASE, LOCK, TEMP_DATABASE, create, is_ours, take};
use crate::store::error::StoreError;
use crate::store::file_lock::FileLock;
use crate::store::key_file;

/// A directory for a copy: new, or empty, or with what a killed backup left. It is as before when this is dropped, unless
/// the copy was kept.
pub(super) struct CopyTarget {
    path: PathBuf,
    /// Held against another backup into the same directory.
    _lock: DirectoryLock,
    is_new: bool,
    is_kept: bool,
}

impl CopyTarget {
    /// Prepares the directory; creates it with mode 0700 if it does not exist.
    pub(super) fn prepare(path: &Path) -> Result<Self, StoreError> {
        let unusable = |source| StoreError::Directory { directory: path.to_owned(), source };
        let is_new = !path.try_exists().map_err(unusable)?;
        if is_new {
            create(path).map_err(unusable)?;
        }
        // Until it is known that nothing here is somebody's.
        let mut target = Self { path: path.to_owned(), _lock: DirectoryLock::take(path)?, is_new, is_kept: true };
        let names = fs::read_dir(path)
            .and_then(|files| files.map(|file| Ok(file?.file_name())).collect::<io::Result<Vec<_>>>());
        let names = names.map_err(unusable)?;
        let is_left = names.iter().any(|name| name == TEMP_DATABASE);
        let is_of_copy = |name: &OsString| name == TEMP_DATABASE || key_file::NAMES.iter().any(|key| name == *key);
        let may_be_filled = names.is_empty() || (is_left && names.iter().all(is_of_copy));
        if !may_be_filled {
            return Err(StoreError::NotEmpty(path.to_owned()));
        }
        target.is_kept = false;
        target.clear().map_err(unusable)?;
        Ok(target)
    }

    /// The copy is complete.
    pub(super) fn keep(mut self) {
        self.is_kept = true;
    }

    fn clear(&self) -> io::Result<()> {
        for name in [TEMP_DATABASE].iter().chain(&key_file::NAMES) {
            match fs::remove_file(self.path.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Drop for CopyTarget {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        // The next backup into this directory clears files that cannot be removed now.
        let _cleared = self.clear();
        if self.is_new {
            let _removed = fs::remove_dir(&self.path);
        }
    }
}

/// A directory that is to become a data directory. It is as before when this is dropped, unless it was kept.
pub struct NewDirectory {
    path: PathBuf,
    is_new: bool,
    had_database: bool,
    is_kept: bool,
}

impl NewDirectory {
    /// Notes what is there.
    #[must_use]
    pub fn note(path: &Path) -> Self {
        let (is_new, had_database) = (!path.exists(), path.join(DATABASE).exists());
        Self { path: path.to_owned(), is_new, had_database, is_kept: false }
    }

    /// The directory is a data directory from now on.
    pub fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for NewDirectory {
    fn drop(&mut self) {
        if self.is_kept || self.had_database {
            return;
        }
        // A file that cannot be removed holds nothing: the next import takes it as new.
        for file in [DATABASE, "kabar.db-wal", "kabar.db-shm", LOCK] {
            let _removed = fs::remove_file(self.path.join(file));
        }
        if self.is_new {
            let _removed = fs::remove_dir(&self.path);
        }
    }
}

/// The lock of a directory that no server uses: held while a key is made in it, or while it is filled.
pub struct DirectoryLock {
    _directory: FileLock,
}

impl DirectoryLock {
    /// Waits for nobody: a second one is refused.
    fn take(path: &Path) -> Result<Self, StoreError> {
        let unusable = |source| StoreError::Directory { directory: path.to_owned(), source };
        let directory = File::open(path).map_err(unusable)?;
        Ok(Self { _directory: take(directory, path)? })
    }

    /// Locks a directory that a key is to be made in. Creates it with mode 0700 if it does not exist, and nothing in it.
    ///
    /// # Errors
    /// If it cannot be used, contains other files, or is in use.
    pub fn for_key(path: &Path) -> Result<Self, StoreError> {
        let unusable = |source| StoreError::Directory { directory: path.to_owned(), source };
        if !path.try_exists().map_err(unusable)? {
            create(path).map_err(unusable)?;
        }
        if !is_ours(path).map_err(unusable)? {
            return Err(StoreError::Foreign(path.to_owned()));
        }
        // A server makes its own key.
        if let Ok(lock) = File::open(path.join(LOCK)) {
            take(lock, path)?;
        }
        Self::take(path)
    }
}
