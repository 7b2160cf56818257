//! The head of the log: the number and the time of its newest entry. Both never go back, so the table `head` keeps them
//! after retention has deleted that entry.

use rusqlite::{Connection, Row};

use crate::id::Seq;
use crate::store::error::StoreError;
use crate::store::log::rows::{self, LogRow};
use crate::time::Time;

pub(crate) fn read(database: &Connection) -> Result<(Seq, Time), StoreError> {
    let head = |row: &Row<'_>| Ok((Seq(row.get(0)?), Time(row.get(1)?)));
    // Nor may a damaged key of the newest row give a number a second time, once the index has come to it.
    let saved = "SELECT max(head.seq, indexed.upto), head.time FROM head, indexed";
    let (saved, saved_time) = database.query_row(saved, [], head)?;
    let newest: Option<u64> = database.query_row("SELECT max(last) FROM log", [], |row| row.get(0))?;
    let seq = newest.map_or(saved, |newest| saved.max(Seq(newest)));
    Ok((seq, saved_time.max(newest_time(database, seq)?)))
}

/// The time of the newest intact entry.
fn newest_time(database: &Connection, seq: Seq) -> Result<Time, StoreError> {
    let mut end = seq.next();
    while let Some(row) = rows::ending_before(database, end)? {
        match row {
            LogRow::Intact(segment) => return segment.newest_time(),
            LogRow::Damaged(damage) => end = damage.first().unwrap_or_default(),
        }
    }
    Ok(Time(0))
}

pub(crate) fn save(transaction: &Connection, seq: Seq, time: Time) -> rusqlite::Result<()> {
    transaction.execute("UPDATE head SET seq = ?1, time = ?2", [seq.0, time.0]).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Destination;
    use crate::id::UserId;
    use crate::store::interface::Store;
    use crate::store::testing::{open_tiny, sent};

    #[test]
    fn a_damaged_key_of_the_newest_row_gives_no_number_twice() {
        let directory = tempfile::tempdir().unwrap();
        let store = open_tiny(directory.path());
        (1..=9).for_each(|seq| store.commit(&[sent(seq, 1, Destination::User(UserId(2)), "")]).unwrap());
        store.close().unwrap();
        let shell = Connection::open(directory.path().join("kabar.db")).unwrap();
        shell.execute_batch("DELETE FROM log WHERE last = 1; UPDATE log SET last = 1 WHERE last = 9").unwrap();
        assert_eq!(read(&shell).unwrap(), (Seq(9), Time(8_000)));
    }
}
