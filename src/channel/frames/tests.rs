use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{DuplexStream, duplex};
use tokio::time::interval;

use super::*;

const PIPE: usize = 1024;

/// A frame of a test.
type Frame = Vec<u8>;

/// The bytes of a length, and so many of a frame.
fn announced(length: u32, body: &[u8]) -> Vec<u8> {
    [&length.to_le_bytes(), body].concat()
}

fn encoded(frame: &Frame) -> Vec<u8> {
    let mut queue = BytesMut::new();
    append(&mut queue, 0, frame).unwrap();
    queue.to_vec()
}

/// A frame whose encoding has so many bytes.
fn frame_of(bytes: usize) -> Frame {
    // The encoding begins with the number of items, which has 1 to 4 bytes here.
    let mut frames = (1..=4).map(|head| vec![7; bytes - head]);
    frames.find(|frame| postcard::to_stdvec(frame).unwrap().len() == bytes).unwrap()
}

/// A reader that gets these bytes, then the end.
fn reader_of(bytes: &[u8]) -> FrameReader {
    FrameReader::new(std::io::Cursor::new(bytes.to_vec()))
}

/// A reader, and the end at which its bytes are written.
fn reader() -> (FrameReader, DuplexStream) {
    let (far, near) = duplex(CHANNEL_FRAME_BYTES);
    (FrameReader::new(near), far)
}

/// A writer that has queued more than its pipe takes, and the other end.
fn full_writer() -> (FrameWriter, DuplexStream) {
    let (near, far) = duplex(PIPE);
    let mut writer = FrameWriter::new(near);
    writer.queue(&frame_of(8 * PIPE)).unwrap();
    writer.queue(&vec![9_u8]).unwrap();
    (writer, far)
}

#[tokio::test]
async fn frames_arrive_in_order_until_the_end() {
    let frames = [vec![1, 2, 3], vec![], vec![4; 100_000], vec![5]];
    let (near, far) = duplex(PIPE);
    let mut writer = FrameWriter::new(near);
    let mut reader = FrameReader::new(far);
    let write = async {
        frames.iter().for_each(|frame| writer.queue(frame).unwrap());
        writer.close().await.unwrap();
    };
    let read = async {
        for frame in &frames {
            assert_eq!(reader.next::<Frame>().await.unwrap().as_ref(), Some(frame));
        }
        assert_eq!(reader.next::<Frame>().await.unwrap(), None);
    };
    tokio::join!(write, read);
}

#[tokio::test]
async fn a_frame_that_is_half_there_is_kept_when_reading_is_interrupted() {
    let frame = vec![1, 2, 3, 4, 5];
    let bytes = encoded(&frame);
    for cut in 0..bytes.len() {
        let (mut reader, mut far) = reader();
        far.write_all(&bytes[..cut]).await.unwrap();
        tokio::select! {
            biased;
            read = reader.next::<Frame>() => panic!("half a frame was read: {read:?}"),
            () = tokio::task::yield_now() => {}
        }
        far.write_all(&bytes[cut..]).await.unwrap();
        assert_eq!(reader.next::<Frame>().await.unwrap().as_ref(), Some(&frame), "cut at {cut}");
    }
}

#[tokio::test]
async fn a_length_that_is_too_long_is_refused_before_there_is_room_for_it() {
    for length in [CHANNEL_FRAME_BYTES as u32 + 1, u32::MAX] {
        let mut reader = reader_of(&announced(length, b"x"));
        let refused = reader.next::<Frame>().await;
        assert!(matches!(refused, Err(ChannelError::TooLong(found)) if found == length as usize));
        assert!(reader.received.capacity() <= 2 * CHANNEL_READ_BYTES);
    }
}

#[tokio::test]
async fn room_is_made_only_for_what_has_arrived() {
    let (mut reader, mut far) = reader();
    far.write_all(&announced(CHANNEL_FRAME_BYTES as u32, b"x")).await.unwrap();
    tokio::select! {
        biased;
        read = reader.next::<Frame>() => panic!("{read:?}"),
        () = tokio::task::yield_now() => {}
    }
    assert!(reader.received.capacity() <= 2 * CHANNEL_READ_BYTES);
}

#[tokio::test]
async fn a_frame_of_the_greatest_length_arrives() {
    let frame = frame_of(CHANNEL_FRAME_BYTES);
    assert_eq!(reader_of(&encoded(&frame)).next().await.unwrap(), Some(frame));
}

#[tokio::test]
async fn a_torn_frame_is_an_error() {
    let bytes = encoded(&vec![1, 2, 3]);
    for cut in 1..bytes.len() {
        let torn = reader_of(&bytes[..cut]).next::<Frame>().await;
        assert!(matches!(torn, Err(ChannelError::Torn)), "cut at {cut}: {torn:?}");
    }
}

#[tokio::test]
async fn a_frame_of_another_type_is_an_error() {
    let bytes = encoded(&vec![0, 2, 3]);
    assert!(matches!(reader_of(&bytes).next::<(u8, u8)>().await, Err(ChannelError::Malformed(_))));
    assert!(matches!(reader_of(&bytes).next::<[u8; 32]>().await, Err(ChannelError::Malformed(_))));
}

#[tokio::test]
async fn a_frame_that_is_too_long_is_not_queued() {
    let (near, far) = duplex(PIPE);
    let mut writer = FrameWriter::new(near);
    let earlier = vec![1_u8];
    writer.queue(&earlier).unwrap();
    let before = writer.queued_bytes();
    let refused = writer.queue(&frame_of(CHANNEL_FRAME_BYTES + 1));
    assert!(matches!(refused, Err(ChannelError::TooLong(bytes)) if bytes == CHANNEL_FRAME_BYTES + 1));
    assert_eq!(writer.queued_bytes(), before);
    writer.close().await.unwrap();
    let mut reader = FrameReader::new(far);
    assert_eq!(reader.next().await.unwrap(), Some(earlier));
    assert_eq!(reader.next::<Frame>().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_nothing_is_given_up() {
    let (mut writer, _far) = full_writer();
    let start = Instant::now();
    assert!(matches!(writer.flush().await, Err(ChannelError::Stalled)));
    assert_eq!(start.elapsed(), CHANNEL_WRITE);
}

#[tokio::test(start_paused = true)]
async fn interrupting_a_flush_does_not_give_a_peer_more_time() {
    let (mut writer, _far) = full_writer();
    let start = Instant::now();
    let mut interrupts = interval(Duration::from_secs(1));
    let stalled = loop {
        tokio::select! {
            biased;
            flushed = writer.flush() => break flushed,
            _ = interrupts.tick() => {}
        }
    };
    assert!(matches!(stalled, Err(ChannelError::Stalled)));
    assert_eq!(start.elapsed(), CHANNEL_WRITE);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_slowly_gets_all() {
    let (mut writer, mut far) = full_writer();
    let start = Instant::now();
    let mut reads = interval(CHANNEL_WRITE / 2);
    let read = async {
        let mut bytes = Vec::new();
        while far.read_buf(&mut bytes).await.unwrap() > 0 {
            reads.tick().await;
        }
        bytes
    };
    let write = async {
        writer.flush().await.unwrap();
        writer.close().await.unwrap();
    };
    let (bytes, ()) = tokio::join!(read, write);
    assert!(start.elapsed() > 2 * CHANNEL_WRITE);
    let mut reader = reader_of(&bytes);
    assert_eq!(reader.next().await.unwrap(), Some(frame_of(8 * PIPE)));
    assert_eq!(reader.next().await.unwrap(), Some(vec![9_u8]));
}

#[tokio::test]
async fn a_flush_that_was_interrupted_goes_on() {
    let (mut writer, far) = full_writer();
    tokio::select! {
        biased;
        flushed = writer.flush() => panic!("the pipe takes more than it has room for: {flushed:?}"),
        () = tokio::task::yield_now() => {}
    }
    assert!(writer.queued_bytes() < 8 * PIPE);
    let mut reader = FrameReader::new(far);
    let read = async { (reader.next().await.unwrap(), reader.next().await.unwrap()) };
    let (flushed, read) = tokio::join!(writer.flush(), read);
    flushed.unwrap();
    assert_eq!(read, (Some(frame_of(8 * PIPE)), Some(vec![9_u8])));
}

#[tokio::test]
async fn a_peer_that_is_gone_breaks_the_channel() {
    let (mut writer, far) = full_writer();
    drop(far);
    assert!(matches!(writer.flush().await, Err(ChannelError::Broken(_))));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(garbage: Vec<u8>) {
        let mut input = BytesMut::from(&garbage[..]);
        while let Ok(Some(_)) = take::<Vec<String>>(&mut input, CHANNEL_FRAME_BYTES) {}
    }
}
