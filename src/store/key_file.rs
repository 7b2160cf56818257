//! The file with the server's key pair, in the data directory, readable only by its owner.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use crate::limits::KEY_FILE_BYTES;
use crate::store::error::StoreError;
use crate::store::files::{create_private, sync_directory};

const FILE: &str = "realm.key";
const TEMP_FILE: &str = "realm.key.unfinished";

/// The files of this module that a data directory may contain.
pub(super) const NAMES: [&str; 2] = [FILE, TEMP_FILE];

/// The mode bits of group and others.
const OTHERS: u32 = 0o077;

/// The path of a data directory's key file.
#[must_use]
pub fn path(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// Reads the key file. Returns `None` if there is none.
///
/// # Errors
/// If it cannot be read, is too long for a key, or other users may read or write it.
pub fn read(directory: &Path) -> Result<Option<SecretString>, StoreError> {
    let file = path(directory);
    match read_private(&file) {
        Ok(Some(text)) => Ok(Some(text)),
        Ok(None) => Err(StoreError::KeyExposed(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::KeyFile { file, source }),
    }
}

/// Returns `None` if others may access the file. Checks the open file, which cannot be replaced in between.
fn read_private(path: &Path) -> io::Result<Option<SecretString>> {
    let file = File::open(path)?;
    if file.metadata()?.permissions().mode() & OTHERS != 0 {
        return Ok(None);
    }
    let mut text = String::new();
    file.take(KEY_FILE_BYTES + 1).read_to_string(&mut text)?;
    let text = SecretString::from(text);
    if text.expose_secret().len() as u64 > KEY_FILE_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too long for a key"));
    }
    Ok(Some(text))
}

/// Writes the key file atomically and durably. The caller must have locked the directory: of two writers the last wins.
///
/// # Errors
/// If it cannot be written.
pub fn write(directory: &Path, key: &SecretString) -> Result<(), StoreError> {
    let temp = directory.join(TEMP_FILE);
    write_private(&temp, key)
        .and_then(|()| fs::rename(&temp, path(directory)))
        .and_then(|()| sync_directory(directory))
        .map_err(|source| StoreError::KeyFile { file: path(directory), source })
}

fn write_private(path: &Path, key: &SecretString) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = create_private(path)?;
    file.write_all(key.expose_secret().as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::tempdir;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_written_key_is_read_back_and_private() {
        let home = tempdir().unwrap();
        assert!(read(home.path()).unwrap().is_none());
        write(home.path(), &"key".into()).unwrap();
        assert_eq!(read(home.path()).unwrap().unwrap().expose_secret(), "key");
        assert_eq!(fs::metadata(path(home.path())).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_temporary_file_of_a_killed_process_is_replaced() {
        let home = tempdir().unwrap();
        let temp = home.path().join(TEMP_FILE);
        fs::write(&temp, "ke").unwrap();
        set_mode(&temp, 0o444);
        assert!(read(home.path()).unwrap().is_none());
        write(home.path(), &"key".into()).unwrap();
        assert_eq!(read(home.path()).unwrap().unwrap().expose_secret(), "key");
        let files: Vec<_> = fs::read_dir(home.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, [FILE]);
    }

    #[test]
    fn a_key_that_others_can_read_or_write_is_refused() {
        for mode in [0o640, 0o604, 0o620, 0o602, 0o644, 0o666] {
            let home = tempdir().unwrap();
            write(home.path(), &"key".into()).unwrap();
            set_mode(&path(home.path()), mode);
            let refused = read(home.path()).unwrap_err().to_string();
            assert!(refused.starts_with("others than its owner can read or write the key file"), "{mode:o}: {refused}");
            assert!(refused.contains(&path(home.path()).display().to_string()), "{refused}");
        }
    }

    #[test]
    fn a_file_that_is_too_long_for_a_key_is_refused() {
        let home = tempdir().unwrap();
        write(home.path(), &"k".repeat(100_000).into()).unwrap();
        assert!(read(home.path()).unwrap_err().to_string().ends_with("it is too long for a key"));
    }
}
