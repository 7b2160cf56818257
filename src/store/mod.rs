//! The store: one directory with one SQLite database, which an operator can query, back up and replicate with common
//! tools. It commits batches of records, reads pages of timelines and loads the state.
//!
//! Never here: sockets, the hub, rules.
//!
//! This file only re-exports. Modules of the store import each other by the file that defines an item, in these layers
//! (each uses only those before it):
//!
//! | layer | modules |
//! |---|---|
//! | errors, rows, files | `error`, `log_position`, `page`, `lock`, `files`, `usage`, `damage`, `checksum`, `columns`, `timeline_key`, `bulk_insert`, `schema` |
//! | connections | `connection`, `readers`, `checkpoint`, `wal_owner`, `key_file`, `retention_time`, `directory`, `target`, `read_only` |
//! | projection of events to rows | `projection`, `low_watermark` |
//! | log | `log` |
//! | timeline index | `index` |
//! | reads | `scan`, `conversations`, `peers`, `load` |
//! | writes | `writer`, `retention` |
//! | facade | `interface`, `sqlite`, `replica`, `recovering` |
//! | whole stores | `progress`, `listing`, `verify`, `dump`, `backup`, `outgoing`, `incoming` |

mod backup;
mod bulk_insert;
mod checkpoint;
mod checksum;
mod columns;
mod connection;
mod conversations;
mod damage;
mod directory;
mod dump;
mod error;
mod file_lock;
mod files;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
#[cfg(test)]
mod generators;
mod incoming;
mod index;
mod interface;
mod key_file;
mod listing;
mod load;
mod lock;
mod log;
mod log_position;
mod low_watermark;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod model;
mod outgoing;
mod page;
mod peers;
mod progress;
mod projection;
#[cfg(test)]
mod properties;
mod read_only;
mod readers;
mod recovering;
#[cfg(test)]
mod reference_model;
#[cfg(test)]
mod reference_unread;
mod replica;
mod retention;
mod retention_time;
mod scan;
mod schema;
mod sqlite;
mod target;
#[cfg(test)]
mod testing;
mod timeline_key;
mod usage;
mod verify;
mod wal_owner;
mod writer;

pub use crate::settings::Durability;
pub use backup::backup;
pub use damage::Damage;
pub use directory::{Directory, is_new_or_empty};
pub use dump::{DumpError, export, import};
pub use error::{CommitError, StoreError};
pub use incoming::{IncomingStore, ReceivedStore};
pub use interface::{Part, Store};
pub use key_file::{certificate_path, path as key_path, read as read_key, write as write_key, write_certificate};
pub use listing::{MessageFilter, MessageFormat, list_messages, list_records};
pub use log::segments::{decode_segments, encode_segments};
pub use log_position::{BlockHash, LogPosition};
#[cfg(test)]
pub(crate) use memory::{MemoryDisk, MemoryStore};
pub use outgoing::copy_to_send;
pub use page::{NewestPage, Page};
pub use progress::Progress;
pub use recovering::open_or_read;
pub use replica::{ReplicaStore, open_alone};
pub use retention::rules::Rules;
pub use retention::sweep::{Sweep, Swept};
pub use retention_time::{read as read_retention_time, write as write_retention_time};
pub use sqlite::SqliteStore;
pub use target::{DirectoryLock, NewDirectory};
pub use usage::{Usage, free_bytes, usage};
pub use verify::{Verification, verify};
