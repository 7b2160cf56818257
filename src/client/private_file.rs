//! Small files that only their owner may read: tokens, pinned certificates.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::limits::CLIENT_FILE_BYTES;

/// A file that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct FileError {
    path: PathBuf,
    source: io::Error,
}

impl FileError {
    /// An error of this file.
    #[must_use]
    pub fn of(path: &Path, source: io::Error) -> Self {
        Self { path: path.to_owned(), source }
    }
}

/// Reads a file; `None` if there is none.
///
/// # Errors
/// If it cannot be read, is no text, or is larger than [`CLIENT_FILE_BYTES`].
pub fn read(path: &Path) -> Result<Option<String>, FileError> {
    read_text(path).map_err(|error| FileError::of(path, error))
}

fn read_text(path: &Path) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    file.take(CLIENT_FILE_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > CLIENT_FILE_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too large"));
    }
    Ok(Some(text))
}

/// Replaces a file as a whole, and makes its directory if there is none: for its owner only. Of two that write at once,
/// one wins.
///
/// # Errors
/// If it cannot be written.
pub fn write(path: &Path, text: &str) -> Result<(), FileError> {
    write_locked(path, text).map(drop)
}

/// The same. The file is locked until it is replaced or the returned handle is dropped.
///
/// # Errors
/// If it cannot be written.
pub fn write_locked(path: &Path, text: &str) -> Result<File, FileError> {
    replace(path, text).map_err(|error| FileError::of(path, error))
}

fn replace(path: &Path, text: &str) -> io::Result<File> {
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let unfinished = path.with_extension(format!("{}.unfinished", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    // Before the rename, so that no other process finds it unlocked.
    file.try_lock()?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_file_and_its_directory_are_for_the_owner_only() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("kabar/sessions.json");
        assert_eq!(read(&path).unwrap(), None);
        write(&path, "one").unwrap();
        write(&path, "two").unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some("two"));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(path.parent().unwrap().read_dir().unwrap().count(), 1, "nothing unfinished is left");
    }
}
