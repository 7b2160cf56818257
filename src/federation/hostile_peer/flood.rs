//! Peers that send too much, read too little, or fall silent.

use bytes::BytesMut;
use tokio::io::AsyncWriteExt;
use tokio::time::{Duration, Instant, sleep, timeout};

use crate::federation::frame::{self, CloseReason, Frame, WireMessage};
use crate::federation::hostile_peer::peer::{EPOCH, PIPE_BYTES, TestServer, delivery, message};
use crate::hub::{DeliveryStatus, Executed};
use crate::limits::{
    DELIVERY_WAIT, LINK_BATCH, LINK_DEAD, LINK_HEARTBEAT, LINK_READ_BYTES, LINK_REPLIES_BYTES, LINK_WINDOW,
    PEER_MESSAGES_PER_SECOND,
};

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_acknowledges_is_sent_one_window() {
    let server = TestServer::new();
    let mut peer = server.connect_linked().await;
    let begun = Instant::now();
    let sent: Vec<Executed> = (0..LINK_WINDOW * 2).map(|number| server.send(&number.to_string())).collect();
    let mut count = 0;
    while let Ok(Some(frame)) = timeout(LINK_DEAD / 2, peer.receive()).await {
        let Frame::Messages { messages, .. } = frame else { panic!("{frame:?}") };
        count += messages.len();
    }
    assert!((LINK_WINDOW..LINK_WINDOW + LINK_BATCH).contains(&count), "{count}");
    for sent in [&sent[0], &sent[LINK_WINDOW * 2 - 1]] {
        assert_eq!(delivery(sent).await, DeliveryStatus::Queued);
    }
    assert!(begun.elapsed() >= DELIVERY_WAIT);
    assert_eq!(server.peer(|peer| peer.queue.len()), LINK_WINDOW * 2);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_neither_reads_nor_sends_is_disconnected() {
    let server = TestServer::new();
    let peer = server.connect_linked().await;
    // More than the pipe buffers.
    let sent: Vec<Executed> = (0..LINK_WINDOW).map(|_| server.send(&"x".repeat(90))).collect();
    let begun = Instant::now();
    assert_eq!(delivery(&sent[0]).await, DeliveryStatus::Queued);
    assert!(begun.elapsed() < DELIVERY_WAIT * 2);
    assert!(server.is_up());
    while server.is_up() {
        sleep(Duration::from_millis(100)).await;
    }
    assert!(begun.elapsed() < LINK_DEAD * 2, "{:?}", begun.elapsed());
    assert_eq!(delivery(&server.send("halo")).await, DeliveryStatus::Queued);
    assert_eq!(server.peer(|peer| peer.queue.len()), LINK_WINDOW + 1);
    drop(peer);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_sends_and_does_not_read_is_throttled_and_disconnected() {
    let server = TestServer::new();
    let mut peer = server.connect_linked().await;
    let mut pings = BytesMut::new();
    while pings.len() < LINK_REPLIES_BYTES * 4 {
        frame::write(&mut pings, &Frame::Ping).unwrap();
    }
    let begun = Instant::now();
    let mut taken = 0;
    while let Ok(count @ 1..) = peer.stream.write(&pings[taken..]).await {
        taken += count;
    }
    assert!(taken < LINK_REPLIES_BYTES + LINK_READ_BYTES + PIPE_BYTES * 3, "{taken} bytes were taken");
    assert!(begun.elapsed() < LINK_DEAD * 2 && !server.is_up(), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_sends_too_fast_is_throttled_and_loses_nothing() {
    let server = TestServer::new();
    let mut peer = server.connect_linked().await;
    let begun = Instant::now();
    // Duplicates count too, and are fast to process.
    let again: Vec<WireMessage> = (1..=LINK_BATCH as u64).map(message).collect();
    let frames = PEER_MESSAGES_PER_SECOND as usize * 3 / LINK_BATCH;
    for _ in 0..frames {
        peer.send_messages(again.clone()).await;
    }
    peer.send_messages(vec![message(1_000)]).await;
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(server.inbox().len(), LINK_BATCH + 1);
    assert!(server.is_up());
}

#[tokio::test(start_paused = true)]
async fn empty_frames_are_throttled_too() {
    let server = TestServer::new();
    let mut peer = server.connect_linked().await;
    let begun = Instant::now();
    let empty = Frame::Messages { epoch: EPOCH, messages: Vec::new() };
    for _ in 0..PEER_MESSAGES_PER_SECOND * 2 {
        peer.send(&empty).await;
    }
    peer.send_messages(vec![message(1)]).await;
    assert!(begun.elapsed() >= Duration::from_millis(900), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_idle_link_stays_up_while_heartbeats_arrive() {
    let server = TestServer::new();
    let mut peer = server.connect_linked().await;
    for _ in 0..20 {
        sleep(LINK_HEARTBEAT).await;
        peer.send(&Frame::Pong).await;
        assert!(server.is_up());
    }
    // Only heartbeats were sent.
    assert!(timeout(Duration::from_millis(100), peer.receive()).await.is_err());
    sleep(LINK_DEAD + LINK_HEARTBEAT).await;
    assert!(!server.is_up());
}

#[tokio::test(start_paused = true)]
async fn the_close_frame_follows_complete_frames() {
    let server = TestServer::new();
    let mut peer = server.connect_linked().await;
    for _ in 0..LINK_WINDOW {
        server.send(&"x".repeat(90));
    }
    sleep(Duration::from_secs(1)).await;
    server.stopping.cancel();
    server.manager.stop();
    loop {
        match peer.receive().await {
            Some(Frame::Messages { .. }) => {}
            Some(Frame::Close(reason)) => break assert_eq!(reason, CloseReason::Stopping),
            other => panic!("no farewell: {other:?}"),
        }
    }
}
