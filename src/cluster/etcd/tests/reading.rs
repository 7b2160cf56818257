//! Appending, reading and cutting the log.

use crate::cluster::etcd::tests::cluster::Cluster;
use crate::cluster::etcd::tests::{LEASE, append, block_after};
use crate::cluster::shared_log::{Appended, Following, SharedLog};
use crate::id::Seq;
use crate::store::LogPosition;

#[test]
fn blocks_are_read_as_they_were_appended() {
    let cluster = Cluster::start(1);
    let log = cluster.log();
    assert_eq!(log.head().unwrap(), Some(LogPosition::default()));
    assert_eq!(log.read(Seq(0), 1000).unwrap(), Following::Blocks(Vec::new()));

    let term = log.campaign("a", LEASE).unwrap().unwrap();
    let blocks = append(&log, term, &[b"one", b"two", b"three"]);
    assert_eq!(log.head().unwrap(), Some(blocks[2].end));
    assert_eq!(log.read(Seq(0), 1000).unwrap(), Following::Blocks(blocks.clone()));
    assert_eq!(log.read(Seq(10), 1000).unwrap(), Following::Blocks(blocks[1..].to_vec()));
    assert_eq!(log.read(Seq(30), 1000).unwrap(), Following::Blocks(Vec::new()));
    // At most so many bytes, but one block at least.
    assert_eq!(log.read(Seq(0), 7).unwrap(), Following::Blocks(blocks[..2].to_vec()));
    assert_eq!(log.read(Seq(0), 0).unwrap(), Following::Blocks(blocks[..1].to_vec()));
    assert!(log.size().unwrap() > 0);
}

#[test]
fn many_blocks_are_read_in_pages() {
    let cluster = Cluster::start(1);
    let log = cluster.log();
    let term = log.campaign("a", LEASE).unwrap().unwrap();
    let bytes = [7; 16 * 1024];
    let blocks = append(&log, term, &[bytes.as_slice(); 150]);
    assert_eq!(log.read(Seq(0), usize::MAX).unwrap(), Following::Blocks(blocks.clone()));
    assert_eq!(log.read(Seq(0), 100 * bytes.len()).unwrap(), Following::Blocks(blocks[..100].to_vec()));
}

#[test]
fn a_repeated_append_is_done_once() {
    let cluster = Cluster::start(1);
    let log = cluster.log();
    let term = log.campaign("a", LEASE).unwrap().unwrap();
    let first = block_after(LogPosition::default(), b"first");
    assert_eq!(log.append(term, LogPosition::default(), &first).unwrap(), Appended::Done);
    assert_eq!(log.append(term, LogPosition::default(), &first).unwrap(), Appended::Done);
    append(&log, term, &[b"second"]);
    assert_eq!(log.append(term, LogPosition::default(), &first).unwrap(), Appended::Done);
    let Following::Blocks(blocks) = log.read(Seq(0), 1000).unwrap() else { unreachable!() };
    assert_eq!(blocks.len(), 2);
    // Also when the term is over.
    log.resign(term).unwrap();
    assert_eq!(log.append(term, LogPosition::default(), &first).unwrap(), Appended::Done);
}

#[test]
fn a_block_that_does_not_follow_the_head_is_fenced() {
    let cluster = Cluster::start(1);
    let log = cluster.log();
    let term = log.campaign("a", LEASE).unwrap().unwrap();
    let blocks = append(&log, term, &[b"first"]);
    let other = block_after(LogPosition::default(), b"other");
    assert_eq!(log.append(term, LogPosition::default(), &other).unwrap(), Appended::Fenced);
    let later = block_after(other.end, b"later");
    assert_eq!(log.append(term, other.end, &later).unwrap(), Appended::Fenced);
    // It would turn the head back.
    assert_eq!(log.append(term, blocks[0].end, &blocks[0]).unwrap(), Appended::Fenced);
    assert_eq!(log.head().unwrap(), Some(blocks[0].end));
}

#[test]
fn the_log_is_cut_by_the_leader_only() {
    let cluster = Cluster::start(1);
    let log = cluster.log();
    let over = log.campaign("a", LEASE).unwrap().unwrap();
    let blocks = append(&log, over, &[b"one", b"two", b"three"]);
    log.resign(over).unwrap();
    log.truncate(over, Seq(20)).unwrap();
    assert_eq!(log.read(Seq(0), 1000).unwrap(), Following::Blocks(blocks.clone()));

    let term = log.campaign("a", LEASE).unwrap().unwrap();
    log.truncate(term, Seq(20)).unwrap();
    log.truncate(term, Seq(20)).unwrap();
    assert_eq!(log.read(Seq(0), 1000).unwrap(), Following::Gone);
    assert_eq!(log.read(Seq(10), 1000).unwrap(), Following::Gone);
    assert_eq!(log.read(Seq(20), 1000).unwrap(), Following::Blocks(blocks[2..].to_vec()));
    log.truncate(term, Seq(30)).unwrap();
    assert_eq!(log.read(Seq(20), 1000).unwrap(), Following::Gone);
    assert_eq!(log.read(Seq(30), 1000).unwrap(), Following::Blocks(Vec::new()));
    assert_eq!(log.head().unwrap(), Some(blocks[2].end));

    // Whether a block stood where the log was cut cannot be told.
    assert!(log.append(over, blocks[0].end, &blocks[1]).is_err());
    let four = append(&log, term, &[b"four"]);
    assert_eq!(log.read(Seq(30), 1000).unwrap(), Following::Blocks(four));
    assert!(log.append(over, blocks[0].end, &blocks[1]).is_err());
}
