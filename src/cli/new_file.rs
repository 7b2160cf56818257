//! A file that gets its name once it is complete: an interrupted command leaves nothing that looks whole, and nothing in its own
//! way.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file under a temporary name, readable by its owner only. Removed when this is dropped, unless it was kept.
pub(super) struct NewFile {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
}

impl NewFile {
    /// Creates the file, or takes over what a killed command left under the temporary name.
    ///
    /// # Errors
    /// If there is a file with the name already, or another command is making it.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        if path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let temporary = temporary(path);
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&temporary)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(io::Error::other("another command is making it")),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        file.set_len(0)?;
        Ok(Self { file, temporary, path: path.to_owned() })
    }

    pub(super) fn writer(&self) -> &File {
        &self.file
    }

    /// Syncs the file and gives it its name. Overwrites nothing.
    ///
    /// # Errors
    /// If the disk refuses, or there is a file with the name by now.
    pub(super) fn keep(self) -> io::Result<()> {
        self.file.sync_all()?;
        // A link, and not a renaming, which would replace a file.
        fs::hard_link(&self.temporary, &self.path)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // The next command takes over a file that is left.
        let _removed = fs::remove_file(&self.temporary);
    }
}

fn temporary(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".unfinished");
    name.into()
}
