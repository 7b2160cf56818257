//! Entries of one timeline, packed: how a chunk or a part of a run is stored, and how memory holds what is to become one.

use serde::Deserialize;
use smallvec::SmallVec;

use crate::chat::Entry;
use crate::id::{RealmId, Seq, UserId};
use crate::store::StoreError;

/// The form that is written: this byte, then each entry as [`Step`], in postcard's form. Another form is another byte,
/// and this one stays readable.
const STEPS: u8 = 1;

/// An entry: how far its number is from the entry before (or from 0), then the rest of it.
#[derive(Deserialize)]
struct Step {
    step: u64,
    peer: UserId,
    sent: bool,
    realm: Option<RealmId>,
}

/// Bytes that need no memory of their own: three entries, which is all that most timelines of a large server have here.
const FEW_BYTES: usize = 32;

/// Some entries of one timeline, in their order.
#[derive(Debug, Default)]
pub(in crate::store) struct Packed {
    bytes: SmallVec<[u8; FEW_BYTES]>,
    newest: Seq,
    length: u32,
}

impl Clone for Packed {
    fn clone(&self) -> Self {
        // What the library does by itself goes byte by byte.
        Self { bytes: SmallVec::from_slice(&self.bytes), ..*self }
    }
}

impl Packed {
    /// Adds an entry that is newer than all.
    pub(super) fn push(&mut self, Entry { seq, peer, sent, realm }: Entry) {
        if self.length == 0 {
            self.bytes.push(STEPS);
        }
        append_number(seq.0.saturating_sub(self.newest.0), |byte| self.bytes.push(byte));
        append_number(peer.0.into(), |byte| self.bytes.push(byte));
        self.bytes.extend([u8::from(sent), u8::from(realm.is_some())]);
        if let Some(realm) = realm {
            append_number(realm.0.into(), |byte| self.bytes.push(byte));
        }
        self.newest = seq;
        self.length += 1;
    }

    /// The oldest entry, 0 where there is none.
    pub(super) fn oldest(&self) -> Seq {
        let first = self.bytes.get(1..).and_then(|steps| postcard::take_from_bytes(steps).ok());
        Seq(first.map_or(0, |(step, _)| step))
    }

    /// The newest entry, 0 where there is none.
    pub(super) fn newest(&self) -> Seq {
        self.newest
    }

    /// How many entries there are.
    pub(super) fn length(&self) -> usize {
        self.length as usize
    }

    /// What these entries are stored as, in a chunk or a run.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl FromIterator<Entry> for Packed {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut packed = Self::default();
        entries.into_iter().for_each(|entry| packed.push(entry));
        packed
    }
}

/// As postcard writes a number: seven bits a byte, the lowest first, and a high bit where more follows. By hand, for
/// postcard appends by moving the bytes in and out, and every message comes here twice; a property test compares.
pub(super) fn append_number(mut number: u64, mut append: impl FnMut(u8)) {
    while number >= 0x80 {
        append(number as u8 | 0x80);
        number >>= 7;
    }
    append(number as u8);
}

/// Calls `see` with each entry.
pub(super) fn each(bytes: &[u8], mut see: impl FnMut(Entry)) -> Result<(), StoreError> {
    let Some((&STEPS, mut rest)) = bytes.split_first() else { return Err(damaged()) };
    let mut before = Seq(0);
    while !rest.is_empty() {
        let (Step { step, peer, sent, realm }, left) = postcard::take_from_bytes(rest).map_err(|_| damaged())?;
        let seq = Seq(before.0.saturating_add(step));
        see(Entry { seq, peer, sent, realm });
        (rest, before) = (left, seq);
    }
    Ok(())
}

/// Reads the entries after `after`.
pub(super) fn unpack(bytes: &[u8], after: Seq) -> Result<Vec<Entry>, StoreError> {
    let mut entries = Vec::new();
    each(bytes, |entry| {
        if entry.seq > after {
            entries.push(entry);
        }
    })?;
    Ok(entries)
}

pub(super) fn damaged() -> StoreError {
    StoreError::Damaged("the timeline index".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(seq: u64, sent: bool, realm: Option<u32>) -> Entry {
        Entry { seq: Seq(seq), peer: UserId(300), sent, realm: realm.map(RealmId) }
    }

    #[test]
    fn chunks_keep_the_bytes_of_the_first_release() {
        let entries = [entry(1_000, false, None), entry(1_001, true, Some(2))];
        let frozen = [1, 232, 7, 172, 2, 0, 0, 1, 172, 2, 1, 1, 2];
        let packed = Packed::from_iter(entries);
        assert_eq!((Packed::default().oldest(), packed.bytes()), (Seq(0), frozen.as_slice()));
        assert_eq!((packed.oldest(), packed.newest(), packed.length()), (Seq(1_000), Seq(1_001), 2));
        assert_eq!(unpack(&frozen, Seq(0)).unwrap(), entries);
    }

    #[test]
    fn entries_up_to_the_place_asked_for_are_left_out() {
        let entries = [entry(5, false, None), entry(7, false, None), entry(9, false, None)];
        assert_eq!(unpack(Packed::from_iter(entries).bytes(), Seq(7)).unwrap(), entries[2..]);
    }

    #[test]
    fn bytes_of_no_known_form_are_damage() {
        for bytes in [&[][..], &[0], &[2], &[1, 128], &[1, 1, 1, 7, 0]] {
            assert!(matches!(unpack(bytes, Seq(0)), Err(StoreError::Damaged(_))), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_entries_read_back(
            fields in prop::collection::vec((1..u64::MAX >> 8, any::<u32>(), any::<bool>(), any::<Option<u32>>()), 1..99),
        ) {
            let mut seq = 0;
            let entries: Vec<_> = fields
                .into_iter()
                .map(|(step, peer, sent, realm)| {
                    seq += step;
                    Entry { seq: Seq(seq), peer: UserId(peer), sent, realm: realm.map(RealmId) }
                })
                .collect();
            let packed: Packed = entries.iter().copied().collect();
            prop_assert_eq!(unpack(packed.bytes(), Seq(0)).unwrap(), entries);
        }
    }
}
