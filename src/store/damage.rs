//! Tells the operator what of the store is damaged: each place once.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Mutex;

use crate::id::Seq;
use crate::limits::DAMAGE_REPORTS;
use crate::store::lock::lock;

/// A damaged part of the store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Damage {
    /// A row of the log: its records, with numbers in this range, cannot be read.
    Log {
        /// The number of the first record, as far as it is known.
        first: Seq,
        /// The number of the last record.
        last: Seq,
    },
    /// A row of the timeline index: what it places is not found any more.
    Index(Box<str>),
    /// SQLite's own structure, or a row of a table.
    Database(Box<str>),
}

impl Damage {
    /// The first number of damaged log entries.
    pub(crate) fn first(&self) -> Option<Seq> {
        if let Self::Log { first, .. } = self { Some(*first) } else { None }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log { first, last } if first == last => write!(f, "log entry {first}"),
            Self::Log { first, last } => write!(f, "log entries {first} to {last}"),
            Self::Index(row) => write!(f, "the timeline index, {row}"),
            Self::Database(what) => write!(f, "the database, {what}"),
        }
    }
}

/// The damage that was met since the store was opened.
#[derive(Debug)]
pub(crate) struct DamageLog {
    database: PathBuf,
    met: Mutex<BTreeSet<Damage>>,
}

impl DamageLog {
    pub(crate) fn new(database: PathBuf) -> Self {
        Self { database, met: Mutex::default() }
    }

    /// Logs a damaged place, unless it was met before or very many were.
    pub(crate) fn report(&self, damage: Damage) {
        let mut met = lock(&self.met);
        if met.len() < DAMAGE_REPORTS && met.insert(damage.clone()) {
            let file = self.database.display();
            tracing::error!(%file, "damaged on disk: {damage}; it is not served. `kabar check --data` lists all damage");
        }
    }

    /// The damage that was found.
    pub(crate) fn met(&self) -> Vec<Damage> {
        lock(&self.met).iter().cloned().collect()
    }
}
