//! The room that a store takes, and that is left.

use std::fs;
use std::io;
use std::path::Path;

/// Bytes of a data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Of the database.
    pub database: u64,
    /// Of its write-ahead log.
    pub wal: u64,
    /// That are free on the disk for this user.
    pub free: u64,
}

/// Measures a data directory.
///
/// # Errors
/// If the disk cannot be asked.
pub fn usage(directory: &Path) -> io::Result<Usage> {
    let size = |file: &str| fs::metadata(directory.join(file)).map_or(0, |file| file.len());
    Ok(Usage { database: size("kabar.db"), wal: size("kabar.db-wal"), free: free_bytes(directory)? })
}

/// The free space of the disk of a directory, in bytes.
///
/// # Errors
/// If the disk cannot be asked.
pub fn free_bytes(directory: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(directory)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}
