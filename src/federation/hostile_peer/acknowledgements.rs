//! Acknowledgements and refusals, also of messages that were never sent.

use crate::chat::BounceReason;
use crate::federation::frame::Frame;
use crate::federation::hostile_peer::peer::{EPOCH, TestServer, delivery};
use crate::hub::DeliveryStatus;
use crate::id::Seq;

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_of_unsent_messages_has_no_effect() {
    let server = TestServer::new();
    let mut peer = server.connect_linked().await;
    let current = server.hub.read(|state| state.epoch()).0;
    for epoch in [current, EPOCH] {
        let refused = vec![(Seq(1), BounceReason::UserNotFound), (Seq(u64::MAX), BounceReason::Blocked)];
        peer.send(&Frame::Acknowledged { epoch, upto: Seq(u64::MAX), refused }).await;
    }
    let sent = server.send("halo");
    let (epoch, messages) = peer.receive_messages().await;
    assert_eq!(delivery(&sent).await, DeliveryStatus::Queued);
    // Whatever number it names, it has no more than it was sent.
    peer.send(&Frame::Acknowledged { epoch, upto: Seq(u64::MAX), refused: Vec::new() }).await;
    let next = server.send("halo lagi");
    assert!(peer.receive_messages().await.1[0].number > messages[0].number);
    assert_eq!(delivery(&next).await, DeliveryStatus::Queued);
    drop(peer);
    assert_eq!(&*server.connect_linked().await.receive_messages().await.1[0].text, "halo lagi");
    assert!(server.inbox().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_of_another_epoch_has_no_effect() {
    let server = TestServer::new();
    let mut peer = server.connect_linked().await;
    let sent = server.send("halo");
    let (_, messages) = peer.receive_messages().await;
    peer.send(&Frame::Acknowledged { epoch: EPOCH, upto: messages[0].number, refused: Vec::new() }).await;
    assert_eq!(delivery(&sent).await, DeliveryStatus::Queued);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_refused_many_times_bounces_once() {
    let server = TestServer::new();
    let mut peer = server.connect_linked().await;
    let sent = server.send("halo");
    let (epoch, messages) = peer.receive_messages().await;
    assert_eq!(delivery(&sent).await, DeliveryStatus::Queued);
    let number = messages[0].number;
    let mut refused = vec![(number, BounceReason::UserNotFound); 1_000];
    refused.extend((0..1_000).map(|other| (Seq(other), BounceReason::Blocked)));
    peer.send(&Frame::Acknowledged { epoch, upto: number, refused }).await;
    assert_eq!(peer.receive().await, Some(Frame::RefusalsConfirmed { epoch, upto: number }));
    let told = "Pesan kepada henderson@timur tidak terkirim: User tidak ditemukan";
    assert_eq!(server.inbox(), [("realm@barat".to_owned(), told.to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_in_the_reply_is_not_repeated_in_the_inbox() {
    let server = TestServer::new();
    let mut peer = server.connect_linked().await;
    let sent = server.send("halo");
    let (epoch, messages) = peer.receive_messages().await;
    let number = messages[0].number;
    let refused = vec![(number, BounceReason::Blocked)];
    peer.send(&Frame::Acknowledged { epoch, upto: number, refused }).await;
    assert_eq!(delivery(&sent).await, DeliveryStatus::Refused(BounceReason::Blocked));
    assert_eq!(peer.receive().await, Some(Frame::RefusalsConfirmed { epoch, upto: number }));
    assert!(server.inbox().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reply_waits_on_if_another_link_replaces_the_one_before() {
    let server = TestServer::new();
    for refused in [None, Some(BounceReason::Blocked)] {
        let mut replaced = server.connect_linked().await;
        let sent = server.send("halo");
        let (epoch, messages) = replaced.receive_messages().await;
        let mut peer = server.connect_linked().await;
        assert_eq!(peer.receive_messages().await.1[0].number, messages[0].number);
        let upto = messages[0].number;
        // Too late, on the link that was replaced.
        replaced.send(&Frame::Acknowledged { epoch, upto, refused: Vec::new() }).await;
        let refusals = refused.map(|why| (upto, why)).into_iter().collect();
        peer.send(&Frame::Acknowledged { epoch, upto, refused: refusals }).await;
        assert_eq!(delivery(&sent).await, refused.map_or(DeliveryStatus::Delivered, DeliveryStatus::Refused));
        assert!(server.inbox().is_empty());
    }
}
