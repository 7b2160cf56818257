//! Verifies a whole store: everything that a checksum covers, and whether the log and its index agree.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;
use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::chat::{Entry, Event, Record, Timeline};
use crate::id::Seq;
use crate::limits::{DAMAGE_REPORTS, PROGRESS_STEP};
use crate::store::damage::{Damage, DamageLog};
use crate::store::error::StoreError;
use crate::store::index::chunk;
use crate::store::index::config::IndexConfig;
use crate::store::index::runs;
use crate::store::index::timeline_index::Index;
use crate::store::log::head;
use crate::store::log::reader::LogReader;
use crate::store::log::rows;
use crate::store::progress::Progress;
use crate::store::{columns, load, low_watermark, read_only};

/// The contents of a store, and the damage in it.
#[derive(Debug, Default)]
pub struct Verification {
    /// Log entries that are intact.
    pub entries: u64,
    /// Messages among them.
    pub messages: u64,
    /// At most so many places as a person can look at.
    pub damage: Vec<Damage>,
}

/// Reads all of the store in a directory. A server may be running on it.
///
/// # Errors
/// If there is no store of this version, or none of it can be read.
pub fn verify(directory: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Verification, StoreError> {
    verify_database(&mut read_only::open(directory)?, progress)
}

/// As [`verify`], for an open database.
pub(super) fn verify_database(
    database: &mut Connection,
    progress: &mut dyn FnMut(Progress),
) -> Result<Verification, StoreError> {
    let snapshot = Transaction::new(database, TransactionBehavior::Deferred)?;
    let damage = DamageLog::new("".into());
    check_structure(&snapshot, &damage)?;
    let mut verification = Verification::default();
    let (mut logged, mut indexed) = (Placements::default(), Placements::default());
    let removed: HashMap<_, _> = low_watermark::all(&snapshot)?.into_iter().collect();
    read_log(&snapshot, &damage, progress, |record| {
        verification.entries += 1;
        let Event::MessageSent(message) = &record.event else { return };
        verification.messages += 1;
        let placements = message.placements(record.seq);
        let stays =
            |(timeline, entry): &(Timeline, Entry)| removed.get(timeline).is_none_or(|removed| entry.seq > *removed);
        placements.filter(stays).for_each(|placement| logged.add(&placement));
    })?;
    read_index(&snapshot, &damage, |timeline, entry| {
        indexed.add(&(timeline, entry));
        if entry == chunk::unconfirmed(entry.seq) {
            damage.report(Damage::Index(format!("a row of entries up to {}", entry.seq).into()));
        }
    })?;
    if damage.met().is_empty() && logged != indexed {
        let counts = format!("{} entries, and the log places {}", indexed.count, logged.count);
        damage.report(Damage::Index(counts.into()));
    }
    verification.damage = damage.met();
    Ok(verification)
}

/// SQLite's own check: pages, the order of keys, and that each row is in its indexes.
fn check_structure(database: &Connection, damage: &DamageLog) -> Result<(), StoreError> {
    columns::for_each_row(database, &format!("PRAGMA quick_check({DAMAGE_REPORTS})"), |row| {
        let found: Box<str> = row.get(0)?;
        if &*found != "ok" {
            damage.report(Damage::Database(found));
        }
        Ok(())
    })
}

fn read_log(
    database: &Connection,
    damage: &DamageLog,
    progress: &mut dyn FnMut(Progress),
    mut visit: impl FnMut(&Record),
) -> Result<(), StoreError> {
    let (head, _) = head::read(database)?;
    let mut count = 0;
    rows::for_each(database, Seq(0), damage, |segment| {
        for record in segment.records() {
            match record {
                Ok(record) => visit(&record),
                Err(_) => damage.report(Damage::Log { first: segment.first(), last: segment.last() }),
            }
            count += 1;
            if u64::is_multiple_of(count, PROGRESS_STEP) {
                progress(Progress::new(count, "log entries", segment.last().0, Some(head.0)));
            }
        }
        Ok::<_, StoreError>(ControlFlow::Continue(()))
    })
}

/// Visits what the index places, and loads the state, which reads every row of the other tables.
fn read_index(
    database: &Connection,
    damage: &DamageLog,
    mut visit: impl FnMut(Timeline, Entry),
) -> Result<(), StoreError> {
    let of_table = |result: Result<(), StoreError>| match result {
        Err(StoreError::Damaged(what)) => {
            damage.report(Damage::Database(what));
            Ok(())
        }
        done => done,
    };
    let config = IndexConfig::default();
    let index = match Index::open(database, config, damage) {
        Ok(index) => index,
        Err(error) => return of_table(Err(error)),
    };
    of_table(load::load(&mut LogReader::new(database, damage), &index).map(|_| ()))?;
    of_table(index.for_each_in_memory(&mut visit))?;
    of_table(chunk::for_each_entry(database, &mut visit))?;
    of_table(runs::for_each_entry(database, config.partition_timelines, &mut visit))
}

/// Entries of timelines, summed up in any order.
#[derive(Debug, Default, PartialEq, Eq)]
struct Placements {
    count: u64,
    sum: u64,
}

impl Placements {
    fn add(&mut self, (timeline, Entry { seq, peer, sent, realm }): &(Timeline, Entry)) {
        let mut hasher = DefaultHasher::new();
        (timeline, seq, peer, sent, realm).hash(&mut hasher);
        self.count += 1;
        self.sum = self.sum.wrapping_add(hasher.finish());
    }
}
