use std::io::Read;

use proptest::prelude::*;
use tempfile::{TempDir, tempdir};

use super::*;
use crate::chat::Destination;
use crate::id::UserId;
use crate::settings::Durability;
use crate::store::interface::Store;
use crate::store::model::stored_log;
use crate::store::outgoing::copy_to_send;
use crate::store::replica::ReplicaStore;
use crate::store::sqlite::SqliteStore;
use crate::store::testing::{open_tiny, sent};

fn place(seq: u64) -> LogPosition {
    LogPosition { seq: Seq(seq), hash: [seq as u8; 32] }
}

/// A node's store with so many messages that begin with a text.
fn fill(directory: &Path, messages: u64, text: &str) -> SqliteStore {
    let store = open_tiny(directory);
    store.begin_replica(&place(0)).unwrap();
    for seq in 1..=messages {
        let record = sent(seq, 1, Destination::User(UserId(2)), &format!("{text}{seq}"));
        store.commit_up_to(&place(seq), &[record], Durability::Fast).unwrap();
    }
    store
}

fn closed(directory: &Path, messages: u64, text: &str) {
    let store = fill(directory, messages, text);
    store.close().unwrap();
}

/// The bytes that another node would get of a store that is in use, and their hash.
fn snapshot(messages: u64) -> (Vec<u8>, [u8; 32]) {
    let home = tempdir().unwrap();
    let _in_use = fill(home.path(), messages, "m");
    let mut bytes = Vec::new();
    copy_to_send(home.path(), 0, &mut |_| {}).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(files(&home), ["kabar.db", "kabar.db-shm", "kabar.db-wal", "kabar.lock"], "the copy has no name");
    let hash = Sha256::digest(&bytes).into();
    (bytes, hash)
}

fn files(home: &TempDir) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(home.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn receive(home: &TempDir, bytes: &[u8], hash: &[u8; 32]) -> Result<ReceivedStore, StoreError> {
    let mut incoming = IncomingStore::begin(home.path(), bytes.len() as u64, 0)?;
    bytes.chunks(4_096).try_for_each(|chunk| incoming.write(chunk))?;
    incoming.complete(hash, &mut |_| {})
}

fn replace(home: &TempDir, received: ReceivedStore) -> Option<PathBuf> {
    received.replace(&Directory::open(home.path()).unwrap()).unwrap()
}

#[test]
fn a_received_store_takes_the_place_of_an_older_one_which_is_kept() {
    let (bytes, hash) = snapshot(40);
    let home = tempdir().unwrap();
    closed(home.path(), 10, "m");
    let before = stored_log(home.path());
    let received = receive(&home, &bytes, &hash).unwrap();
    received.check_history().unwrap();
    assert_eq!(received.position(), place(40));
    let kept = replace(&home, received).unwrap();
    assert_eq!(kept, home.path().join("kabar.db.before-snapshot-10"));
    let store = open_tiny(home.path());
    assert_eq!((store.position().unwrap(), store.load().unwrap().head), (Some(place(40)), Seq(40)));
    let elsewhere = tempdir().unwrap();
    fs::copy(kept, elsewhere.path().join("kabar.db")).unwrap();
    assert_eq!(stored_log(elsewhere.path()), before);
}

#[test]
fn only_the_newest_of_the_replaced_stores_is_kept() {
    let home = tempdir().unwrap();
    closed(home.path(), 10, "m");
    for messages in [40, 50] {
        let (bytes, hash) = snapshot(messages);
        let received = receive(&home, &bytes, &hash).unwrap();
        received.check_history().unwrap();
        replace(&home, received);
    }
    assert_eq!(files(&home), ["kabar.db", "kabar.db.before-snapshot-40", "kabar.lock"]);
}

#[test]
fn an_empty_directory_gets_the_store_and_keeps_nothing() {
    let (bytes, hash) = snapshot(7);
    let home = tempdir().unwrap();
    let directory = Directory::open(home.path()).unwrap();
    let received = receive(&home, &bytes, &hash).unwrap();
    assert_eq!(received.replace(&directory).unwrap(), None);
    assert_eq!(files(&home), ["kabar.db", "kabar.lock"]);
    drop(directory);
    assert_eq!(open_tiny(home.path()).position().unwrap(), Some(place(7)));
}

#[test]
fn a_store_that_is_ahead_or_has_another_history_is_not_replaced() {
    let (bytes, hash) = snapshot(40);
    for (messages, text) in [(41, "m"), (10, "other"), (40, "other")] {
        let home = tempdir().unwrap();
        closed(home.path(), messages, text);
        let refused = receive(&home, &bytes, &hash).unwrap().check_history();
        assert!(matches!(refused, Err(StoreError::OtherHistory(_))), "{messages} {text}: {refused:?}");
    }
}

#[test]
fn a_store_with_entries_beside_the_clusters_log_is_not_replaced() {
    let (bytes, hash) = snapshot(40);
    let home = tempdir().unwrap();
    let store = fill(home.path(), 10, "m");
    store.commit(&[sent(11, 1, Destination::User(UserId(2)), "m11")]).unwrap();
    drop(store);
    let refused = receive(&home, &bytes, &hash).unwrap().check_history();
    assert!(matches!(refused, Err(StoreError::OtherHistory(_))), "{refused:?}");
}

#[test]
fn a_store_of_no_cluster_is_not_taken() {
    let home = tempdir().unwrap();
    let store = open_tiny(home.path());
    store.commit(&[sent(1, 1, Destination::Everyone, "halo")]).unwrap();
    let mut bytes = Vec::new();
    copy_to_send(home.path(), 0, &mut |_| {}).unwrap().read_to_end(&mut bytes).unwrap();
    let refused = receive(&tempdir().unwrap(), &bytes, &Sha256::digest(&bytes).into()).map(drop);
    assert!(matches!(refused, Err(StoreError::NoReplica)), "{refused:?}");
}

#[test]
fn a_disk_without_room_is_named_before_anything_is_written() {
    let home = tempdir().unwrap();
    let refused = IncomingStore::begin(home.path(), 1, u64::MAX).map(drop);
    assert!(matches!(refused, Err(StoreError::NoRoom { needed: u64::MAX, .. })), "{refused:?}");
    let _store = fill(home.path(), 1, "m");
    let refused = copy_to_send(home.path(), u64::MAX, &mut |_| {}).map(drop);
    assert!(matches!(refused, Err(StoreError::NoRoom { .. })), "{refused:?}");
}

#[test]
fn what_a_killed_process_left_is_removed_by_the_next() {
    let home = tempdir().unwrap();
    closed(home.path(), 3, "m");
    fs::write(home.path().join("kabar.db.unfinished"), "half").unwrap();
    fs::write(home.path().join("kabar.db.copy"), "half").unwrap();
    drop(open_tiny(home.path()));
    assert_eq!(files(&home), ["kabar.db", "kabar.lock"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever arrives in place of the snapshot: the store stays as it was, and the next attempt succeeds.
    #[test]
    fn an_interrupted_or_altered_snapshot_changes_nothing(cut in 0.0..1.0_f64, flips: bool, killed: bool) {
        let (bytes, hash) = snapshot(20);
        let home = tempdir().unwrap();
        closed(home.path(), 5, "m");
        let before = stored_log(home.path());
        let at = (bytes.len() as f64 * cut) as usize;
        let mut arrived = bytes.clone();
        if flips { arrived[at] ^= 1 } else { arrived.truncate(at) }
        let mut incoming = IncomingStore::begin(home.path(), bytes.len() as u64, 0).unwrap();
        incoming.write(&arrived).unwrap();
        if killed {
            std::mem::forget(incoming);
        } else {
            let refused = incoming.complete(&hash, &mut |_| {}).map(drop);
            prop_assert!(matches!(refused, Err(StoreError::DamagedCopy)), "{refused:?}");
            prop_assert_eq!(files(&home), ["kabar.db", "kabar.lock"]);
        }
        prop_assert_eq!(stored_log(home.path()), before);
        let received = receive(&home, &bytes, &hash).unwrap();
        received.check_history().unwrap();
        replace(&home, received);
        prop_assert_eq!(open_tiny(home.path()).position().unwrap(), Some(place(20)));
    }
}
