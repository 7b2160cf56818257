//! Segments as other nodes of a cluster get them: the bytes that are stored, each with the number of its last record.

use bytes::Bytes;

use crate::chat::Record;
use crate::id::Seq;
use crate::store::error::StoreError;
use crate::store::log::segment::{self, Segment};

/// Encodes records to segments.
///
/// # Errors
/// If one cannot be encoded.
pub fn encode_segments(records: &[Record]) -> Result<Vec<(Seq, Bytes)>, StoreError> {
    let segments = segment::encode(records)?;
    Ok(segments.into_iter().map(|segment| (segment.last, segment.bytes.into())).collect())
}

/// Decodes the records of segments.
///
/// # Errors
/// If a segment is damaged, or has an event that this version does not know.
pub fn decode_segments(segments: &[(Seq, Bytes)]) -> Result<Vec<Record>, StoreError> {
    let mut records = Vec::new();
    for (last, bytes) in segments {
        let segment = Segment::verify(*last, bytes).ok_or_else(|| StoreError::Damaged("a segment".into()))?;
        for record in segment.records() {
            records.push(record?);
        }
    }
    Ok(records)
}
