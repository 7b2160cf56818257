//! Messages as no server of ours would send them.

use super::*;
use crate::chat::BounceReason::{GroupNotFound, Malformed, UserNotFound};
use crate::limits::{LINK_BATCH, REFUSED_UNCONFIRMED};

/// The inbox of a house that heard these of henderson.
fn of_henderson(numbers: &[u64]) -> Vec<(String, String)> {
    numbers.iter().map(|number| ("henderson@timur".to_owned(), number.to_string())).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_again_is_acknowledged_again_and_taken_once() {
    let house = House::new();
    let mut peer = house.linked().await;
    for _ in 0..3 {
        let refused = peer.writes(vec![letter(1), WireMessage { to: "pele".into(), ..letter(2) }, letter(3)]).await;
        assert_eq!(refused, [(Seq(2), UserNotFound)]);
    }
    assert_eq!(house.inbox(), of_henderson(&[1, 3]));
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_again_on_another_link_is_taken_once() {
    let house = House::new();
    house.linked().await.writes(vec![letter(1), letter(2)]).await;
    house.linked().await.writes(vec![letter(2), letter(3)]).await;
    assert_eq!(house.inbox(), of_henderson(&[1, 2, 3]));
}

#[tokio::test(start_paused = true)]
async fn numbers_that_go_back_are_those_of_messages_that_were_taken() {
    let house = House::new();
    let mut peer = house.linked().await;
    peer.writes(vec![letter(5), letter(6)]).await;
    assert!(peer.writes(vec![letter(3)]).await.is_empty());
    peer.writes(vec![letter(7)]).await;
    assert_eq!(house.inbox(), of_henderson(&[5, 6, 7]));
}

#[tokio::test(start_paused = true)]
async fn messages_out_of_order_or_too_many_at_once_end_the_link() {
    let too_many = (1..).take(LINK_BATCH + 1).map(letter).collect();
    for letters in [vec![letter(2), letter(1)], vec![letter(1), letter(1)], too_many] {
        let house = House::new();
        let mut peer = house.linked().await;
        peer.says(&Frame::Letters { incarnation: COUNT, letters }).await;
        peer.is_sent_away(Reason::Malformed).await;
        assert!(house.inbox().is_empty() && !house.is_up());
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_speaks_for_users_of_another_realm() {
    let house = House::new();
    let mut peer = house.linked().await;
    let of = |from: &str, number| WireMessage { from: from.into(), ..letter(number) };
    let claimed = ["paff@barat", "paff@selatan", "realm", "realm@barat", "", "@", "a b", "*"];
    for (from, number) in claimed.into_iter().zip(1..) {
        assert_eq!(peer.writes(vec![of(from, number)]).await, [(Seq(number), Malformed)], "{from}");
    }
    // Whoever has the name of a user here is another one.
    peer.writes(vec![of("paff", 9)]).await;
    assert_eq!(house.inbox(), [("paff@timur".to_owned(), "9".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn texts_that_no_client_may_send_are_refused() {
    let house = House::new();
    let mut peer = house.linked().await;
    let of = |text: &str, number| WireMessage { text: text.into(), ..letter(number) };
    let (longest, too_long) = ("x".repeat(TEXT_BYTES), "x".repeat(TEXT_BYTES + 1));
    let wrong = ["", " \t ", "a\nb", "a\r\n[OK] b", "\0", "\u{1b}[2J", "\u{7f}", &too_long];
    for (text, number) in wrong.into_iter().zip(1..) {
        assert_eq!(peer.writes(vec![of(text, number)]).await, [(Seq(number), Malformed)], "{text:?}");
    }
    assert!(house.inbox().is_empty());
    assert!(peer.writes(vec![of("a\tb", 20), of(&longest, 21)]).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn addresses_that_are_none_are_nobodys() {
    let house = House::new();
    let mut peer = house.linked().await;
    let table = [
        (WireMessage { to: "pele".into(), ..letter(1) }, UserNotFound),
        (WireMessage { to: "messi@timur".into(), ..letter(2) }, UserNotFound),
        (WireMessage { to: "*".into(), ..letter(3) }, UserNotFound),
        (WireMessage { to_group: true, ..letter(4) }, GroupNotFound),
        (WireMessage { to_group: true, to: "".into(), ..letter(5) }, GroupNotFound),
    ];
    for (letter, why) in table {
        assert_eq!(peer.writes(vec![letter.clone()]).await, [(letter.number, why)], "{letter:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_never_notes_what_was_refused_is_not_listened_to_and_loses_nothing() {
    let house = House::new();
    let mut peer = house.linked().await;
    let mut number = 0;
    let mut to_nobody = || {
        number += 1;
        WireMessage { to: "pele".into(), ..letter(number) }
    };
    while house.link(|link| link.refused.len()) < REFUSED_UNCONFIRMED {
        let letters: Vec<_> = (0..LINK_BATCH).map(|_| to_nobody()).collect();
        assert_eq!(peer.writes(letters).await.len(), LINK_BATCH);
    }
    peer.says(&Frame::Letters { incarnation: COUNT, letters: vec![letter(10_000)] }).await;
    peer.is_sent_away(Reason::NoRoom).await;
    assert!(house.inbox().is_empty());
    // Once it does, it is listened to again.
    let mut peer = house.linked().await;
    peer.says(&Frame::Noted { incarnation: COUNT, upto: Seq(u64::MAX) }).await;
    assert!(peer.writes(vec![letter(10_000)]).await.is_empty());
    assert_eq!(house.inbox(), of_henderson(&[10_000]));
    assert_eq!(house.link(|link| link.refused.len()), 0);
}

#[tokio::test(start_paused = true)]
async fn a_note_of_what_was_never_refused_changes_nothing() {
    let house = House::new();
    let mut peer = house.linked().await;
    let before = house.disk.copy().len();
    peer.says(&Frame::Noted { incarnation: COUNT, upto: Seq(u64::MAX) }).await;
    peer.says(&Frame::Noted { incarnation: Incarnation(5), upto: Seq(u64::MAX) }).await;
    peer.writes(vec![letter(1)]).await;
    assert_eq!(house.disk.copy().len(), before + 2, "a message and how far it came");
}

#[tokio::test(start_paused = true)]
async fn what_is_counted_in_many_ways_is_remembered_of_the_newest() {
    let house = House::new();
    let mut peer = house.linked().await;
    for incarnation in 0..1_100 {
        let letters = vec![letter(1)];
        peer.says(&Frame::Letters { incarnation: Incarnation(1_000 + incarnation), letters }).await;
        assert!(matches!(peer.hears().await, Some(Frame::Acknowledged { .. })));
    }
    assert_eq!(house.link(|link| link.received.len()), crate::limits::INCARNATIONS_PER_PEER);
}
