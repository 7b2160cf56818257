//! The handshake.

use bytes::{BufMut, BytesMut};
use tokio::time::Instant;

use crate::chat::RealmKind;
use crate::federation::frame::{CloseReason, Frame, Hello};
use crate::federation::hostile_peer::peer::{BARAT, EPOCH, LOCALHOST, TIMUR, TestServer, delivery, hello, message};
use crate::federation::testing::{name, seed};
use crate::hub::DeliveryStatus;
use crate::id::{Epoch, PeerKey, Seq};
use crate::limits::{EPOCHS_PER_PEER, LINK_HANDSHAKES, LINK_HELLO};
use crate::settings::Accept;

#[tokio::test(start_paused = true)]
async fn the_policy_decides_by_the_address_of_an_unknown_peer() {
    let table = [
        (Accept::Loopback, "127.0.0.1:9", true),
        (Accept::Loopback, "[::1]:9", true),
        (Accept::Loopback, "[::ffff:127.0.0.1]:9", true),
        (Accept::Loopback, "192.0.2.7:9", false),
        (Accept::Loopback, "10.0.0.1:9", false),
        (Accept::Loopback, "[::ffff:192.0.2.7]:9", false),
        (Accept::Loopback, "[2001:db8::7]:9", false),
        (Accept::Known, "127.0.0.1:9", false),
        (Accept::Any, "192.0.2.7:9", true),
    ];
    for (accept, address, may) in table {
        let server = TestServer::with_accept(accept);
        let mut peer = server.connect(TIMUR, address);
        peer.send(&Frame::Hello(hello())).await;
        peer.receive().await;
        let expected = if may { Frame::Accepted } else { Frame::Close(CloseReason::NotAccepted) };
        assert_eq!(peer.receive().await, Some(expected), "{accept:?} {address}");
        let is_known = server.hub.read(|state| state.peer_of(&TIMUR).is_some()).0;
        assert_eq!(is_known, may, "{accept:?} {address}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_known_peer_is_accepted_from_any_address() {
    let server = TestServer::new();
    drop(server.connect_linked().await);
    server.connect(TIMUR, "192.0.2.7:9").complete_handshake(hello()).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_cannot_take_a_name_of_this_server() {
    for home in ["barat", "BARAT"] {
        let server = TestServer::new();
        let mut peer = server.connect(TIMUR, LOCALHOST);
        peer.complete_handshake(Hello { home: home.into(), ..hello() }).await;
        let ((its_name, own), _) = server.hub.read(|state| {
            let own = state.realm_named(&name("barat")).map(|(_, realm)| realm.kind == RealmKind::Own);
            (state.peer_of(&TIMUR).map(|(_, realm, _)| realm.name.to_string()), own)
        });
        assert_eq!(its_name.unwrap(), format!("{home}-0202"));
        assert_eq!(own, Some(true));
    }
}

#[tokio::test(start_paused = true)]
async fn an_alias_of_this_server_is_for_reading_only() {
    let server = TestServer::new();
    let calls_you = Some("selatan".into());
    server.connect(TIMUR, LOCALHOST).complete_handshake(Hello { calls_you, ..hello() }).await;
    assert!(server.hub.read(|state| state.realm_named(&name("selatan")).is_none()).0);
    assert!(server.hub.read(|state| state.realm_to_read(&name("selatan")).is_some()).0);
}

#[tokio::test(start_paused = true)]
async fn another_key_at_the_address_of_a_known_peer_is_refused() {
    let server = TestServer::new();
    let at_a_port = || Hello { port: Some(9_889), ..hello() };
    server.connect(TIMUR, LOCALHOST).complete_handshake(at_a_port()).await;
    let mut other_key = server.connect(PeerKey([3; 32]), LOCALHOST);
    other_key.send(&Frame::Hello(at_a_port())).await;
    other_key.receive().await;
    other_key.expect_close(CloseReason::KeyChanged).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_with_this_server_s_own_key_gets_no_hello() {
    let server = TestServer::new();
    let mut peer = server.connect(BARAT, LOCALHOST);
    peer.expects_hello = false;
    peer.expect_close(CloseReason::NoRoom).await;
}

#[tokio::test(start_paused = true)]
async fn an_invalid_home_name_is_malformed() {
    for home in ["", "realm", "a b", "barat@timur", "\u{1b}[2J", &"x".repeat(33)] {
        let mut peer = TestServer::new().connect(TIMUR, LOCALHOST);
        peer.send(&Frame::Hello(Hello { home: home.into(), ..hello() })).await;
        peer.receive().await;
        peer.expect_close(CloseReason::Malformed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn more_heads_than_a_server_remembers_are_refused() {
    let heads = |count: u64| (0..count).map(|number| (Epoch(number), Seq(number))).collect();
    let most = EPOCHS_PER_PEER as u64;
    TestServer::new().connect(TIMUR, LOCALHOST).complete_handshake(Hello { heads: heads(most), ..hello() }).await;
    let mut peer = TestServer::new().connect(TIMUR, LOCALHOST);
    peer.send(&Frame::Hello(Hello { heads: heads(10_000), ..hello() })).await;
    peer.receive().await;
    peer.expect_close(CloseReason::Malformed).await;
}

#[tokio::test(start_paused = true)]
async fn unknown_heads_have_no_effect() {
    let server = TestServer::new();
    let current = server.hub.read(|state| state.epoch()).0;
    let heads = vec![(current, Seq(u64::MAX)), (Epoch(5), Seq(u64::MAX))];
    let mut peer = server.connect(TIMUR, LOCALHOST);
    peer.complete_handshake(Hello { heads, acknowledged: Seq(u64::MAX), ..hello() }).await;
    let sent = server.send("halo");
    let (epoch, messages) = peer.receive_messages().await;
    assert_eq!(&*messages[0].text, "halo");
    peer.send(&Frame::Acknowledged { epoch, upto: messages[0].number, refused: Vec::new() }).await;
    assert_eq!(delivery(&sent).await, DeliveryStatus::Delivered);
}

#[tokio::test(start_paused = true)]
async fn another_version_is_closed_with_that_reason() {
    let mut peer = TestServer::new().connect(TIMUR, LOCALHOST);
    peer.send_bytes(&[0, 0, 0, 4, 0, 2, 1, 1]).await;
    peer.receive().await;
    peer.expect_close(CloseReason::Version).await;
}

#[tokio::test(start_paused = true)]
async fn only_a_hello_may_come_first_and_only_an_accepted_second() {
    let messages = Frame::Messages { epoch: EPOCH, messages: vec![message(1)] };
    for frame in [messages, Frame::Accepted, Frame::Ping] {
        let mut peer = TestServer::new().connect(TIMUR, LOCALHOST);
        peer.send(&frame).await;
        assert!(matches!(peer.receive().await, Some(Frame::Hello(_))));
        assert!(matches!(peer.receive().await, Some(Frame::Close(_))), "{frame:?}");
    }
    for frame in [Frame::Hello(hello()), Frame::Ping, Frame::Messages { epoch: EPOCH, messages: vec![message(1)] }] {
        let server = TestServer::new();
        let mut peer = server.connect(TIMUR, LOCALHOST);
        peer.send(&Frame::Hello(hello())).await;
        peer.receive().await;
        assert_eq!(peer.receive().await, Some(Frame::Accepted));
        peer.send(&frame).await;
        peer.expect_close(CloseReason::Malformed).await;
        assert!(!server.is_up() && server.inbox().is_empty(), "{frame:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_too_long_is_refused_by_its_length() {
    let mut peer = TestServer::new().connect(TIMUR, LOCALHOST);
    peer.send_bytes(&u32::MAX.to_be_bytes()).await;
    peer.receive().await;
    peer.expect_close(CloseReason::Malformed).await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_disconnected() {
    let server = TestServer::new();
    for says_hello in [false, true] {
        let begun = Instant::now();
        let mut peer = server.connect(TIMUR, LOCALHOST);
        if says_hello {
            peer.send(&Frame::Hello(hello())).await;
        }
        while peer.receive().await.is_some() {}
        let waited = begun.elapsed();
        assert!(waited >= LINK_HELLO && waited < LINK_HELLO * 2, "{waited:?}");
        assert!(!server.is_up());
    }
}

#[tokio::test(start_paused = true)]
async fn silent_peers_do_not_block_the_handshakes_of_others_for_long() {
    let server = TestServer::new();
    let mut crowd = Vec::new();
    for number in 0..LINK_HANDSHAKES + 1 {
        crowd.push(server.connect(PeerKey([u8::try_from(number).unwrap() + 10; 32]), LOCALHOST));
    }
    while crowd[LINK_HANDSHAKES].receive().await.is_some() {}
    while crowd[0].receive().await.is_some() {}
    server.connect_linked().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_a_silent_peer() {
    let server = TestServer::new();
    let mut peer = server.connect(TIMUR, LOCALHOST);
    peer.receive().await;
    server.stopping.cancel();
    peer.expect_close(CloseReason::Stopping).await;
}

#[tokio::test(start_paused = true)]
async fn random_frames_do_not_harm_other_links() {
    let server = TestServer::new();
    let mut random = fastrand::Rng::with_seed(seed());
    for round in 0..200 {
        let mut peer = server.connect(PeerKey([200; 32]), LOCALHOST);
        if round % 2 == 0 {
            peer.complete_handshake(Hello { home: "selatan".into(), ..hello() }).await;
        }
        for _ in 0..random.usize(1..10) {
            let body: Vec<u8> = (0..random.usize(0..60)).map(|_| random.u8(..)).collect();
            let mut frame = BytesMut::new();
            frame.put_u32(u32::try_from(body.len()).unwrap());
            // Most begin as some frame does.
            frame.put_u8(random.u8(..9));
            frame.put_slice(body.get(1..).unwrap_or_default());
            peer.send_bytes(&frame).await;
        }
    }
    let mut timur = server.connect_linked().await;
    assert!(timur.send_messages(vec![message(1)]).await.is_empty());
    assert!(server.inbox().contains(&("henderson@timur".into(), "1".into())));
}
