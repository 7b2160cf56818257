//! Blocks: what the shared log consists of. A block holds the records of one or more commands, in the bytes in which they are
//! stored, and the hash of the block before it: an engine that forked, lost or rewrote anything is detected, not believed.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::chat::{CommandMark, Record};
use crate::cluster::error::ClusterError;
use crate::cluster::shared_log::{EncodedBlock, Term};
use crate::id::Seq;
use crate::store::{BlockHash, LogPosition, Part, StoreError, decode_segments, encode_segments};

/// The form that this version writes, and the newest that it reads. Fields are added with a new one.
const FORM: u8 = 2;

/// Stands first in every form, so that a node knows whose block it cannot read.
#[derive(Serialize, Deserialize)]
struct Header<'a> {
    form: u8,
    /// The version of the program that wrote it.
    version: &'a str,
    /// The node that led.
    node: &'a str,
}

#[derive(Serialize, Deserialize)]
struct Body {
    term: Term,
    after: LogPosition,
    /// Each with the number of its last record.
    segments: Vec<(Seq, Bytes)>,
    commands: Vec<CommandMark>,
}

/// A block that was read and is intact.
pub(super) struct Block {
    pub(super) after: LogPosition,
    pub(super) term: Term,
    pub(super) end: LogPosition,
    pub(super) records: Vec<Record>,
    pub(super) commands: Vec<CommandMark>,
}

/// Encodes records that follow `after`. At least one.
pub(super) fn encode(after: LogPosition, term: Term, node: &str, part: Part<'_>) -> Result<EncodedBlock, StoreError> {
    let Part { records, commands } = part;
    let header = Header { form: FORM, version: env!("CARGO_PKG_VERSION"), node };
    let body = Body { term, after, segments: encode_segments(records)?, commands: commands.to_vec() };
    let bytes = postcard::to_stdvec(&(header, body)).map_err(|error| StoreError::Damaged(error.to_string().into()))?;
    let seq = records.last().map_or(after.seq, |last| last.seq);
    Ok(EncodedBlock { after: after.seq, end: LogPosition { seq, hash: hash(&bytes) }, bytes: bytes.into() })
}

/// Decodes a block of the shared log.
///
/// # Errors
/// If a newer program wrote it, or it was altered.
pub(super) fn decode(encoded: &EncodedBlock) -> Result<Block, ClusterError> {
    let altered = || ClusterError::Altered(encoded.end.seq);
    if hash(&encoded.bytes) != encoded.end.hash {
        return Err(altered());
    }
    let (header, rest) = postcard::take_from_bytes::<Header<'_>>(&encoded.bytes).map_err(|_| altered())?;
    let unreadable =
        || ClusterError::Unreadable { at: encoded.end.seq, node: header.node.into(), version: header.version.into() };
    if header.form != FORM {
        return Err(unreadable());
    }
    let body: Body = postcard::from_bytes(rest).map_err(|_| unreadable())?;
    let records = decode_segments(&body.segments).map_err(|_| unreadable())?;
    let numbers = (body.after.seq.0 + 1)..=encoded.end.seq.0;
    let is_marked = body.commands.last().map(|last| last.last) == Some(encoded.end.seq)
        && body.commands.is_sorted_by(|command, next| command.last < next.last);
    if records.is_empty() || !is_marked || !records.iter().map(|record| record.seq.0).eq(numbers) {
        return Err(altered());
    }
    Ok(Block { after: body.after, term: body.term, end: encoded.end, records, commands: body.commands })
}

fn hash(bytes: &[u8]) -> BlockHash {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::{commands, message};

    fn after() -> LogPosition {
        LogPosition { seq: Seq(7), hash: [7; 32] }
    }

    fn encoded(after: LogPosition, records: &[Record]) -> EncodedBlock {
        encode(after, Term(3), "a", Part { records, commands: &commands(records) }).unwrap()
    }

    fn block() -> EncodedBlock {
        encoded(after(), &[message(8, "one"), message(9, "two")])
    }

    #[test]
    fn a_block_is_read_as_it_was_written() {
        let block = block();
        let read = decode(&block).unwrap();
        assert_eq!((read.after, read.term, read.end), (after(), Term(3), block.end));
        assert_eq!(read.records, [message(8, "one"), message(9, "two")]);
        assert_eq!(read.commands, commands(&read.records));
        assert_eq!(block.end.seq, Seq(9));
    }

    #[test]
    fn any_altered_byte_is_detected() {
        let intact = block();
        for place in 0..intact.bytes.len() {
            let mut bytes = intact.bytes.to_vec();
            bytes[place] ^= 1;
            let altered = EncodedBlock { bytes: bytes.into(), ..intact.clone() };
            assert!(matches!(decode(&altered), Err(ClusterError::Altered(Seq(9)))), "byte {place}");
        }
    }

    #[test]
    fn another_history_gives_another_hash() {
        let other = encoded(LogPosition { hash: [8; 32], ..after() }, &[message(8, "one"), message(9, "two")]);
        assert_ne!(other.end.hash, block().end.hash);
    }

    #[test]
    fn records_that_do_not_follow_are_refused() {
        let hole = encoded(after(), &[message(8, "one"), message(10, "two")]);
        assert!(matches!(decode(&hole), Err(ClusterError::Altered(Seq(10)))));
    }

    #[test]
    fn a_block_of_a_newer_form_names_who_wrote_it() {
        let header = Header { form: FORM + 1, version: "9.9.9", node: "b" };
        let bytes = postcard::to_stdvec(&(header, "whatever stands there")).unwrap();
        let end = LogPosition { seq: Seq(8), hash: hash(&bytes) };
        let refused = decode(&EncodedBlock { after: Seq(7), end, bytes: bytes.into() });
        let Err(ClusterError::Unreadable { at: Seq(8), node, version }) = refused.map(|_| ()) else { panic!() };
        assert_eq!((&*node, &*version), ("b", "9.9.9"));
    }
}
