//! The errors of the store.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::ErrorCode;

use crate::id::Seq;

/// Why a batch is not known to be on stable storage.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The transaction was rolled back (a full disk, for example). The store is intact and the batch may be retried.
    #[error("the batch was rolled back: {0}")]
    RolledBack(#[source] StoreError),
    /// The outcome is unknown (a failed sync). The store must be reopened before the next write.
    #[error("it cannot be told whether the batch was stored: {0}")]
    Unknown(#[source] StoreError),
}

impl CommitError {
    pub(crate) fn into_cause(self) -> StoreError {
        let (Self::RolledBack(cause) | Self::Unknown(cause)) = self;
        cause
    }
}

/// Why the store cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The data directory cannot be created or written.
    #[error("the data directory {} cannot be used: {source}", directory.display())]
    Directory { directory: PathBuf, source: io::Error },
    /// A file of the data directory cannot be looked at.
    #[error("{} cannot be used: {source}", file.display())]
    File { file: PathBuf, source: io::Error },
    /// A file is a symbolic link.
    #[error("{} is a symbolic link, which may lead anywhere; put the file itself there", .0.display())]
    Link(PathBuf),
    /// Others than the owner may open a file, or write a directory.
    #[error("others than its owner can use {}; chmod {wanted} {}", path.display(), path.display())]
    Exposed { path: PathBuf, wanted: &'static str },
    /// A file belongs to another user.
    #[error("{} belongs to the user with the number {owner}, and this program runs as {user}; run it as its owner, or chown it", path.display())]
    Foreigner { path: PathBuf, owner: u32, user: u32 },
    /// The data directory was deleted or replaced while the server runs.
    #[error("the data directory {} was deleted or replaced under the running server: nothing that is sent is stored; put it back, or restart the server on another", .0.display())]
    Misplaced(PathBuf),
    /// The store could only be opened for reading.
    #[error("the store was opened for reading only: {0}")]
    ReadOnly(Arc<StoreError>),
    /// The store was opened for reading only, and has just been opened anew.
    #[error("the store could only be read when this was decided, and was opened anew")]
    OpenedAnew,
    /// The newest commits cannot be read while nothing can be written.
    #[error("{} has commits that are not in the database yet, and the disk cannot be written; make room on it, or mount it writable", .0.display())]
    UnreadableWal(PathBuf),
    /// The key file cannot be read or written.
    #[error("the key file {} cannot be used: {source}", file.display())]
    KeyFile { file: PathBuf, source: io::Error },
    /// Other users can read the key file, and so impersonate this server, or write it, and so replace its identity.
    #[error("others than its owner can read or write the key file {}; chmod 600 it, or move it away to become a new server", .0.display())]
    KeyExposed(PathBuf),
    /// Another process holds the lock of the data directory.
    #[error("the data directory {} is in use by another server", .0.display())]
    InUse(PathBuf),
    /// The data directory contains files that are not of a store.
    #[error("the data directory {} is not empty and holds no store of kabar; choose an empty or a new one", .0.display())]
    Foreign(PathBuf),
    /// A write-ahead log lies beside a database that it does not belong to.
    #[error(
        "{} belongs to the store that was here before, and kabar.db was replaced: move it and the file that ends in -shm away, \
         or restore into an empty directory, and try again",
        .0.display()
    )]
    ForeignWal(PathBuf),
    /// The data directory does not exist or contains no store.
    #[error("there is no store of kabar in {}", .0.display())]
    Missing(PathBuf),
    /// The store has no tables yet: no server was started on it.
    #[error("there is nothing in the store in {} yet; the first start of a server begins it", .0.display())]
    Empty(PathBuf),
    /// The target directory of a backup or an export is not empty.
    #[error("{} is not empty, and nothing in it is overwritten; choose an empty or a new directory", .0.display())]
    NotEmpty(PathBuf),
    /// The target store of an import has log entries already.
    #[error("the store in {} is in use already; an import needs an empty or a new directory", .0.display())]
    Used(PathBuf),
    /// The store has a version that was never released.
    #[error("the store in {} is that of a server in development: export it with that server, and import it with this one", .0.display())]
    Older(PathBuf),
    /// The store has an earlier version, and is only to be read.
    #[error("the store in {} has version {found}; start the server on it once, which brings it to version {known}", directory.display())]
    NotUpgraded { directory: PathBuf, found: u32, known: u32 },
    /// The store has a version that this program does not know.
    #[error("the store has version {found}, this server knows versions up to {known}; use the newer server")]
    Newer { found: u32, known: u32 },
    /// The store contains bytes or rows that no version of this program writes.
    #[error("the store is damaged: {0}")]
    Damaged(Box<str>),
    /// A copy of another node's store did not arrive as it was sent.
    #[error("the copy of the store did not arrive as it was sent")]
    DamagedCopy,
    /// A copy of another node's store has less than this node's, or another history.
    #[error("the copy is not a later state of the store in {}, which stays as it is", .0.display())]
    OtherHistory(PathBuf),
    /// There is too little room for a copy of the store.
    #[error("{} has {free} bytes free, and a copy of the store takes {needed}: make room", directory.display())]
    NoRoom { directory: PathBuf, free: u64, needed: u64 },
    /// A batch does not continue the log: `found` is not the number after `head`.
    #[error("log entry {found} does not follow entry {head}")]
    OutOfOrder { head: Seq, found: Seq },
    /// The store is no copy of a cluster's log.
    #[error("the store is no copy of a cluster's log")]
    NoReplica,
    /// The store is a copy of a cluster's log, which alone may change it.
    #[error(
        "the store in {} is that of a node of a cluster, and only the cluster changes it: start the server with its [cluster], \
         or run kabar cluster leave to make it one of a server on its own",
        .0.display()
    )]
    OfCluster(PathBuf),
    /// Another node of the cluster leads: this one may not append to the log any more.
    #[error("this node does not lead its cluster any more")]
    NotLeading,
    /// The log that the nodes of the cluster share cannot be reached.
    #[error("the cluster's log cannot be reached: {0}")]
    SharedLog(Box<str>),
    /// An earlier commit failed with an unknown outcome.
    #[error("a commit failed before; the store has to be opened anew")]
    Failed,
    /// The thread of the checkpointer cannot be started.
    #[error("no thread can be started: {0}")]
    Thread(#[source] io::Error),
    /// SQLite returned an error.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
}

impl StoreError {
    /// Whether the disk cannot be written, though it may be readable: it is full, read-only or broken, or a limit of the
    /// process is reached.
    pub(super) fn is_of_the_disk(&self) -> bool {
        match self {
            Self::Directory { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::ReadOnlyFilesystem
                    | io::ErrorKind::StorageFull
                    | io::ErrorKind::QuotaExceeded
                    | io::ErrorKind::FileTooLarge
            ),
            Self::Database(error) => matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::DiskFull | ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::SystemIoFailure)
            ),
            _ => false,
        }
    }

    pub(super) fn damaged_index() -> Self {
        Self::Damaged("the timeline index".into())
    }
}
