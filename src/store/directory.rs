//! The data directory: ours alone, and one server's at a time.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::store::StoreError;
use crate::store::key_file;

const DATABASE: &str = "kabar.db";
const LOCK: &str = "kabar.lock";
const UNFINISHED: &str = "kabar.db.unfinished";

/// A data directory, locked against a second server for as long as this lives.
pub struct Directory {
    path: PathBuf,
    /// Closing the file gives the lock back, and so does the end of the process, however it ends.
    _lock: File,
}

impl Directory {
    /// Opens the directory, or makes it, readable for nobody else: it holds messages and password hashes.
    ///
    /// # Errors
    /// Where it cannot be used, holds something else, or is in use by another server.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let unusable = |source| StoreError::Directory { directory: path.to_owned(), source };
        if !path.try_exists().map_err(unusable)? {
            create(path).map_err(unusable)?;
        }
        if !is_ours(path).map_err(unusable)? {
            return Err(StoreError::Foreign(path.to_owned()));
        }
        let lock = private_file(&path.join(LOCK)).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        private_file(&path.join(DATABASE)).map_err(unusable)?;
        sync(path).map_err(unusable)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Takes away what a database left behind that was never finished, and the write-ahead log of one that is to be
    /// replaced: a new database must not be read with the log of an old one.
    pub(super) fn clear(&self) -> Result<(), StoreError> {
        for file in [UNFINISHED, "kabar.db-wal", "kabar.db-shm"] {
            match fs::remove_file(self.path.join(file)) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(StoreError::Directory { directory: self.path.clone(), source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }
}

/// The database of a store that somebody else may be serving.
pub(super) fn database_in(path: &Path) -> Result<PathBuf, StoreError> {
    let database = path.join(DATABASE);
    if database.is_file() { Ok(database) } else { Err(StoreError::Missing(path.to_owned())) }
}

/// Sees to it that the directory is there, readable for nobody else where it is new, and that it holds nothing.
pub(super) fn make_empty(path: &Path) -> Result<(), StoreError> {
    let unusable = |source| StoreError::Directory { directory: path.to_owned(), source };
    if !path.try_exists().map_err(unusable)? {
        return create(path).map_err(unusable);
    }
    if fs::read_dir(path).map_err(unusable)?.next().is_some() {
        return Err(StoreError::NotEmpty(path.to_owned()));
    }
    Ok(())
}

/// A database in the making. It gets its name, and so becomes a store, only once it is whole and on stable storage; until
/// then, and where that never comes, a server refuses the directory or finds what was there before.
pub(super) struct Unfinished {
    directory: PathBuf,
    finished: bool,
}

impl Unfinished {
    pub(super) fn create(directory: &Path) -> Result<Self, StoreError> {
        let unfinished = directory.join(UNFINISHED);
        let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(unfinished);
        created.map_err(|source| StoreError::Directory { directory: directory.to_owned(), source })?;
        Ok(Self { directory: directory.to_owned(), finished: false })
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.join(UNFINISHED)
    }

    /// To be called once nobody has the database open.
    pub(super) fn finish(mut self) -> Result<(), StoreError> {
        let database = self.directory.join(DATABASE);
        let finished = File::open(self.path())
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(self.path(), database))
            .and_then(|()| sync(&self.directory));
        self.finished = finished.is_ok();
        finished.map_err(|source| self.unusable(source))
    }

    fn unusable(&self, source: io::Error) -> StoreError {
        StoreError::Directory { directory: self.directory.clone(), source }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.finished {
            // Where this fails too, the directory stays refused.
            let _left_behind = fs::remove_file(self.path());
        }
    }
}

fn create(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), sync)
}

/// A directory is ours when it is empty or has our files: never write among somebody else's. A key alone says nothing
/// either way: an operator may have brought it there for an import.
fn is_ours(path: &Path) -> io::Result<bool> {
    let mut empty = true;
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        if name == DATABASE || name == LOCK {
            return Ok(true);
        }
        empty &= key_file::NAMES.iter().any(|key| name == *key);
    }
    Ok(empty)
}

/// The database's other files take their mode from it.
fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// A file whose name is not on stable storage is gone after a power cut, whatever was synced in it.
pub(super) fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_directory_is_nobody_elses_to_read() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("some/where");
        let directory = Directory::open(&path).unwrap();
        assert_eq!((mode(&path), mode(&directory.database())), (0o700, 0o600));
    }

    #[test]
    fn a_second_server_is_refused_until_the_first_has_gone() {
        let home = tempfile::tempdir().unwrap();
        let first = Directory::open(home.path()).unwrap();
        let refused = Directory::open(home.path()).err().unwrap();
        assert_eq!(
            refused.to_string(),
            format!("the data directory {} is in use by another server", home.path().display())
        );
        drop(first);
        assert!(Directory::open(home.path()).is_ok());
    }

    #[test]
    fn a_directory_with_other_things_in_it_is_refused_and_left_as_it_was() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("thesis.txt"), "…").unwrap();
        assert!(matches!(Directory::open(home.path()), Err(StoreError::Foreign(_))));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_with_nothing_but_a_key_is_ours() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("realm.key"), "").unwrap();
        assert!(Directory::open(home.path()).is_ok());
    }

    #[test]
    fn a_key_among_other_things_does_not_make_a_directory_ours() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("realm.key"), "").unwrap();
        fs::write(home.path().join("thesis.txt"), "…").unwrap();
        assert!(matches!(Directory::open(home.path()), Err(StoreError::Foreign(_))));
    }

    #[test]
    fn a_path_that_is_no_directory_is_refused_by_name() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        let refused = Directory::open(&file).err().unwrap();
        assert!(refused.to_string().contains(&file.display().to_string()), "{refused}");
    }
}
