//! Messages that violate the protocol.

use crate::chat::BounceReason::{GroupNotFound, Malformed, UserNotFound};
use crate::federation::frame::{CloseReason, Frame, WireMessage};
use crate::federation::hostile_peer::peer::{EPOCH, TEXT_BYTES, TestServer, message};
use crate::id::{Epoch, Seq};
use crate::limits::{LINK_BATCH, REFUSED_UNCONFIRMED};

/// The inbox after these messages of henderson.
fn of_henderson(numbers: &[u64]) -> Vec<(String, String)> {
    numbers.iter().map(|number| ("henderson@timur".to_owned(), number.to_string())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_resent_message_is_acknowledged_again_and_stored_once() {
    let server = TestServer::new();
    let mut peer = server.connect_linked().await;
    for _ in 0..3 {
        let refused =
            peer.send_messages(vec![message(1), WireMessage { to: "pele".into(), ..message(2) }, message(3)]).await;
        assert_eq!(refused, [(Seq(2), UserNotFound)]);
    }
    assert_eq!(server.inbox(), of_henderson(&[1, 3]));
}

#[tokio::test(start_paused = true)]
async fn a_message_resent_on_another_link_is_stored_once() {
    let server = TestServer::new();
    server.connect_linked().await.send_messages(vec![message(1), message(2)]).await;
    server.connect_linked().await.send_messages(vec![message(2), message(3)]).await;
    assert_eq!(server.inbox(), of_henderson(&[1, 2, 3]));
}

#[tokio::test(start_paused = true)]
async fn a_number_below_the_head_is_a_duplicate() {
    let server = TestServer::new();
    let mut peer = server.connect_linked().await;
    peer.send_messages(vec![message(5), message(6)]).await;
    assert!(peer.send_messages(vec![message(3)]).await.is_empty());
    peer.send_messages(vec![message(7)]).await;
    assert_eq!(server.inbox(), of_henderson(&[5, 6, 7]));
}

#[tokio::test(start_paused = true)]
async fn messages_out_of_order_or_too_many_in_a_frame_end_the_link() {
    let too_many = (1..).take(LINK_BATCH + 1).map(message).collect();
    for messages in [vec![message(2), message(1)], vec![message(1), message(1)], too_many] {
        let server = TestServer::new();
        let mut peer = server.connect_linked().await;
        peer.send(&Frame::Messages { epoch: EPOCH, messages }).await;
        peer.expect_close(CloseReason::Malformed).await;
        assert!(server.inbox().is_empty() && !server.is_up());
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_cannot_speak_for_users_of_another_realm() {
    let server = TestServer::new();
    let mut peer = server.connect_linked().await;
    let of = |from: &str, number| WireMessage { from: from.into(), ..message(number) };
    let claimed = ["paff@barat", "paff@selatan", "realm", "realm@barat", "", "@", "a b", "*"];
    for (from, number) in claimed.into_iter().zip(1..) {
        assert_eq!(peer.send_messages(vec![of(from, number)]).await, [(Seq(number), Malformed)], "{from}");
    }
    // A remote user may have the name of a local one.
    peer.send_messages(vec![of("paff", 9)]).await;
    assert_eq!(server.inbox(), [("paff@timur".to_owned(), "9".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn texts_that_no_client_may_send_are_refused() {
    let server = TestServer::new();
    let mut peer = server.connect_linked().await;
    let of = |text: &str, number| WireMessage { text: text.into(), ..message(number) };
    let (longest, too_long) = ("x".repeat(TEXT_BYTES), "x".repeat(TEXT_BYTES + 1));
    let wrong = ["", " \t ", "a\nb", "a\r\n[OK] b", "\0", "\u{1b}[2J", "\u{7f}", &too_long];
    for (text, number) in wrong.into_iter().zip(1..) {
        assert_eq!(peer.send_messages(vec![of(text, number)]).await, [(Seq(number), Malformed)], "{text:?}");
    }
    assert!(server.inbox().is_empty());
    assert!(peer.send_messages(vec![of("a\tb", 20), of(&longest, 21)]).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn unknown_and_invalid_addresses_are_refused() {
    let server = TestServer::new();
    let mut peer = server.connect_linked().await;
    let table = [
        (WireMessage { to: "pele".into(), ..message(1) }, UserNotFound),
        (WireMessage { to: "messi@timur".into(), ..message(2) }, UserNotFound),
        (WireMessage { to: "*".into(), ..message(3) }, UserNotFound),
        (WireMessage { to_group: true, ..message(4) }, GroupNotFound),
        (WireMessage { to_group: true, to: "".into(), ..message(5) }, GroupNotFound),
    ];
    for (message, why) in table {
        assert_eq!(peer.send_messages(vec![message.clone()]).await, [(message.number, why)], "{message:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_confirms_refusals_is_disconnected_and_loses_nothing() {
    let server = TestServer::new();
    let mut peer = server.connect_linked().await;
    let mut number = 0;
    let mut to_unknown = || {
        number += 1;
        WireMessage { to: "pele".into(), ..message(number) }
    };
    while server.peer(|peer| peer.refused.len()) < REFUSED_UNCONFIRMED {
        let messages: Vec<_> = (0..LINK_BATCH).map(|_| to_unknown()).collect();
        assert_eq!(peer.send_messages(messages).await.len(), LINK_BATCH);
    }
    peer.send(&Frame::Messages { epoch: EPOCH, messages: vec![message(10_000)] }).await;
    peer.expect_close(CloseReason::NoRoom).await;
    assert!(server.inbox().is_empty());
    // After the confirmation, messages are received again.
    let mut peer = server.connect_linked().await;
    peer.send(&Frame::RefusalsConfirmed { epoch: EPOCH, upto: Seq(u64::MAX) }).await;
    assert!(peer.send_messages(vec![message(10_000)]).await.is_empty());
    assert_eq!(server.inbox(), of_henderson(&[10_000]));
    assert_eq!(server.peer(|peer| peer.refused.len()), 0);
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_without_refusals_has_no_effect() {
    let server = TestServer::new();
    let mut peer = server.connect_linked().await;
    let before = server.disk.copy().len();
    peer.send(&Frame::RefusalsConfirmed { epoch: EPOCH, upto: Seq(u64::MAX) }).await;
    peer.send(&Frame::RefusalsConfirmed { epoch: Epoch(5), upto: Seq(u64::MAX) }).await;
    peer.send_messages(vec![message(1)]).await;
    assert_eq!(server.disk.copy().len(), before + 2, "a message and how far it came");
}

#[tokio::test(start_paused = true)]
async fn only_the_newest_epochs_are_remembered() {
    let server = TestServer::new();
    let mut peer = server.connect_linked().await;
    for epoch in 0..1_100 {
        let messages = vec![message(1)];
        peer.send(&Frame::Messages { epoch: Epoch(1_000 + epoch), messages }).await;
        assert!(matches!(peer.receive().await, Some(Frame::Acknowledged { .. })));
    }
    assert_eq!(server.peer(|peer| peer.received.len()), crate::limits::EPOCHS_PER_PEER);
}
