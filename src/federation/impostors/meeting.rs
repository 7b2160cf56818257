//! What is said before a link is up.

use bytes::BufMut;
use tokio::time::Instant;

use super::*;
use crate::chat::RealmKind;
use crate::limits::{INCARNATIONS_PER_PEER, LINK_HELLO, LINK_MEETINGS};

#[tokio::test(start_paused = true)]
async fn who_may_come_is_told_by_the_network_it_comes_from() {
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
        let house = House::that_lets_in(accept);
        let mut peer = house.dialled(TIMUR, address);
        peer.says(&Frame::Hello(hello())).await;
        peer.hears().await;
        let expected = if may { Frame::Welcome } else { Frame::Bye(Reason::NotWelcome) };
        assert_eq!(peer.hears().await, Some(expected), "{accept:?} {address}");
        let is_known = house.hub.read(|state| state.peer_of(&TIMUR).is_some()).0;
        assert_eq!(is_known, may, "{accept:?} {address}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_known_may_come_from_anywhere() {
    let house = House::new();
    drop(house.linked().await);
    house.dialled(TIMUR, "192.0.2.7:9").meets(hello()).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_takes_a_name_of_this_server() {
    for home in ["barat", "BARAT"] {
        let house = House::new();
        let mut peer = house.dialled(TIMUR, LOCALHOST);
        peer.meets(Hello { home: home.into(), ..hello() }).await;
        let ((its_name, own), _) = house.hub.read(|state| {
            let own = state.realm_named(&name("barat")).map(|(_, realm)| realm.kind == RealmKind::Own);
            (state.peer_of(&TIMUR).map(|(_, realm, _)| realm.name.to_string()), own)
        });
        assert_eq!(its_name.unwrap(), format!("{home}-0202"));
        assert_eq!(own, Some(true));
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_a_peer_has_for_this_server_leads_nowhere() {
    let house = House::new();
    let calls_you = Some("selatan".into());
    house.dialled(TIMUR, LOCALHOST).meets(Hello { calls_you, ..hello() }).await;
    assert!(house.hub.read(|state| state.realm_named(&name("selatan")).is_none()).0);
    assert!(house.hub.read(|state| state.realm_to_read(&name("selatan")).is_some()).0);
}

#[tokio::test(start_paused = true)]
async fn who_claims_the_place_of_a_known_server_with_another_key_is_refused() {
    let house = House::new();
    let at_a_port = || Hello { port: Some(9_889), ..hello() };
    house.dialled(TIMUR, LOCALHOST).meets(at_a_port()).await;
    let mut impostor = house.dialled(PeerKey([3; 32]), LOCALHOST);
    impostor.says(&Frame::Hello(at_a_port())).await;
    impostor.hears().await;
    impostor.is_sent_away(Reason::KeyChanged).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_shows_this_ones_own_key_is_not_spoken_to() {
    let house = House::new();
    let mut peer = house.dialled(house.office.key(), LOCALHOST);
    peer.expects_hello = false;
    peer.is_sent_away(Reason::NoRoom).await;
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_none_is_not_understood() {
    for home in ["", "realm", "a b", "barat@timur", "\u{1b}[2J", &"x".repeat(33)] {
        let mut peer = House::new().dialled(TIMUR, LOCALHOST);
        peer.says(&Frame::Hello(Hello { home: home.into(), ..hello() })).await;
        peer.hears().await;
        peer.is_sent_away(Reason::Malformed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn more_heads_than_a_server_remembers_are_refused() {
    let heads = |count: u64| (0..count).map(|number| (Incarnation(number), Seq(number))).collect();
    let most = INCARNATIONS_PER_PEER as u64;
    House::new().dialled(TIMUR, LOCALHOST).meets(Hello { heads: heads(most), ..hello() }).await;
    let mut peer = House::new().dialled(TIMUR, LOCALHOST);
    peer.says(&Frame::Hello(Hello { heads: heads(10_000), ..hello() })).await;
    peer.hears().await;
    peer.is_sent_away(Reason::Malformed).await;
}

#[tokio::test(start_paused = true)]
async fn heads_that_were_never_given_break_nothing() {
    let house = House::new();
    let current = house.hub.read(|state| state.incarnation()).0;
    let heads = vec![(current, Seq(u64::MAX)), (Incarnation(5), Seq(u64::MAX))];
    let mut peer = house.dialled(TIMUR, LOCALHOST);
    peer.meets(Hello { heads, acknowledged: Seq(u64::MAX), ..hello() }).await;
    let sent = house.sends("halo");
    let (incarnation, letters) = peer.is_sent().await;
    assert_eq!(&*letters[0].text, "halo");
    peer.says(&Frame::Acknowledged { incarnation, upto: letters[0].number, refused: Vec::new() }).await;
    assert_eq!(delivery(&sent).await, DeliveryStatus::Delivered);
}

#[tokio::test(start_paused = true)]
async fn another_version_is_told_so() {
    let mut peer = House::new().dialled(TIMUR, LOCALHOST);
    peer.sends(&[0, 0, 0, 4, 0, 2, 1, 1]).await;
    peer.hears().await;
    peer.is_sent_away(Reason::Version).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_but_the_hello_comes_first_and_nothing_but_the_welcome_second() {
    let letters = Frame::Letters { incarnation: COUNT, letters: vec![letter(1)] };
    for frame in [letters, Frame::Welcome, Frame::Ping] {
        let mut peer = House::new().dialled(TIMUR, LOCALHOST);
        peer.says(&frame).await;
        assert!(matches!(peer.hears().await, Some(Frame::Hello(_))));
        assert!(matches!(peer.hears().await, Some(Frame::Bye(_))), "{frame:?}");
    }
    for frame in [Frame::Hello(hello()), Frame::Ping, Frame::Letters { incarnation: COUNT, letters: vec![letter(1)] }] {
        let house = House::new();
        let mut peer = house.dialled(TIMUR, LOCALHOST);
        peer.says(&Frame::Hello(hello())).await;
        peer.hears().await;
        assert_eq!(peer.hears().await, Some(Frame::Welcome));
        peer.says(&frame).await;
        peer.is_sent_away(Reason::Malformed).await;
        assert!(!house.is_up() && house.inbox().is_empty(), "{frame:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_too_long_is_refused_at_its_head() {
    let mut peer = House::new().dialled(TIMUR, LOCALHOST);
    peer.sends(&u32::MAX.to_be_bytes()).await;
    peer.hears().await;
    peer.is_sent_away(Reason::Malformed).await;
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_given_up() {
    let house = House::new();
    for says_hello in [false, true] {
        let begun = Instant::now();
        let mut peer = house.dialled(TIMUR, LOCALHOST);
        if says_hello {
            peer.says(&Frame::Hello(hello())).await;
        }
        while peer.hears().await.is_some() {}
        let waited = begun.elapsed();
        assert!(waited >= LINK_HELLO && waited < LINK_HELLO * 2, "{waited:?}");
        assert!(!house.is_up());
    }
}

#[tokio::test(start_paused = true)]
async fn a_crowd_that_says_nothing_is_given_up_and_lets_others_in() {
    let house = House::new();
    let mut crowd = Vec::new();
    for number in 0..LINK_MEETINGS + 1 {
        crowd.push(house.dialled(PeerKey([u8::try_from(number).unwrap() + 10; 32]), LOCALHOST));
    }
    while crowd[LINK_MEETINGS].hears().await.is_some() {}
    while crowd[0].hears().await.is_some() {}
    house.linked().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_who_says_nothing() {
    let house = House::new();
    let mut peer = house.dialled(TIMUR, LOCALHOST);
    peer.hears().await;
    house.stopping.cancel();
    peer.is_sent_away(Reason::Stopping).await;
}

#[tokio::test(start_paused = true)]
async fn any_frames_come_to_an_end_and_harm_nobody() {
    let house = House::new();
    let mut random = fastrand::Rng::with_seed(1);
    for round in 0..200 {
        let mut peer = house.dialled(PeerKey([200; 32]), LOCALHOST);
        if round % 2 == 0 {
            peer.meets(Hello { home: "selatan".into(), ..hello() }).await;
        }
        for _ in 0..random.usize(1..10) {
            let body: Vec<u8> = (0..random.usize(0..60)).map(|_| random.u8(..)).collect();
            let mut frame = BytesMut::new();
            frame.put_u32(u32::try_from(body.len()).unwrap());
            // Most begin as some frame does.
            frame.put_u8(random.u8(..9));
            frame.put_slice(body.get(1..).unwrap_or_default());
            peer.sends(&frame).await;
        }
    }
    let mut timur = house.linked().await;
    assert!(timur.writes(vec![letter(1)]).await.is_empty());
    assert!(house.inbox().contains(&("henderson@timur".into(), "1".into())));
}
