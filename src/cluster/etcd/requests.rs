//! Shorthand for the parts of a transaction, and for what its answer holds.

use bytes::Bytes;

use crate::cluster::etcd::messages::{
    Compare, CompareTarget, DeleteRangeRequest, Expected, KeyValue, Operation, PutRequest, RangeRequest, RequestOp,
    TxnRequest, TxnResponse,
};

/// True if the key was created at this revision, and not deleted since. With 0: if it does not exist.
pub(super) fn created_at(key: &Bytes, revision: i64) -> Compare {
    let expected = Some(Expected::CreateRevision(revision));
    Compare { target: CompareTarget::Create as i32, key: key.clone(), expected }
}

/// True if the key was written at this revision, and neither written nor deleted since. With 0: if it does not exist.
pub(super) fn written_at(key: &Bytes, revision: i64) -> Compare {
    let expected = Some(Expected::ModRevision(revision));
    Compare { target: CompareTarget::Mod as i32, key: key.clone(), expected }
}

pub(super) fn has_value(key: &Bytes, value: Bytes) -> Compare {
    Compare { target: CompareTarget::Value as i32, key: key.clone(), expected: Some(Expected::Value(value)) }
}

pub(super) fn put(key: &Bytes, value: Bytes, lease: i64) -> RequestOp {
    operation(Operation::Put(PutRequest { key: key.clone(), value, lease }))
}

pub(super) fn get(key: &Bytes) -> RequestOp {
    operation(Operation::Range(RangeRequest { key: key.clone(), ..RangeRequest::default() }))
}

/// The first keys of a range, ascending; all if `limit` is 0.
pub(super) fn get_range((key, range_end): (Bytes, Bytes), limit: usize) -> RequestOp {
    let limit = i64::try_from(limit).unwrap_or(0);
    operation(Operation::Range(RangeRequest { key, range_end, limit }))
}

pub(super) fn delete(key: &Bytes) -> RequestOp {
    delete_range((key.clone(), Bytes::new()))
}

pub(super) fn delete_range((key, range_end): (Bytes, Bytes)) -> RequestOp {
    operation(Operation::DeleteRange(DeleteRangeRequest { key, range_end }))
}

/// A transaction without conditions: all of it is done at one revision.
pub(super) fn unconditional(success: Vec<RequestOp>) -> TxnRequest {
    TxnRequest { success, ..TxnRequest::default() }
}

fn operation(operation: Operation) -> RequestOp {
    RequestOp { operation: Some(operation) }
}

impl TxnResponse {
    /// The revision at which the transaction was done.
    pub(super) fn revision(&self) -> i64 {
        self.header.as_ref().map_or(0, |header| header.revision)
    }

    /// What the operation at `index`, a range, found.
    pub(super) fn found(&self, index: usize) -> &[KeyValue] {
        let range = self.responses.get(index).and_then(|response| response.range.as_ref());
        range.map_or(&[], |range| &range.kvs)
    }

    /// As [`TxnResponse::found`], of a range that is one key.
    pub(super) fn value(&self, index: usize) -> Option<&KeyValue> {
        self.found(index).first()
    }
}
