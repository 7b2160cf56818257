//! Backup: copies the store beside a running server.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::limits::BACKUP_PAGES;
use crate::store::damage::Damage;
use crate::store::directory::TempDatabase;
use crate::store::error::StoreError;
use crate::store::progress::Progress;
use crate::store::target::CopyTarget;
use crate::store::{connection, key_file, read_only, verify, wal_owner};

/// Copies a snapshot of the store and the server's key, if there is one, to a directory, which must be new or empty.
/// Returns the number of bytes, and what of the copy is damaged: all of it is read again. A server started on the copy has
/// the same identity to its peers.
///
/// # Errors
/// If there is no store of this version, it or the key cannot be read, or the target is not empty or cannot be written.
pub fn backup(from: &Path, to: &Path, progress: &mut dyn FnMut(Progress)) -> Result<(u64, Vec<Damage>), StoreError> {
    let mut source = read_only::open(from)?;
    let key = key_file::read(from)?;
    let place = CopyTarget::prepare(to)?;
    let temp = TempDatabase::create(to)?;
    let (mut target, bytes) = copy_to(&temp.path(), &mut source, progress)?;
    let damage = verify::verify_database(&mut target, progress)?.damage;
    drop(target);
    if let Some(key) = key {
        key_file::write(to, &key)?;
    }
    temp.finish()?;
    place.keep();
    Ok((bytes, damage))
}

/// Copies a snapshot of a store into an empty file. Returns the copy, open, and its bytes.
pub(super) fn copy_to(
    path: &Path,
    source: &mut Connection,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Connection, u64), StoreError> {
    // SQLite restarts a backup whenever the source changes, unless the source is a snapshot. This blocks no writer.
    let snapshot = Transaction::new(source, TransactionBehavior::Deferred)?;
    let mut target = connection::open_temp(path)?;
    let bytes = copy(&snapshot, &mut target, progress)?;
    wal_owner::mark_copy(&target)?;
    Ok((target, bytes))
}

fn copy(snapshot: &Connection, target: &mut Connection, progress: &mut dyn FnMut(Progress)) -> Result<u64, StoreError> {
    let page_bytes: u64 = snapshot.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    let _first_read_takes_the_snapshot: u32 =
        snapshot.query_row("SELECT count(*) FROM log WHERE last = 0", [], |row| row.get(0))?;
    let backup = Backup::new(snapshot, target)?;
    loop {
        let step = backup.step(BACKUP_PAGES)?;
        let (all, left) = (backup.progress().pagecount, backup.progress().remaining);
        let pages = |number: i32| u64::try_from(number).unwrap_or(0);
        match step {
            StepResult::Done => return Ok(pages(all) * page_bytes),
            StepResult::More => {
                let done = pages(all.saturating_sub(left));
                progress(Progress::new(done, "pages", done, Some(pages(all))));
            }
            // Busy or locked, though neither side has another writer: retrying would not end.
            _ => return Err(StoreError::Damaged("it is locked by another program".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Destination;
    use crate::id::{Seq, UserId};
    use crate::store::interface::Store;
    use crate::store::model::stored_log;
    use crate::store::testing::{direct_query, open_tiny, sent};
    use secrecy::ExposeSecret;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use tempfile::tempdir;

    #[test]
    fn a_copy_is_a_snapshot_although_messages_are_committed_meanwhile() {
        let (here, home) = (tempdir().unwrap(), tempdir().unwrap());
        let store = open_tiny(here.path());
        let say = |seq: u64| store.commit(&[sent(seq, 1, Destination::User(UserId(2)), &"x".repeat(5_000))]).unwrap();
        (1..=3_000).for_each(&say);
        let (mut next, mut steps) = (3_001, 0);
        let there = home.path().join("copy");
        backup(here.path(), &there, &mut |_| {
            say(next);
            (next, steps) = (next + 1, steps + 1);
        })
        .unwrap();
        assert!(steps > 2, "{steps} steps are too few to show anything");
        assert_eq!(store.load().unwrap().head, Seq(3_000 + steps));
        let copy = open_tiny(&there);
        assert_eq!(copy.load().unwrap().head, Seq(3_000));
        let page = |store: &dyn Store| store.page(&direct_query(2, 2_990), 10).unwrap().messages;
        assert_eq!(format!("{:?}", page(&copy)), format!("{:?}", page(&store)));
    }

    #[test]
    fn a_copy_exports_as_its_source_and_is_private() {
        let (here, home) = (tempdir().unwrap(), tempdir().unwrap());
        let store = open_tiny(here.path());
        store.commit(&[sent(1, 1, Destination::Everyone, "halo")]).unwrap();
        store.close().unwrap();
        drop(store);
        let there = home.path().join("copy");
        let (bytes, damage) = backup(here.path(), &there, &mut |_| {}).unwrap();
        assert_eq!(damage, []);
        let database = fs::metadata(there.join("kabar.db")).unwrap();
        assert_eq!((database.len(), database.permissions().mode() & 0o777), (bytes, 0o600));
        let files: Vec<_> = fs::read_dir(&there).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, ["kabar.db"]);
        assert_eq!(stored_log(here.path()), stored_log(&there));
    }

    #[test]
    fn the_key_is_copied() {
        let (here, there) = (tempdir().unwrap(), tempdir().unwrap());
        drop(open_tiny(here.path()));
        key_file::write(here.path(), &"key".into()).unwrap();
        backup(here.path(), there.path(), &mut |_| {}).unwrap();
        assert_eq!(key_file::read(there.path()).unwrap().unwrap().expose_secret(), "key");
    }

    #[test]
    fn nothing_is_overwritten() {
        let (here, there) = (tempdir().unwrap(), tempdir().unwrap());
        drop(open_tiny(here.path()));
        fs::write(there.path().join("thesis.txt"), "…").unwrap();
        assert!(matches!(backup(here.path(), there.path(), &mut |_| {}), Err(StoreError::NotEmpty(_))));
        assert!(matches!(backup(here.path(), here.path(), &mut |_| {}), Err(StoreError::NotEmpty(_))));
        assert!(matches!(backup(there.path(), here.path(), &mut |_| {}), Err(StoreError::Missing(_))));
    }
}
