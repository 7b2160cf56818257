//! A copy of the store that is sent to another node of the cluster, while this one goes on.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::store::directory::{COPY, DATABASE};
use crate::store::error::StoreError;
use crate::store::files::create_private;
use crate::store::progress::Progress;
use crate::store::usage::usage;
use crate::store::{backup, connection};

/// Copies a snapshot of the store in a directory, which this process has open, to a file that has no name any more: its room
/// is given back when the file is closed. If the process is killed meanwhile, the next one removes it. Only one copy may be
/// made at a time.
///
/// # Errors
/// If the store cannot be read, or the disk has no room for the copy beside `reserve` bytes.
pub fn copy_to_send(directory: &Path, reserve: u64, progress: &mut dyn FnMut(Progress)) -> Result<File, StoreError> {
    let unusable = |source| StoreError::Directory { directory: directory.to_owned(), source };
    let found = usage(directory).map_err(unusable)?;
    let needed = found.database.saturating_add(found.wal).saturating_add(reserve);
    if found.free < needed {
        return Err(StoreError::NoRoom { directory: directory.to_owned(), free: found.free, needed });
    }
    let named = NamedCopy::create(directory.join(COPY)).map_err(unusable)?;
    // Not opened in any other way: closing a second handle of the database would end the locks that SQLite has on it.
    let mut source = connection::open_reader(&directory.join(DATABASE))?;
    let (copy, _) = backup::copy_to(&named.0, &mut source, progress)?;
    drop(copy);
    File::open(&named.0).map_err(unusable)
}

/// Loses its name when it is dropped.
struct NamedCopy(PathBuf);

impl NamedCopy {
    fn create(path: PathBuf) -> io::Result<Self> {
        let _left_by_a_copy_that_failed = fs::remove_file(&path);
        create_private(&path)?;
        Ok(Self(path))
    }
}

impl Drop for NamedCopy {
    fn drop(&mut self) {
        // The next copy or the next process removes it otherwise.
        let _removed = fs::remove_file(&self.0);
    }
}
