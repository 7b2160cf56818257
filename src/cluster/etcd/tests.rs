//! The shared log against etcd processes of the machine.

mod campaigns;
mod cluster;
mod failures;
mod members;
mod reading;

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::cluster::etcd::EtcdLog;
use crate::cluster::shared_log::{Appended, EncodedBlock, SharedLog, Term};
use crate::id::Seq;
use crate::store::LogPosition;

/// Far longer than a test takes.
const LEASE: Duration = Duration::from_secs(60);

/// A block of ten records that follows a position.
fn block_after(after: LogPosition, bytes: &[u8]) -> EncodedBlock {
    let hash = Sha256::new().chain_update(after.hash).chain_update(bytes).finalize();
    let end = LogPosition { seq: Seq(after.seq.0 + 10), hash: hash.into() };
    EncodedBlock { after: after.seq, end, bytes: bytes.to_vec().into() }
}

/// Appends blocks one after the other at the end of the log.
fn append(log: &EtcdLog, term: Term, bytes: &[&[u8]]) -> Vec<EncodedBlock> {
    let mut end = log.head().unwrap().unwrap();
    let mut appended = Vec::new();
    for bytes in bytes {
        let block = block_after(end, bytes);
        assert_eq!(log.append(term, end, &block).unwrap(), Appended::Done);
        end = block.end;
        appended.push(block);
    }
    appended
}
