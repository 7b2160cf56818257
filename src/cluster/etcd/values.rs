//! The values of a cluster's keys in etcd.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cluster::etcd::messages::KeyValue;
use crate::cluster::shared_log::{EncodedBlock, Unreachable};
use crate::id::Seq;
use crate::store::LogPosition;

/// What precedes the bytes of a block in its value.
#[derive(Serialize, Deserialize)]
struct BlockHeader {
    /// The end of the block before it, which shows a reader whether there is a gap.
    after: Seq,
    end: LogPosition,
}

/// A block as it was found.
pub(super) fn decode_block(stored: &KeyValue) -> Result<EncodedBlock, Unreachable> {
    let (BlockHeader { after, end }, bytes) =
        postcard::take_from_bytes(&stored.value).map_err(|error| unreadable(stored, error))?;
    Ok(EncodedBlock { after, end, bytes: stored.value.slice_ref(bytes) })
}

/// The value of a block's key.
pub(super) fn encode_block(block: &EncodedBlock) -> Result<Bytes, Unreachable> {
    let mut value = to_vec(&BlockHeader { after: block.after, end: block.end })?;
    value.extend_from_slice(&block.bytes);
    Ok(value.into())
}

pub(super) fn decode<T: DeserializeOwned>(stored: &KeyValue) -> Result<T, Unreachable> {
    postcard::from_bytes(&stored.value).map_err(|error| unreadable(stored, error))
}

pub(super) fn encode(value: &impl Serialize) -> Result<Bytes, Unreachable> {
    to_vec(value).map(Bytes::from)
}

fn to_vec(value: &impl Serialize) -> Result<Vec<u8>, Unreachable> {
    postcard::to_stdvec(value).map_err(|error| Unreachable(format!("a value cannot be encoded: {error}").into()))
}

fn unreadable(stored: &KeyValue, error: postcard::Error) -> Unreachable {
    Unreachable(format!("the value of {} cannot be decoded: {error}", String::from_utf8_lossy(&stored.key)).into())
}
