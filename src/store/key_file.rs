//! The files with the keys of a server, in the data directory, readable only by their owner: the key pair that other servers
//! know it by, and the certificate that it made for itself.

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
const CERTIFICATE: &str = "tls.pem";
const TEMP_CERTIFICATE: &str = "tls.pem.unfinished";

/// The files of this module that a data directory may contain.
pub(super) const NAMES: [&str; 4] = [FILE, TEMP_FILE, CERTIFICATE, TEMP_CERTIFICATE];

/// The mode bits of group and others.
const OTHERS: u32 = 0o077;

/// The path of a data directory's key file.
#[must_use]
pub fn path(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// The path of the certificate that a server made for itself.
#[must_use]
pub fn certificate_path(directory: &Path) -> PathBuf {
    directory.join(CERTIFICATE)
}

/// Reads the key file. Returns `None` if there is none.
///
/// # Errors
/// If it cannot be read, is too long for a key, or other users may read or write it.
pub fn read(directory: &Path) -> Result<Option<SecretString>, StoreError> {
    let file = path(directory);
    match read_private(&file) {
        Ok(_) if fs::symlink_metadata(&file).is_ok_and(|found| found.is_symlink()) => Err(StoreError::Link(file)),
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
    write_atomically(&path(directory), &directory.join(TEMP_FILE), key)
        .map_err(|source| StoreError::KeyFile { file: path(directory), source })
}

/// Writes the certificate that a server made for itself, with its key, likewise.
///
/// # Errors
/// If it cannot be written.
pub fn write_certificate(directory: &Path, certificate: &SecretString) -> Result<(), StoreError> {
    let file = certificate_path(directory);
    write_atomically(&file, &directory.join(TEMP_CERTIFICATE), certificate)
        .map_err(|source| StoreError::KeyFile { file, source })
}

fn write_atomically(path: &Path, temp: &Path, text: &SecretString) -> io::Result<()> {
    write_private(temp, text)?;
    fs::rename(temp, path)?;
    path.parent().map_or(Ok(()), sync_directory)
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
