//! Backup: a copy of the store that is a store, made beside a running server.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::limits::BACKUP_PAGES;
use crate::store::directory::{self, Unfinished};
use crate::store::{Progress, StoreError, archive, connection, key_file};

/// Copies the store in one directory to another, which must be new or empty, and gives the number of bytes. The copy is
/// the store of the moment of the beginning, and a store only once it is whole and on stable storage. The server's key
/// goes along, where there is one: who starts on the copy is the same server to its peers.
///
/// # Errors
/// Where there is no store of this version, or it or the key cannot be read, or the other directory holds anything or
/// cannot be written.
pub fn backup(from: &Path, to: &Path, progress: &mut dyn FnMut(Progress)) -> Result<u64, StoreError> {
    let mut source = archive::open(from)?;
    let key = key_file::read(from)?;
    directory::make_empty(to)?;
    let unfinished = Unfinished::create(to)?;
    // The copying begins anew whenever the source has changed: one moment of it is held, and nobody held up by that.
    let moment = Transaction::new(&mut source, TransactionBehavior::Deferred)?;
    let bytes = copy(&moment, &mut connection::open_unfinished(&unfinished.path())?, progress)?;
    if let Some(key) = key {
        key_file::write(to, &key)?;
    }
    unfinished.finish()?;
    Ok(bytes)
}

fn copy(moment: &Connection, target: &mut Connection, progress: &mut dyn FnMut(Progress)) -> Result<u64, StoreError> {
    let page_bytes: u64 = moment.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    let _the_moment_begins: u32 = moment.query_row("SELECT count(*) FROM log WHERE seq = 0", [], |row| row.get(0))?;
    let backup = Backup::new(moment, target)?;
    loop {
        let step = backup.step(BACKUP_PAGES)?;
        let (all, left) = (backup.progress().pagecount, backup.progress().remaining);
        let pages = |number: i32| u64::try_from(number).unwrap_or(0);
        match step {
            StepResult::Done => return Ok(pages(all) * page_bytes),
            StepResult::More => {
                let done = pages(all.saturating_sub(left));
                progress(Progress::new(done, done, Some(pages(all))));
            }
            // Neither side has anybody else who writes: a wait would be for ever.
            _ => return Err(StoreError::Damaged("it is locked by another program".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Destination;
    use crate::id::{Seq, UserId};
    use crate::store::Store;
    use crate::store::properties::stored_log;
    use crate::store::testing::{direct_view, open_tiny, said};
    use secrecy::ExposeSecret;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use tempfile::tempdir;

    #[test]
    fn a_copy_is_the_store_of_its_beginning_while_messages_flow() {
        let (here, home) = (tempdir().unwrap(), tempdir().unwrap());
        let store = open_tiny(here.path());
        let say = |seq: u64| store.commit(&[said(seq, 1, Destination::User(UserId(2)), &"x".repeat(5_000))]).unwrap();
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
        let page = |store: &dyn Store| store.page(&direct_view(2, 2_990), 10).unwrap().messages;
        assert_eq!(format!("{:?}", page(&copy)), format!("{:?}", page(&store)));
    }

    #[test]
    fn a_copy_says_the_same_and_is_nobody_elses_to_read() {
        let (here, home) = (tempdir().unwrap(), tempdir().unwrap());
        let store = open_tiny(here.path());
        store.commit(&[said(1, 1, Destination::Everyone, "halo")]).unwrap();
        store.close().unwrap();
        drop(store);
        let there = home.path().join("copy");
        let bytes = backup(here.path(), &there, &mut |_| {}).unwrap();
        let database = fs::metadata(there.join("kabar.db")).unwrap();
        assert_eq!((database.len(), database.permissions().mode() & 0o777), (bytes, 0o600));
        let files: Vec<_> = fs::read_dir(&there).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, ["kabar.db"]);
        assert_eq!(stored_log(here.path()), stored_log(&there));
    }

    #[test]
    fn the_key_goes_along() {
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
