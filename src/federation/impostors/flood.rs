//! Servers that say too much, take too little, or fall silent.

use tokio::time::{Instant, timeout};

use super::*;
use crate::limits::{
    DELIVERY_WAIT, LINK_ANSWERS_BYTES, LINK_BATCH, LINK_DEAD, LINK_HEARTBEAT, LINK_READ_BYTES, LINK_WINDOW,
    PEER_MESSAGES_PER_SECOND,
};

#[tokio::test(start_paused = true)]
async fn who_never_acknowledges_is_sent_a_window_and_no_more() {
    let house = House::new();
    let mut peer = house.linked().await;
    let begun = Instant::now();
    let sent: Vec<Executed> = (0..LINK_WINDOW * 2).map(|number| house.sends(&number.to_string())).collect();
    let mut count = 0;
    while let Ok(Some(frame)) = timeout(LINK_DEAD / 2, peer.hears()).await {
        let Frame::Letters { letters, .. } = frame else { panic!("{frame:?}") };
        count += letters.len();
    }
    assert!((LINK_WINDOW..LINK_WINDOW + LINK_BATCH).contains(&count), "{count}");
    for sent in [&sent[0], &sent[LINK_WINDOW * 2 - 1]] {
        assert_eq!(delivery(sent).await, DeliveryStatus::Queued);
    }
    assert!(begun.elapsed() >= DELIVERY_WAIT);
    assert_eq!(house.link(|link| link.queue.len()), LINK_WINDOW * 2);
}

#[tokio::test(start_paused = true)]
async fn who_neither_reads_nor_speaks_is_given_up() {
    let house = House::new();
    let peer = house.linked().await;
    // More than the channel takes.
    let sent: Vec<Executed> = (0..LINK_WINDOW).map(|_| house.sends(&"x".repeat(90))).collect();
    let begun = Instant::now();
    assert_eq!(delivery(&sent[0]).await, DeliveryStatus::Queued);
    assert!(begun.elapsed() < DELIVERY_WAIT * 2);
    assert!(house.is_up());
    while house.is_up() {
        sleep(Duration::from_millis(100)).await;
    }
    assert!(begun.elapsed() < LINK_DEAD * 2, "{:?}", begun.elapsed());
    assert_eq!(delivery(&house.sends("halo")).await, DeliveryStatus::Queued);
    assert_eq!(house.link(|link| link.queue.len()), LINK_WINDOW + 1);
    drop(peer);
}

#[tokio::test(start_paused = true)]
async fn who_speaks_and_does_not_read_is_not_listened_to_and_then_given_up() {
    let house = House::new();
    let mut peer = house.linked().await;
    let mut pings = BytesMut::new();
    while pings.len() < LINK_ANSWERS_BYTES * 4 {
        frame::write(&mut pings, &Frame::Ping).unwrap();
    }
    let begun = Instant::now();
    let mut taken = 0;
    while let Ok(count @ 1..) = peer.stream.write(&pings[taken..]).await {
        taken += count;
    }
    assert!(taken < LINK_ANSWERS_BYTES + LINK_READ_BYTES + PIPE_BYTES * 3, "{taken} bytes were taken");
    assert!(begun.elapsed() < LINK_DEAD * 2 && !house.is_up(), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_sends_too_fast_is_held_back_and_loses_nothing() {
    let house = House::new();
    let mut peer = house.linked().await;
    let begun = Instant::now();
    // Most of it was taken before: that counts too, and is quick to try.
    let again: Vec<WireMessage> = (1..=LINK_BATCH as u64).map(letter).collect();
    let frames = PEER_MESSAGES_PER_SECOND as usize * 3 / LINK_BATCH;
    for _ in 0..frames {
        peer.writes(again.clone()).await;
    }
    peer.writes(vec![letter(1_000)]).await;
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(house.inbox().len(), LINK_BATCH + 1);
    assert!(house.is_up());
}

#[tokio::test(start_paused = true)]
async fn frames_without_messages_take_time_too() {
    let house = House::new();
    let mut peer = house.linked().await;
    let begun = Instant::now();
    let empty = Frame::Letters { incarnation: COUNT, letters: Vec::new() };
    for _ in 0..PEER_MESSAGES_PER_SECOND * 2 {
        peer.says(&empty).await;
    }
    peer.writes(vec![letter(1)]).await;
    assert!(begun.elapsed() >= Duration::from_millis(900), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_link_on_which_nothing_is_said_stays_up_while_the_heart_beats() {
    let house = House::new();
    let mut peer = house.linked().await;
    for _ in 0..20 {
        sleep(LINK_HEARTBEAT).await;
        peer.says(&Frame::Pong).await;
        assert!(house.is_up());
    }
    // Nothing but heartbeats came.
    assert!(timeout(Duration::from_millis(100), peer.hears()).await.is_err());
    sleep(LINK_DEAD + LINK_HEARTBEAT).await;
    assert!(!house.is_up());
}

#[tokio::test(start_paused = true)]
async fn the_farewell_is_understood_though_much_was_on_its_way() {
    let house = House::new();
    let mut peer = house.linked().await;
    for _ in 0..LINK_WINDOW {
        house.sends(&"x".repeat(90));
    }
    sleep(Duration::from_secs(1)).await;
    house.stopping.cancel();
    house.office.stop();
    loop {
        match peer.hears().await {
            Some(Frame::Letters { .. }) => {}
            Some(Frame::Bye(reason)) => break assert_eq!(reason, Reason::Stopping),
            other => panic!("no farewell: {other:?}"),
        }
    }
}
