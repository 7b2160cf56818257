//! The values of a cluster's keys in etcd.

use std::fmt::Display;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cluster::etcd::messages::KeyValue;
use crate::cluster::shared_log::{EncodedBlock, Member, Unreachable};
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

/// A report, which nodes of other versions read: in JSON, so that fields can be added.
pub(super) fn encode_member(member: &Member) -> Result<Bytes, Unreachable> {
    let value = serde_json::to_vec(member);
    value.map(Bytes::from).map_err(|error| Unreachable(format!("a report cannot be encoded: {error}").into()))
}

/// A report, also one of a later version.
pub(super) fn decode_member(stored: &KeyValue) -> Result<Member, Unreachable> {
    serde_json::from_slice(&stored.value).map_err(|error| unreadable(stored, error))
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

fn unreadable(stored: &KeyValue, error: impl Display) -> Unreachable {
    Unreachable(format!("the value of {} cannot be decoded: {error}", String::from_utf8_lossy(&stored.key)).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::node_info;
    use crate::time::Time;

    fn stored(value: Bytes) -> KeyValue {
        KeyValue { key: "kabar/trial/members/a".into(), value, ..KeyValue::default() }
    }

    #[test]
    fn the_report_of_a_later_version_is_read() {
        let member = node_info().member(Seq(7), Time(1));
        let encoded = encode_member(&member).unwrap();
        let text = String::from_utf8(encoded.to_vec()).unwrap();
        let later = format!("{}, \"a_later_field\": [1]}}", text.strip_suffix('}').unwrap());
        assert_eq!(decode_member(&stored(later.into())).unwrap(), member);
    }

    #[test]
    fn what_is_no_report_is_named_by_its_key() {
        let refused = decode_member(&stored("{".into())).unwrap_err().to_string();
        assert!(refused.contains("the value of kabar/trial/members/a cannot be decoded"), "{refused}");
    }
}
