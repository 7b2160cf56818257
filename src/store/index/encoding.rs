//! The delta encoding of a timeline's entries: how chunks and runs are stored, and how the memtable holds entries.

use smallvec::SmallVec;

use crate::chat::Entry;
use crate::id::Seq;
use crate::store::error::StoreError;
use crate::varint;

/// The leading byte of the encoding. After it each entry has, as postcard's numbers, the difference to the number of the
/// entry before, or to 0, with the two flags as its lowest bits; the peer; and the realm if the flag says so. A new encoding
/// gets another byte, and this one stays readable.
const DELTAS: u8 = 1;
const FLAG_BITS: u32 = 2;
const HAS_REALM: u64 = 1;
const SENT: u64 = 1 << 1;

/// Bytes stored without an allocation: three entries. Most timelines of a large server have no more in memory.
const INLINE_BYTES: usize = 32;

/// Encoded entries of one timeline, ascending.
#[derive(Debug, Default)]
pub(crate) struct EncodedEntries {
    bytes: SmallVec<[u8; INLINE_BYTES]>,
    newest: Seq,
    len: u32,
}

impl Clone for EncodedEntries {
    fn clone(&self) -> Self {
        // The derived clone copies byte by byte.
        Self { bytes: SmallVec::from_slice(&self.bytes), ..*self }
    }
}

impl EncodedEntries {
    /// Appends an entry, which must be newer than the others.
    pub(super) fn push(&mut self, Entry { seq, peer, sent, realm }: Entry) {
        if self.len == 0 {
            self.bytes.push(DELTAS);
        }
        let flags = if sent { SENT } else { 0 } | if realm.is_some() { HAS_REALM } else { 0 };
        let delta = seq.0.saturating_sub(self.newest.0);
        varint::append(delta << FLAG_BITS | flags, |byte| self.bytes.push(byte));
        varint::append(peer.0, |byte| self.bytes.push(byte));
        if let Some(realm) = realm {
            varint::append(realm.0, |byte| self.bytes.push(byte));
        }
        self.newest = seq;
        self.len += 1;
    }

    /// The oldest entry, 0 if there is none.
    pub(super) fn oldest(&self) -> Seq {
        let first = self.bytes.get(1..).and_then(|deltas| postcard::take_from_bytes::<u64>(deltas).ok());
        Seq(first.map_or(0, |(delta, _)| delta >> FLAG_BITS))
    }

    /// The newest entry, 0 if there is none.
    pub(super) fn newest(&self) -> Seq {
        self.newest
    }

    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl FromIterator<Entry> for EncodedEntries {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut encoded = Self::default();
        entries.into_iter().for_each(|entry| encoded.push(entry));
        encoded
    }
}

/// Decodes all entries, oldest first.
pub(super) fn for_each(bytes: &[u8], mut visit: impl FnMut(Entry)) -> Result<(), StoreError> {
    let Some((&DELTAS, mut rest)) = bytes.split_first() else { return Err(StoreError::damaged_index()) };
    let mut before = Seq(0);
    while !rest.is_empty() {
        let entry = take_entry(&mut rest, before).map_err(|_| StoreError::damaged_index())?;
        before = entry.seq;
        visit(entry);
    }
    Ok(())
}

fn take_entry(rest: &mut &[u8], before: Seq) -> postcard::Result<Entry> {
    let (delta, left) = postcard::take_from_bytes::<u64>(rest)?;
    let (peer, mut left) = postcard::take_from_bytes(left)?;
    let mut realm = None;
    if delta & HAS_REALM != 0 {
        let (crossed, after) = postcard::take_from_bytes(left)?;
        (realm, left) = (Some(crossed), after);
    }
    *rest = left;
    Ok(Entry { seq: Seq(before.0.saturating_add(delta >> FLAG_BITS)), peer, sent: delta & SENT != 0, realm })
}

/// Decodes the entries after `after`.
pub(super) fn decode(bytes: &[u8], after: Seq) -> Result<Vec<Entry>, StoreError> {
    let mut entries = Vec::new();
    for_each(bytes, |entry| {
        if entry.seq > after {
            entries.push(entry);
        }
    })?;
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{RealmId, UserId};
    use proptest::prelude::*;

    fn entry(seq: u64, sent: bool, realm: Option<u64>) -> Entry {
        Entry { seq: Seq(seq), peer: UserId(300), sent, realm: realm.map(RealmId) }
    }

    #[test]
    fn the_encoding_is_unchanged() {
        let entries = [entry(1_000, false, None), entry(1_001, true, Some(2))];
        let frozen = [1, 160, 31, 172, 2, 7, 172, 2, 2];
        let encoded = EncodedEntries::from_iter(entries);
        assert_eq!((EncodedEntries::default().oldest(), encoded.bytes()), (Seq(0), frozen.as_slice()));
        assert_eq!((encoded.oldest(), encoded.newest(), encoded.len()), (Seq(1_000), Seq(1_001), 2));
        assert_eq!(decode(&frozen, Seq(0)).unwrap(), entries);
    }

    #[test]
    fn decoding_skips_entries_up_to_the_bound() {
        let entries = [entry(5, false, None), entry(7, false, None), entry(9, false, None)];
        assert_eq!(decode(EncodedEntries::from_iter(entries).bytes(), Seq(7)).unwrap(), entries[2..]);
    }

    #[test]
    fn unknown_encodings_are_reported_as_damage() {
        for bytes in [&[][..], &[0], &[2], &[1, 128], &[1, 4], &[1, 5, 7]] {
            assert!(matches!(decode(bytes, Seq(0)), Err(StoreError::Damaged(_))), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn entries_round_trip(
            fields in prop::collection::vec((1..u64::MAX >> 8, any::<u64>(), any::<bool>(), any::<Option<u64>>()), 1..99),
        ) {
            let mut seq = 0;
            let entries: Vec<_> = fields
                .into_iter()
                .map(|(delta, peer, sent, realm)| {
                    seq += delta;
                    Entry { seq: Seq(seq), peer: UserId(peer), sent, realm: realm.map(RealmId) }
                })
                .collect();
            let encoded: EncodedEntries = entries.iter().copied().collect();
            prop_assert_eq!(decode(encoded.bytes(), Seq(0)).unwrap(), entries);
        }
    }
}
