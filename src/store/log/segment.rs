//! Segments: the rows of the log. A segment packs consecutive records of one batch. docs/STORE.md describes the bytes.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the form, 1 |
//! | 8 | the number of the first record |
//! | 8 | the base time, in milliseconds since 1970 |
//! | … | the records: time after the base time, event, body of a message |
//! | 2 each | where each record but the first starts, counted from the first one |
//! | 2 | the number of records |
//! | 4 | CRC32C of all bytes before it |
//!
//! A record that retention has removed has no bytes, and keeps its place.

use bytes::Bytes;

use crate::chat::Record;
use crate::id::Seq;
use crate::limits::SEGMENT_BYTES;
use crate::store::checksum::{self, CHECKSUM_BYTES};
use crate::store::error::StoreError;
use crate::store::log::record;
use crate::time::Time;

/// The form byte. Another form gets another one, and this one stays readable.
const FORM: u8 = 1;
const HEADER_BYTES: usize = 1 + 8 + 8;
const OFFSET_BYTES: usize = 2;
/// The longest time after the base time, encoded.
const DELAY_BYTES: usize = 10;

/// A segment as it is stored.
#[derive(Debug)]
pub(crate) struct EncodedSegment {
    /// The number of its last record, the key of its row.
    pub(crate) last: Seq,
    pub(crate) bytes: Vec<u8>,
}

/// Encodes a batch to segments: as many records in each as fit, or a longer record alone.
pub(crate) fn encode(batch: &[Record]) -> Result<Vec<EncodedSegment>, StoreError> {
    let mut segments = Vec::new();
    let mut encoder: Option<Encoder> = None;
    let mut encoded = Vec::new();
    for next in batch {
        record::encode(&next.event, &mut encoded)?;
        if let Some(full) = encoder.take_if(|open| !open.has_room(encoded.len())) {
            segments.push(full.finish());
        }
        encoder.get_or_insert_with(|| Encoder::new(next.seq, next.time)).push(next.time, &encoded);
    }
    segments.extend(encoder.map(Encoder::finish));
    Ok(segments)
}

struct Encoder {
    first: Seq,
    time: Time,
    bytes: Vec<u8>,
    starts: Vec<u16>,
}

impl Encoder {
    fn new(first: Seq, time: Time) -> Self {
        let mut bytes = Vec::with_capacity(SEGMENT_BYTES);
        bytes.push(FORM);
        bytes.extend_from_slice(&first.0.to_le_bytes());
        bytes.extend_from_slice(&time.0.to_le_bytes());
        Self { first, time, bytes, starts: Vec::new() }
    }

    /// Whether one more record of so many bytes fits.
    fn has_room(&self, bytes: usize) -> bool {
        let after = self.bytes.len() + DELAY_BYTES + bytes + (self.starts.len() + 2) * OFFSET_BYTES + CHECKSUM_BYTES;
        after <= SEGMENT_BYTES
    }

    fn push(&mut self, time: Time, encoded: &[u8]) {
        self.begin_record();
        record::append_delay(time.0.saturating_sub(self.time.0), &mut self.bytes);
        self.bytes.extend_from_slice(encoded);
    }

    /// Every record but the last ends within [`SEGMENT_BYTES`], which two bytes hold.
    fn begin_record(&mut self) {
        let start = self.bytes.len() - HEADER_BYTES;
        self.starts.push(start as u16);
    }

    fn finish(mut self) -> EncodedSegment {
        for start in self.starts.iter().skip(1) {
            self.bytes.extend_from_slice(&start.to_le_bytes());
        }
        self.bytes.extend_from_slice(&(self.starts.len() as u16).to_le_bytes());
        checksum::append(&mut self.bytes);
        EncodedSegment { last: Seq(self.first.0 + self.starts.len() as u64 - 1), bytes: self.bytes }
    }
}

/// A segment that was read back and is intact.
#[derive(Debug)]
pub(crate) struct Segment {
    bytes: Bytes,
    first: Seq,
    time: Time,
    records: u16,
}

impl Segment {
    /// Verifies the bytes of the row with this key. `None` if they are damaged.
    pub(crate) fn verify(last: Seq, bytes: &[u8]) -> Option<Self> {
        let covered = checksum::verified(bytes)?;
        let (contents, records) = covered.split_last_chunk::<2>()?;
        let (&form, numbers) = contents.split_first()?;
        let (first, rest) = numbers.split_first_chunk::<8>()?;
        let (time, _) = rest.split_first_chunk::<8>()?;
        let records = u16::from_le_bytes(*records);
        let (first, time) = (u64::from_le_bytes(*first), u64::from_le_bytes(*time));
        let is_whole = form == FORM
            && records > 0
            && contents.len() >= HEADER_BYTES + (usize::from(records) - 1) * OFFSET_BYTES
            && first.checked_add(u64::from(records) - 1) == Some(last.0);
        is_whole.then(|| Self { bytes: Bytes::copy_from_slice(covered), first: Seq(first), time: Time(time), records })
    }

    pub(crate) fn first(&self) -> Seq {
        self.first
    }

    pub(crate) fn last(&self) -> Seq {
        Seq(self.first.0 + u64::from(self.records) - 1)
    }

    pub(crate) fn contains(&self, seq: Seq) -> bool {
        self.first <= seq && seq <= self.last()
    }

    /// The time of the newest record that was not removed, else the base time.
    pub(crate) fn newest_time(&self) -> Result<Time, StoreError> {
        self.records().next_back().map_or(Ok(self.time), |newest| Ok(newest?.time))
    }

    /// Decodes a record; `None` if it was removed or is not of this segment.
    ///
    /// # Errors
    /// The bytes are no event that this program knows.
    pub(crate) fn record(&self, seq: Seq) -> Result<Option<Record>, StoreError> {
        let bytes = self.record_bytes(seq);
        if bytes.is_empty() {
            return Ok(None);
        }
        let (delay, event) = record::decode(&bytes)?;
        Ok(Some(Record { seq, time: Time(self.time.0.saturating_add(delay)), event }))
    }

    /// All records that were not removed, oldest first.
    pub(crate) fn records(&self) -> impl DoubleEndedIterator<Item = Result<Record, StoreError>> {
        (self.first.0..=self.last().0).filter_map(|seq| self.record(Seq(seq)).transpose())
    }

    /// The segment with only those of its records that `is_kept`; `None` if none is left.
    pub(crate) fn retain(&self, mut is_kept: impl FnMut(Seq) -> bool) -> Option<EncodedSegment> {
        let mut encoder = Encoder::new(self.first, self.time);
        let mut is_empty = true;
        for seq in (self.first.0..=self.last().0).map(Seq) {
            encoder.begin_record();
            if is_kept(seq) {
                let bytes = self.record_bytes(seq);
                encoder.bytes.extend_from_slice(&bytes);
                is_empty &= bytes.is_empty();
            }
        }
        (!is_empty).then(|| encoder.finish())
    }

    /// The bytes of a record, none if it was removed or is not of this segment.
    fn record_bytes(&self, seq: Seq) -> Bytes {
        let Some(place) = seq.0.checked_sub(self.first.0).filter(|_| seq <= self.last()) else { return Bytes::new() };
        let place = place as usize;
        let record = self.bytes.get(self.start(place)..self.start(place + 1));
        record.map_or_else(Bytes::new, |record| self.bytes.slice_ref(record))
    }

    /// Where the record at a place starts; for the place behind the last, where that one ends.
    fn start(&self, place: usize) -> usize {
        let table = self.bytes.len() - OFFSET_BYTES * usize::from(self.records);
        if place == 0 {
            return HEADER_BYTES;
        }
        if place == usize::from(self.records) {
            return table;
        }
        let at = table + OFFSET_BYTES * (place - 1);
        let offset = self.bytes.get(at..).and_then(|bytes| bytes.first_chunk::<OFFSET_BYTES>());
        HEADER_BYTES + offset.map_or(0, |offset| usize::from(u16::from_le_bytes(*offset)))
    }
}

#[cfg(test)]
mod tests;
