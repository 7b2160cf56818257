//! The data directory: ours alone, and one server's at a time.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::store::StoreError;

const DATABASE: &str = "kabar.db";
const LOCK: &str = "kabar.lock";

/// A data directory, locked against a second server for as long as this lives.
pub(super) struct Directory {
    path: PathBuf,
    /// Closing the file gives the lock back, and so does the end of the process, however it ends.
    _lock: File,
}

impl Directory {
    /// Opens the directory, or makes it, readable for nobody else: it holds messages and password hashes.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
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

    pub(super) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }
}

fn create(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), sync)
}

/// A directory is ours when it is empty or has our files: never write among somebody else's.
fn is_ours(path: &Path) -> io::Result<bool> {
    let mut empty = true;
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        if name == DATABASE || name == LOCK {
            return Ok(true);
        }
        empty = false;
    }
    Ok(empty)
}

/// The database's other files take their mode from it.
fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// A file whose name is not on stable storage is gone after a power cut, whatever was synced in it.
fn sync(directory: &Path) -> io::Result<()> {
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
    fn a_path_that_is_no_directory_is_refused_by_name() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        let refused = Directory::open(&file).err().unwrap();
        assert!(refused.to_string().contains(&file.display().to_string()), "{refused}");
    }
}
