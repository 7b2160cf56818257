//! Fuzz targets: what was stored, and what is imported (`fuzz/README.md`).

use crate::chat::{Event, Record};
use crate::id::Seq;
use crate::store::checksum;
use crate::store::log::segment::{self, Segment};

pub use crate::store::dump::fuzzing::import_lines;

/// A row of the log that has its checksum, and the number in it, is read or reported as damaged; its records are the same
/// after they were written.
pub fn stored_records(bytes: &[u8]) {
    let Some(last) = last_number(bytes) else { return };
    let mut row = bytes.to_vec();
    checksum::append(&mut row);
    let Some(segment) = Segment::verify(last, &row) else { return };
    let records: Vec<Record> = segment.records().flatten().collect();
    for record in &records {
        assert!(segment.contains(record.seq));
        if let Event::MessageSent(message) = &record.event {
            // Of bytes that no server wrote it need not be JSON: their checksum would not be right.
            let (object, _fields) = (message.body.object(record.seq, record.time), message.body.fields());
            assert!(object.starts_with(b"{") && object.ends_with(b"}"));
        }
        let again = segment::encode(std::slice::from_ref(record)).unwrap();
        let again = Segment::verify(record.seq, &again.first().unwrap().bytes).unwrap();
        assert_eq!(again.record(record.seq).unwrap().as_ref(), Some(record));
    }
    let _newest = segment.newest_time();
    let Some(kept) = segment.retain(|seq| seq.0.is_multiple_of(2)) else { return };
    let kept = Segment::verify(kept.last, &kept.bytes).unwrap();
    let even = records.iter().filter(|record| record.seq.0.is_multiple_of(2));
    assert!(kept.records().flatten().eq(even.cloned()));
}

/// The number of the last record, by the first one's and how many there are.
fn last_number(segment: &[u8]) -> Option<Seq> {
    let first = u64::from_le_bytes(*segment.get(1..)?.first_chunk()?);
    let records = u16::from_le_bytes(*segment.last_chunk()?);
    Some(Seq(first.checked_add(u64::from(records))?.checked_sub(1)?))
}
