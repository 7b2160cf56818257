//! The file of the server's key pair, in the data directory: text that nobody else may read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use crate::limits::KEY_FILE_BYTES;
use crate::store::{StoreError, directory};

const FILE: &str = "realm.key";
const UNFINISHED: &str = "realm.key.unfinished";

/// What a data directory may hold of it.
pub(super) const NAMES: [&str; 2] = [FILE, UNFINISHED];

/// The mode bits that let others than the owner read, write or execute.
const OTHERS: u32 = 0o077;

/// Where the key file of a data directory is, or would be.
#[must_use]
pub fn path(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// Reads the key file; none where there is no such file.
///
/// # Errors
/// Where it cannot be read, is too long for a key, or others may read or write it: the key may be anybody's then.
pub fn read(directory: &Path) -> Result<Option<SecretString>, StoreError> {
    let file = path(directory);
    match read_private(&file) {
        Ok(Some(text)) => Ok(Some(text)),
        Ok(None) => Err(StoreError::KeyExposed(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::KeyFile { file, source }),
    }
}

/// None where others may read or write the file: asked of the open file, which cannot be exchanged in between.
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

/// Writes the key file, whole and on stable storage, or not at all. To be called by whoever has the directory locked, or
/// alone: of two writers the last one stays.
///
/// # Errors
/// Where it cannot be written.
pub fn write(directory: &Path, key: &SecretString) -> Result<(), StoreError> {
    let unfinished = directory.join(UNFINISHED);
    write_private(&unfinished, key)
        .and_then(|()| fs::rename(&unfinished, path(directory)))
        .and_then(|()| directory::sync(directory))
        .map_err(|source| StoreError::KeyFile { file: path(directory), source })
}

fn write_private(path: &Path, key: &SecretString) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
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
    fn a_written_key_is_read_back_and_nobody_elses_to_read() {
        let home = tempdir().unwrap();
        assert!(read(home.path()).unwrap().is_none());
        write(home.path(), &"key".into()).unwrap();
        assert_eq!(read(home.path()).unwrap().unwrap().expose_secret(), "key");
        assert_eq!(fs::metadata(path(home.path())).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_a_crash_left_behind_is_replaced() {
        let home = tempdir().unwrap();
        let unfinished = home.path().join(UNFINISHED);
        fs::write(&unfinished, "ke").unwrap();
        set_mode(&unfinished, 0o444);
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
    fn what_is_too_long_for_a_key_is_not_read_whole() {
        let home = tempdir().unwrap();
        write(home.path(), &"k".repeat(100_000).into()).unwrap();
        assert!(read(home.path()).unwrap_err().to_string().ends_with("it is too long for a key"));
    }
}
