//! What a server says of messages that it was sent, and of those that it was not.

use super::*;

#[tokio::test(start_paused = true)]
async fn what_was_never_sent_cannot_be_acknowledged() {
    let house = House::new();
    let mut peer = house.linked().await;
    let current = house.hub.read(|state| state.incarnation()).0;
    for incarnation in [current, COUNT] {
        let refused = vec![(Seq(1), BounceReason::UserNotFound), (Seq(u64::MAX), BounceReason::Blocked)];
        peer.says(&Frame::Acknowledged { incarnation, upto: Seq(u64::MAX), refused }).await;
    }
    let sent = house.sends("halo");
    let (incarnation, letters) = peer.is_sent().await;
    assert_eq!(delivery(&sent).await, DeliveryStatus::Queued);
    // Whatever number it names, it has no more than it was sent.
    peer.says(&Frame::Acknowledged { incarnation, upto: Seq(u64::MAX), refused: Vec::new() }).await;
    let next = house.sends("halo lagi");
    assert!(peer.is_sent().await.1[0].number > letters[0].number);
    assert_eq!(delivery(&next).await, DeliveryStatus::Queued);
    drop(peer);
    assert_eq!(&*house.linked().await.is_sent().await.1[0].text, "halo lagi");
    assert!(house.inbox().is_empty());
}

#[tokio::test(start_paused = true)]
async fn another_count_acknowledges_nothing() {
    let house = House::new();
    let mut peer = house.linked().await;
    let sent = house.sends("halo");
    let (_, letters) = peer.is_sent().await;
    peer.says(&Frame::Acknowledged { incarnation: COUNT, upto: letters[0].number, refused: Vec::new() }).await;
    assert_eq!(delivery(&sent).await, DeliveryStatus::Queued);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_refused_many_times_comes_back_once() {
    let house = House::new();
    let mut peer = house.linked().await;
    let sent = house.sends("halo");
    let (incarnation, letters) = peer.is_sent().await;
    assert_eq!(delivery(&sent).await, DeliveryStatus::Queued);
    let number = letters[0].number;
    let mut refused = vec![(number, BounceReason::UserNotFound); 1_000];
    refused.extend((0..1_000).map(|other| (Seq(other), BounceReason::Blocked)));
    peer.says(&Frame::Acknowledged { incarnation, upto: number, refused }).await;
    assert_eq!(peer.hears().await, Some(Frame::Noted { incarnation, upto: number }));
    let told = "Pesan kepada henderson@timur tidak terkirim: User tidak ditemukan";
    assert_eq!(house.inbox(), [("realm@barat".to_owned(), told.to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_answers_the_sender_does_not_come_back_too() {
    let house = House::new();
    let mut peer = house.linked().await;
    let sent = house.sends("halo");
    let (incarnation, letters) = peer.is_sent().await;
    let number = letters[0].number;
    let refused = vec![(number, BounceReason::Blocked)];
    peer.says(&Frame::Acknowledged { incarnation, upto: number, refused }).await;
    assert_eq!(delivery(&sent).await, DeliveryStatus::Refused(BounceReason::Blocked));
    assert_eq!(peer.hears().await, Some(Frame::Noted { incarnation, upto: number }));
    assert!(house.inbox().is_empty());
}
