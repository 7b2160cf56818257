use data_encoding::HEXLOWER;
use proptest::prelude::*;

use super::*;
use crate::chat::{Destination, Event};
use crate::id::UserId;
use crate::store::testing::sent;

fn encoded(batch: &[Record]) -> Vec<EncodedSegment> {
    encode(batch).unwrap()
}

fn verified(segment: &EncodedSegment) -> Segment {
    Segment::verify(segment.last, &segment.bytes).unwrap()
}

fn records(segment: &Segment) -> Vec<Record> {
    segment.records().map(Result::unwrap).collect()
}

/// Messages with texts of these lengths, numbered from `first`.
fn batch(first: u64, lengths: &[usize]) -> Vec<Record> {
    let to = Destination::User(UserId(2));
    lengths.iter().zip(first..).map(|(length, seq)| sent(seq, 1, to.clone(), &"x".repeat(*length))).collect()
}

#[test]
fn the_form_is_unchanged() {
    let record = |seq, time, upto| Record {
        seq: Seq(seq),
        time: Time(time),
        event: Event::InboxRead { user: UserId(300), upto: Seq(upto) },
    };
    let [segment] = &encoded(&[record(7, 1_000, 5), record(8, 1_200, 6)])[..] else { panic!("one segment") };
    let expected = "01".to_owned()
        + "0700000000000000" + "e803000000000000" // the first number and the base time
        + "0005ac0205" + "c80105ac0206" // after 0 ms and 200 ms: event 5 of user 300
        + "0500" + "0200"; // the second record starts at 5; 2 records
    let checksum = crc32c::crc32c(&HEXLOWER.decode(expected.as_bytes()).unwrap()).to_le_bytes();
    assert_eq!(HEXLOWER.encode(&segment.bytes), expected + &HEXLOWER.encode(&checksum));
    assert_eq!(segment.last, Seq(8));
}

#[test]
fn a_batch_is_packed_as_full_as_a_row_may_be() {
    let batch = batch(1, &[100; 1_000]);
    let segments = encoded(&batch);
    assert!(segments.iter().all(|segment| segment.bytes.len() <= SEGMENT_BYTES));
    let (_, full) = segments.split_last().unwrap();
    assert!(full.iter().all(|segment| segment.bytes.len() > SEGMENT_BYTES - 200));
    assert_eq!(segments.iter().flat_map(|segment| records(&verified(segment))).collect::<Vec<_>>(), batch);
}

#[test]
fn a_record_that_is_longer_than_a_row_may_be_is_alone() {
    let batch = batch(1, &[10, 100_000, 10, 10]);
    let segments = encoded(&batch);
    assert_eq!(segments.iter().map(|segment| segment.last).collect::<Vec<_>>(), [Seq(1), Seq(2), Seq(4)]);
    assert_eq!(segments.iter().flat_map(|segment| records(&verified(segment))).collect::<Vec<_>>(), batch);
}

#[test]
fn a_row_under_another_key_is_damaged() {
    let segment = &encoded(&batch(5, &[10, 10]))[0];
    assert_eq!(verified(segment).last(), Seq(6));
    assert!([0, 5, 7, u64::MAX].iter().all(|key| Segment::verify(Seq(*key), &segment.bytes).is_none()));
}

#[test]
fn every_flipped_bit_is_found() {
    let EncodedSegment { last, mut bytes } = encoded(&batch(1, &[10, 20])).remove(0);
    for bit in 0..8 * bytes.len() {
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(Segment::verify(last, &bytes).is_none(), "{bit}");
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn bytes_with_a_right_checksum_that_are_no_segment_are_damaged() {
    let sealed = |contents: &[u8]| {
        let mut bytes = contents.to_vec();
        checksum::append(&mut bytes);
        Segment::verify(Seq(1), &bytes)
    };
    let header = [&[FORM][..], &1_u64.to_le_bytes(), &0_u64.to_le_bytes()].concat();
    assert!(sealed(&[&header[..], &[0, 5, 1, 1], &[1, 0]].concat()).is_some());
    let other_form = [&[9], &header[1..], &[0, 5, 1, 1], &[1, 0]].concat();
    let short_of_its_table = [&header[..], &[200, 0]].concat();
    for contents in [&[][..], &[FORM], &header, &other_form, &short_of_its_table, &[&header[..], &[0, 0]].concat()] {
        assert!(sealed(contents).is_none(), "{contents:?}");
    }
}

#[test]
fn offsets_out_of_place_are_an_error_and_no_panic() {
    let header = [&[FORM][..], &1_u64.to_le_bytes(), &0_u64.to_le_bytes()].concat();
    let mut bytes = [&header[..], &[0, 5, 1, 1], &[255, 255], &[2, 0]].concat();
    checksum::append(&mut bytes);
    let segment = Segment::verify(Seq(2), &bytes).unwrap();
    assert!([1, 2].iter().all(|seq| segment.record(Seq(*seq)).unwrap().is_none()));
}

proptest! {
    #[test]
    fn what_is_not_kept_is_gone_and_the_rest_keeps_its_numbers(
        lengths in prop::collection::vec(0..200_usize, 1..20), kept in prop::collection::vec(any::<bool>(), 20),
    ) {
        let batch = batch(41, &lengths);
        for segment in encoded(&batch).iter().map(verified) {
            let is_kept = |seq: Seq| kept[(seq.0 - 41) as usize];
            let expected: Vec<_> = records(&segment).into_iter().filter(|record| is_kept(record.seq)).collect();
            let left = segment.retain(is_kept).map(|segment| records(&verified(&segment))).unwrap_or_default();
            prop_assert_eq!(left, expected);
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..100), last: u64) {
        checksum::append(&mut bytes);
        if let Some(segment) = Segment::verify(Seq(last), &bytes) {
            let _ = segment.records().count();
        }
    }
}
