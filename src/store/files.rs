//! File operations of the data directory: private to the owner, and durable.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::store::error::StoreError;

/// The mode bits of group and others.
const OTHERS: u32 = 0o077;
/// Those of them that let others replace what is in a directory.
const OTHERS_WRITE: u32 = 0o022;

/// Returns an error unless a file, if there is one, is a file of this user that nobody else may open. One that others can
/// write could be anything, and a link could lead anywhere.
pub(super) fn check_private(path: &Path) -> Result<(), StoreError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Err(StoreError::Link(path.to_owned())),
        Ok(found) => check_access(path, &found, OTHERS, "600"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(StoreError::File { file: path.to_owned(), source }),
    }
}

/// Returns an error if others may replace the files of a directory. It may be behind a link of this user or of root.
pub(super) fn check_directory(path: &Path) -> Result<(), StoreError> {
    let unusable = |source| StoreError::Directory { directory: path.to_owned(), source };
    let link = fs::symlink_metadata(path).map_err(unusable)?;
    if link.is_symlink() && link.uid() != 0 && link.uid() != own_user() {
        return Err(StoreError::Link(path.to_owned()));
    }
    check_access(path, &fs::metadata(path).map_err(unusable)?, OTHERS_WRITE, "700")
}

fn check_access(path: &Path, found: &Metadata, forbidden: u32, wanted: &'static str) -> Result<(), StoreError> {
    if found.uid() != own_user() {
        return Err(StoreError::Foreigner { path: path.to_owned(), owner: found.uid(), user: own_user() });
    }
    if found.permissions().mode() & forbidden != 0 {
        return Err(StoreError::Exposed { path: path.to_owned(), wanted });
    }
    Ok(())
}

fn own_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Creates a file with mode 0600. Fails if it exists.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Opens a file, creating it with mode 0600 if it does not exist.
pub(super) fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Syncs a directory: without that a power cut removes the name of a new file, even if its contents were synced.
pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_that_others_may_open_is_refused_with_what_to_do() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("kabar.db");
        assert!(check_private(&file).is_ok(), "there is none");
        create_private(&file).unwrap();
        assert!(check_private(&file).is_ok());
        for mode in [0o640, 0o604, 0o660, 0o602, 0o644] {
            set_mode(&file, mode);
            let refused = check_private(&file).unwrap_err().to_string();
            assert!(refused.contains(&format!("chmod 600 {}", file.display())), "{mode:o}: {refused}");
        }
    }

    #[test]
    fn a_link_is_refused_whatever_it_leads_to() {
        let home = tempfile::tempdir().unwrap();
        let (file, link) = (home.path().join("elsewhere"), home.path().join("kabar.db"));
        symlink(&file, &link).unwrap();
        assert!(matches!(check_private(&link), Err(StoreError::Link(_))), "to nothing");
        create_private(&file).unwrap();
        assert!(matches!(check_private(&link), Err(StoreError::Link(_))));
    }

    #[test]
    fn a_directory_that_others_may_write_is_refused() {
        let home = tempfile::tempdir().unwrap();
        for (mode, is_good) in [(0o700, true), (0o750, true), (0o755, true), (0o770, false), (0o1777, false)] {
            set_mode(home.path(), mode);
            assert_eq!(check_directory(home.path()).is_ok(), is_good, "{mode:o}");
        }
        set_mode(home.path(), 0o700);
    }

    #[test]
    fn what_belongs_to_another_user_is_refused() {
        let root = Path::new("/etc/passwd");
        let is_root = own_user() == 0;
        let found = fs::metadata(root).unwrap();
        let refused = check_access(root, &found, 0, "600");
        assert_eq!(matches!(refused, Err(StoreError::Foreigner { owner: 0, .. })), !is_root);
    }
}
