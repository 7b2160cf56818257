//! A lock on a file, given back by its owner alone.

use std::fs::{File, TryLockError};
use std::ops::Deref;

/// An exclusive lock against other processes, until this is dropped.
pub(super) struct FileLock(File);

impl FileLock {
    /// # Errors
    /// If somebody else has it, or the file cannot be locked.
    pub(super) fn take(file: File) -> Result<Self, TryLockError> {
        file.try_lock()?;
        Ok(Self(file))
    }
}

impl Deref for FileLock {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl Drop for FileLock {
    /// Closing the file is not enough: a child process has it, too, from its fork until it executes a program.
    fn drop(&mut self) {
        // If this fails, closing the file gives the lock back.
        let _given_back = self.0.unlock();
    }
}
