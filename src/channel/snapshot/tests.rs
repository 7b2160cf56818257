use std::io::{Seek, Write};

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::Instant;

use super::*;
use crate::channel::greeting::{Greeting, read_greeting};

const PIPE: usize = 64 * 1024;

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

/// A copy that is made already.
fn copy_of(bytes: &[u8]) -> CopyInProgress {
    let (done_to, done) = oneshot::channel();
    done_to.send(Ok(file(bytes))).unwrap();
    CopyInProgress { percent: watch::channel(100).1, done }
}

/// What the receiver has in the end.
async fn receive(stream: DuplexStream) -> Result<(Vec<u8>, [u8; 32]), ChannelError> {
    let mut reader = SnapshotReader::ask(Channel::over(stream)).await?;
    let mut received = Vec::new();
    loop {
        match reader.next().await? {
            SnapshotMessage::Chunk(chunk) => received.extend(chunk),
            SnapshotMessage::Ends(hash) => return Ok((received, hash)),
            _ => {}
        }
    }
}

async fn serve(stream: DuplexStream, copy: CopyInProgress) -> Result<u64, ChannelError> {
    let Some(Greeting::Snapshot(to)) = read_greeting(Channel::over(stream)).await? else { panic!("no snapshot asked") };
    send_snapshot(to, copy).await
}

#[tokio::test]
async fn a_copy_arrives_as_it_is_in_chunks_with_its_hash() {
    for length in [0, 1, SNAPSHOT_CHUNK_BYTES, 3 * SNAPSHOT_CHUNK_BYTES + 17] {
        let bytes: Vec<u8> = (0..length).map(|place| (place % 251) as u8).collect();
        let (here, there) = duplex(PIPE);
        let (received, served) = tokio::join!(receive(here), serve(there, copy_of(&bytes)));
        assert_eq!(served.unwrap(), length as u64);
        assert!(received.unwrap() == (bytes.clone(), Sha256::digest(&bytes).into()));
    }
}

#[tokio::test]
async fn a_node_that_cannot_copy_its_store_says_why() {
    let (here, there) = duplex(PIPE);
    let (done_to, done) = oneshot::channel();
    done_to.send(Err("no room".into())).unwrap();
    let copy = CopyInProgress { percent: watch::channel(0).1, done };
    let (received, served) = tokio::join!(receive(here), serve(there, copy));
    assert!(matches!(received, Err(ChannelError::SnapshotRefused(why)) if &*why == "no room"));
    assert!(served.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_takes_long_keeps_the_channel_alive() {
    let (here, there) = duplex(PIPE);
    let (done_to, done) = oneshot::channel();
    let copy = CopyInProgress { percent: watch::channel(7).1, done };
    tokio::spawn(serve(there, copy));
    let mut reader = SnapshotReader::ask(Channel::over(here)).await.unwrap();
    let begun = Instant::now();
    while begun.elapsed() < 3 * SNAPSHOT_SILENCE {
        assert_eq!(reader.next().await.unwrap(), SnapshotMessage::Copying(7));
    }
    drop(done_to);
    let ended = loop {
        match reader.next().await {
            Ok(SnapshotMessage::Copying(_)) => {}
            ended => break ended,
        }
    };
    assert!(matches!(ended, Err(ChannelError::SnapshotRefused(_))));
}

#[tokio::test(start_paused = true)]
async fn a_silent_sender_is_given_up() {
    let (here, _silent) = duplex(PIPE);
    let begun = Instant::now();
    assert!(matches!(receive(here).await, Err(ChannelError::SnapshotSilent)));
    assert_eq!(begun.elapsed(), SNAPSHOT_SILENCE);
}

#[tokio::test]
async fn what_is_not_announced_or_out_of_order_is_refused() {
    let chunk = |bytes: &'static [u8]| SnapshotMessage::Chunk(Bytes::from_static(bytes));
    let table = [
        vec![chunk(b"a")],
        vec![SnapshotMessage::Ends([0; 32])],
        vec![SnapshotMessage::Begins(2), chunk(b"abc")],
        vec![SnapshotMessage::Begins(2), chunk(b"")],
        vec![SnapshotMessage::Begins(2), chunk(b"a"), SnapshotMessage::Ends([0; 32])],
        vec![SnapshotMessage::Begins(2), SnapshotMessage::Begins(2)],
        vec![SnapshotMessage::Begins(2), SnapshotMessage::Copying(3)],
        vec![],
    ];
    for messages in table {
        let (here, there) = duplex(PIPE);
        let (_from, mut to) = Channel::over(there).split();
        messages.iter().for_each(|message| to.queue(message).unwrap());
        let (received, closed) = tokio::join!(receive(here), to.close());
        closed.unwrap();
        assert!(matches!(received, Err(ChannelError::SnapshotTorn)), "{messages:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// A snapshot whose channel ends at any byte never looks complete.
    #[test]
    fn a_snapshot_that_is_cut_anywhere_does_not_arrive(cut in 0.0..1.0_f64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bytes = vec![7; 2 * SNAPSHOT_CHUNK_BYTES + 5];
            let whole = sent(&bytes).await;
            let at = (whole.len() as f64 * cut) as usize;
            let (here, mut there) = duplex(whole.len());
            there.write_all(&whole[..at]).await.unwrap();
            there.shutdown().await.unwrap();
            prop_assert!(receive(here).await.is_err(), "cut at {at} of {}", whole.len());
            Ok(())
        })?;
    }
}

/// All bytes that a node sends.
async fn sent(bytes: &[u8]) -> Vec<u8> {
    let (mut here, there) = duplex(PIPE);
    let (_from, to) = Channel::over(there).split();
    let mut all = Vec::new();
    let (served, read) = tokio::join!(send_snapshot(to, copy_of(bytes)), here.read_to_end(&mut all));
    served.unwrap();
    read.unwrap();
    all
}
