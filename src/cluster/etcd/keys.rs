//! The layout of a cluster's keys in etcd.

use bytes::Bytes;

use crate::id::Seq;

/// The keys of a cluster, all under `/kabar/<cluster>/`.
pub(super) struct Keys {
    /// The end of the log: a `LogPosition`. Written when the log is begun, and never deleted.
    pub(super) head: Bytes,
    /// The name of the node that leads, attached to its lease. The revision that created the key is the term.
    pub(super) leader: Bytes,
    /// The term whose leader was asked last to end it.
    pub(super) asked_to_resign: Bytes,
    log: String,
    members: String,
}

/// More digits than a number of 64 bits has, so that keys sort as their numbers do.
const DIGITS: usize = 20;

impl Keys {
    pub(super) fn new(cluster: &str) -> Self {
        let prefix = format!("/kabar/{cluster}/");
        Self {
            head: format!("{prefix}head").into(),
            leader: format!("{prefix}leader").into(),
            asked_to_resign: format!("{prefix}asked_to_resign").into(),
            log: format!("{prefix}log/"),
            members: format!("{prefix}members/"),
        }
    }

    /// The key of the block that ends with this record.
    pub(super) fn block(&self, end: Seq) -> Bytes {
        format!("{}{:0DIGITS$}", self.log, end.0).into()
    }

    pub(super) fn all_blocks(&self) -> (Bytes, Bytes) {
        under(&self.log)
    }

    /// The blocks that end behind this record.
    pub(super) fn blocks_after(&self, seq: Seq) -> (Bytes, Bytes) {
        let (_, end) = under(&self.log);
        // The key of the block that ends with `seq`, and the least byte: that block itself is not in the range.
        ([self.block(seq).as_ref(), &[0]].concat().into(), end)
    }

    /// The blocks that end with this record or in front of it.
    pub(super) fn blocks_upto(&self, seq: Seq) -> (Bytes, Bytes) {
        (Bytes::from(self.log.clone()), self.blocks_after(seq).0)
    }

    pub(super) fn member(&self, node: &str) -> Bytes {
        format!("{}{node}", self.members).into()
    }

    pub(super) fn all_members(&self) -> (Bytes, Bytes) {
        under(&self.members)
    }
}

/// The range of all keys under a folder: up to the same name with the byte that follows `/`.
fn under(folder: &str) -> (Bytes, Bytes) {
    let end = format!("{}0", folder.trim_end_matches('/'));
    (Bytes::from(folder.to_owned()), end.into())
}
