//! The data directory: contains only files of kabar, and is used by one server at a time.

use std::fs::{self, DirBuilder, File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::id::Seq;
use crate::store::error::StoreError;
use crate::store::file_lock::FileLock;
use crate::store::files::{check_directory, check_private, create_private, open_private, sync_directory};
use crate::store::{key_file, wal_owner};

pub(super) const DATABASE: &str = "kabar.db";
pub(super) const LOCK: &str = "kabar.lock";
pub(super) const TEMP_DATABASE: &str = "kabar.db.unfinished";
/// A copy that is being made for another node.
pub(super) const COPY: &str = "kabar.db.copy";
/// The database that a snapshot has replaced; the number of its newest entry follows.
const BEFORE_SNAPSHOT: &str = "kabar.db.before-snapshot-";
const WAL_FILES: [&str; 2] = ["kabar.db-wal", "kabar.db-shm"];

/// A data directory, locked against other servers until this is dropped.
pub struct Directory {
    path: PathBuf,
    /// `None` on a read-only disk without the file.
    lock: Option<FileLock>,
    /// The database as it was opened: its device and number.
    database: Option<(u64, u64)>,
}

impl Directory {
    /// Opens a directory; creates it with mode 0700 if it does not exist, since it contains messages and password hashes.
    ///
    /// # Errors
    /// If it cannot be used, contains other files, or is in use by another server.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let unusable = |source| StoreError::Directory { directory: path.to_owned(), source };
        if !path.try_exists().map_err(unusable)? {
            create(path).map_err(unusable)?;
        }
        if !is_ours(path).map_err(unusable)? {
            return Err(StoreError::Foreign(path.to_owned()));
        }
        check_access(path)?;
        let lock = open_private(&path.join(LOCK)).map_err(unusable)?;
        let lock = take(lock, path)?;
        // SQLite creates its other files with the mode of this one.
        let database = open_private(&path.join(DATABASE)).map_err(unusable)?;
        sync_directory(path).map_err(unusable)?;
        let database = Some(number(&database.metadata().map_err(unusable)?));
        Ok(Self { path: path.to_owned(), lock: Some(lock), database })
    }

    /// Opens the directory of a store that cannot be written, and writes nothing.
    pub(super) fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let unusable = |source| StoreError::Directory { directory: path.to_owned(), source };
        let database = fs::metadata(database_in(path)?).map_err(unusable)?;
        check_access(path)?;
        let lock = match File::open(path.join(LOCK)) {
            Ok(lock) => Some(take(lock, path)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(unusable(error)),
        };
        Ok(Self { path: path.to_owned(), lock, database: Some(number(&database)) })
    }

    /// Returns an error if the database at its path is not the one that was opened: what is written to that one is lost.
    pub(super) fn check_place(&self) -> Result<(), StoreError> {
        let found = fs::metadata(self.database()).ok().map(|found| number(&found));
        if found == self.database { Ok(()) } else { Err(StoreError::Misplaced(self.path.clone())) }
    }

    /// Deletes the temporary database of a killed process, and the WAL of a database that is about to be replaced: SQLite
    /// must not apply it to the new one.
    pub(super) fn clear(&self) -> Result<(), StoreError> {
        remove(&self.path, &[TEMP_DATABASE])?;
        remove(&self.path, &WAL_FILES)
    }

    /// Deletes copies that a killed process has left unfinished.
    pub(super) fn remove_unfinished(&self) {
        let _they_only_take_room = remove(&self.path, &[COPY, TEMP_DATABASE]);
    }

    /// Gives the database, whose commits must all be in it, another name beside its own, under which it stays when it is
    /// replaced. Returns that name.
    pub(super) fn keep_database(&self, newest: Seq) -> Result<PathBuf, StoreError> {
        let name = format!("{BEFORE_SNAPSHOT}{newest}");
        remove(&self.path, &[name.as_str()])?;
        let kept = self.path.join(name);
        fs::hard_link(self.database(), &kept).map_err(|source| self.unusable(source))?;
        Ok(kept)
    }

    /// Removes the write-ahead log of a database whose commits are all in it.
    pub(super) fn clear_wal(&self) -> Result<(), StoreError> {
        match fs::metadata(self.path.join("kabar.db-wal")) {
            Ok(wal) if wal.len() > 0 => Err(StoreError::ForeignWal(self.path.join("kabar.db-wal"))),
            _ => remove(&self.path, &WAL_FILES),
        }
    }

    /// Removes databases that snapshots have replaced, except for one.
    pub(super) fn forget_databases_except(&self, kept: &Path) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            let is_old =
                path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(BEFORE_SNAPSHOT.as_bytes()));
            if is_old && path != kept {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn unusable(&self, source: io::Error) -> StoreError {
        StoreError::Directory { directory: self.path.clone(), source }
    }

    /// Refuses a write-ahead log that belongs to another database.
    pub(super) fn check_wal(&self) -> Result<(), StoreError> {
        check_wal(&self.path)
    }

    /// Records which database the write-ahead log is of from now on. The log must be empty.
    pub(super) fn record_database(&self) -> Result<(), StoreError> {
        let Some(lock) = &self.lock else { return Ok(()) };
        wal_owner::record(&self.database(), lock)
            .map_err(|source| StoreError::Directory { directory: self.path.clone(), source })
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }
}

/// Removes files of a directory, if they are there.
fn remove(directory: &Path, files: &[&str]) -> Result<(), StoreError> {
    for file in files {
        match fs::remove_file(directory.join(file)) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::Directory { directory: directory.to_owned(), source });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The database of a store that another process may be using.
///
/// # Errors
/// If there is none, or this user may not read it.
pub(super) fn database_in(path: &Path) -> Result<PathBuf, StoreError> {
    let database = path.join(DATABASE);
    match File::open(&database) {
        Ok(_) => Ok(database),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StoreError::Missing(path.to_owned())),
        Err(source) => Err(StoreError::Directory { directory: database, source }),
    }
}

/// Refuses a write-ahead log that belongs to another database than that of the directory.
pub(super) fn check_wal(path: &Path) -> Result<(), StoreError> {
    wal_owner::check(path, &path.join(DATABASE), &path.join(LOCK))
}

/// A temporary database, which gets its final name only when it is complete and synced. Until then a server refuses the
/// directory, or finds the database that was there before.
pub(super) struct TempDatabase {
    directory: PathBuf,
    is_finished: bool,
}

impl TempDatabase {
    pub(super) fn create(directory: &Path) -> Result<Self, StoreError> {
        create_private(&directory.join(TEMP_DATABASE))
            .map_err(|source| StoreError::Directory { directory: directory.to_owned(), source })?;
        Ok(Self { directory: directory.to_owned(), is_finished: false })
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.join(TEMP_DATABASE)
    }

    /// Syncs and renames the database, which must be closed.
    pub(super) fn finish(mut self) -> Result<(), StoreError> {
        let database = self.directory.join(DATABASE);
        let finished = File::open(self.path())
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(self.path(), database))
            .and_then(|()| sync_directory(&self.directory));
        self.is_finished = finished.is_ok();
        finished.map_err(|source| StoreError::Directory { directory: self.directory.clone(), source })
    }
}

impl Drop for TempDatabase {
    fn drop(&mut self) {
        if !self.is_finished {
            // If this fails, too, servers keep refusing the directory.
            let _left_behind = fs::remove_file(self.path());
        }
    }
}

/// Returns an error if others than this user may use the files of a data directory.
fn check_access(path: &Path) -> Result<(), StoreError> {
    check_directory(path)?;
    let files = [LOCK, DATABASE, "kabar.db-wal", "kabar.db-shm"];
    files.iter().try_for_each(|file| check_private(&path.join(file)))
}

pub(super) fn take(lock: File, path: &Path) -> Result<FileLock, StoreError> {
    match FileLock::take(lock) {
        Ok(lock) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(StoreError::Directory { directory: path.to_owned(), source }),
    }
}

/// Identifies a file: device and inode.
fn number(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

/// Creates a directory with mode 0700.
pub(super) fn create(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), sync_directory)
}

/// Whether a directory is empty or a data directory, so that nothing is written among other files. A key alone does not
/// count: an operator may have copied it there before an import.
pub(super) fn is_ours(path: &Path) -> io::Result<bool> {
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

/// Whether a directory is not there, or empty, or has only what [`Directory::open`] makes first.
///
/// # Errors
/// If it cannot be looked at.
pub fn is_new_or_empty(path: &Path) -> Result<bool, StoreError> {
    let unusable = |source| StoreError::Directory { directory: path.to_owned(), source };
    if !path.try_exists().map_err(unusable)? {
        return Ok(true);
    }
    for entry in fs::read_dir(path).map_err(unusable)? {
        let entry = entry.map_err(unusable)?;
        let is_empty = || entry.metadata().is_ok_and(|found| found.len() == 0);
        if entry.file_name() != LOCK && !(entry.file_name() == DATABASE && is_empty()) {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_directory_is_private() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("some/where");
        let directory = Directory::open(&path).unwrap();
        assert_eq!((mode(&path), mode(&directory.database())), (0o700, 0o600));
    }

    #[test]
    fn a_child_process_that_has_not_yet_executed_its_program_keeps_no_lock() {
        let home = tempfile::tempdir().unwrap();
        let server = Directory::open(home.path()).unwrap();
        let _inherited = server.lock.as_deref().unwrap().try_clone().unwrap();
        drop(server);
        Directory::open(home.path()).unwrap();
    }

    #[test]
    fn a_second_server_is_refused_until_the_first_ends() {
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
    fn a_directory_with_other_files_is_refused_and_not_changed() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("thesis.txt"), "…").unwrap();
        assert!(matches!(Directory::open(home.path()), Err(StoreError::Foreign(_))));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn files_that_others_may_open_are_refused() {
        let home = tempfile::tempdir().unwrap();
        drop(Directory::open(home.path()).unwrap());
        for file in [DATABASE, LOCK, "kabar.db-wal", "kabar.db-shm"] {
            let path = home.path().join(file);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            let refused = Directory::open(home.path()).err().unwrap().to_string();
            assert!(refused.contains(&format!("chmod 600 {}", path.display())), "{refused}");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        assert!(Directory::open(home.path()).is_ok());
    }

    #[test]
    fn a_deleted_or_replaced_directory_is_noticed() {
        let home = tempfile::tempdir().unwrap();
        let (path, moved) = (home.path().join("data"), home.path().join("moved"));
        let directory = Directory::open(&path).unwrap();
        assert!(directory.check_place().is_ok());
        fs::rename(&path, &moved).unwrap();
        assert!(matches!(directory.check_place(), Err(StoreError::Misplaced(_))), "moved away");
        drop(Directory::open(&path).unwrap());
        assert!(matches!(directory.check_place(), Err(StoreError::Misplaced(_))), "replaced");
        fs::remove_dir_all(&path).unwrap();
        fs::rename(&moved, &path).unwrap();
        assert!(directory.check_place().is_ok(), "put back");
    }

    #[test]
    fn a_directory_with_only_a_key_is_accepted() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("realm.key"), "").unwrap();
        assert!(Directory::open(home.path()).is_ok());
    }

    #[test]
    fn a_directory_with_a_key_and_other_files_is_refused() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("realm.key"), "").unwrap();
        fs::write(home.path().join("thesis.txt"), "…").unwrap();
        assert!(matches!(Directory::open(home.path()), Err(StoreError::Foreign(_))));
    }

    #[test]
    fn a_directory_counts_as_empty_until_it_has_something() {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        assert!(is_new_or_empty(&data).unwrap());
        drop(Directory::open(&data).unwrap());
        assert!(is_new_or_empty(&data).unwrap());
        fs::write(data.join("realm.key"), "").unwrap();
        assert!(!is_new_or_empty(&data).unwrap());
        fs::remove_file(data.join("realm.key")).unwrap();
        fs::write(data.join(DATABASE), "x").unwrap();
        assert!(!is_new_or_empty(&data).unwrap());
    }

    #[test]
    fn the_error_for_a_path_that_is_no_directory_names_it() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        let refused = Directory::open(&file).err().unwrap();
        assert!(refused.to_string().contains(&file.display().to_string()), "{refused}");
    }
}
