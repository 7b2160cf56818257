use super::*;
use crate::chat::fixture::{Fixture, MESSI, NEKO, PAFF};

const SENDER: UserRef = UserRef::Local(PAFF);

fn limits(messages: u64, bytes: u64) -> InboxShares {
    let shares = InboxShares::default();
    shares.set_limits(InboxLimits { messages: Some(messages), bytes: Some(bytes) });
    shares
}

/// An inbox that is read up to a number, and a range past it.
fn inbox(cursor: u64, read_range: Option<(u64, u64)>) -> User {
    let mut user = Fixture::new().state.user(MESSI).unwrap().clone();
    user.cursor = Seq(cursor);
    user.read_ranges = read_range.into_iter().map(|(after, upto)| (Seq(after), Seq(upto))).collect();
    user
}

fn record(shares: &InboxShares, user: &User, numbers: impl IntoIterator<Item = u64>) {
    numbers.into_iter().for_each(|number| shares.record((MESSI, user), SENDER, Seq(number), 10));
}

#[test]
fn a_share_is_full_with_as_many_messages_as_may_be_unread() {
    let (shares, user) = (limits(3, 1_000), inbox(0, None));
    record(&shares, &user, 1..=2);
    assert!(!shares.is_full((MESSI, &user), &SENDER, 10));
    record(&shares, &user, 3..=3);
    assert!(shares.is_full((MESSI, &user), &SENDER, 10));
    assert!(!shares.is_full((MESSI, &user), &UserRef::Local(NEKO), 10), "of another sender");
    assert!(!shares.is_full((NEKO, &user), &SENDER, 10), "in another inbox");
}

#[test]
fn what_was_read_makes_room_message_by_message_where_few_may_be_unread() {
    let shares = limits(3, 1_000);
    record(&shares, &inbox(0, None), 1..=3);
    let read = inbox(1, None);
    assert!(!shares.is_full((MESSI, &read), &SENDER, 10));
    record(&shares, &read, 4..=4);
    assert!(shares.is_full((MESSI, &read), &SENDER, 10));
}

#[test]
fn what_was_read_live_past_the_cursor_makes_room() {
    let shares = limits(3, 1_000);
    record(&shares, &inbox(0, None), 1..=3);
    assert!(!shares.is_full((MESSI, &inbox(0, Some((1, 2)))), &SENDER, 10));
}

#[test]
fn a_message_longer_than_all_that_may_be_unread_has_room_in_an_empty_share() {
    let (shares, user) = (limits(10, 25), inbox(0, None));
    assert!(!shares.is_full((MESSI, &user), &SENDER, 1_000));
    record(&shares, &user, 1..=2);
    assert!(shares.is_full((MESSI, &user), &SENDER, 6));
    assert!(!shares.is_full((MESSI, &user), &SENDER, 5));
}

#[test]
fn reading_half_of_many_makes_room_for_nearly_half() {
    const MOST: u64 = 100_000;
    let shares = limits(MOST, u64::MAX);
    record(&shares, &inbox(0, None), 1..=MOST);
    let read = inbox(MOST / 2, None);
    let room = (1..).take_while(|number| {
        let has_room = !shares.is_full((MESSI, &read), &SENDER, 10);
        record(&shares, &read, [MOST + number]);
        has_room
    });
    let room = room.count() as u64;
    assert!((MOST / 2 - MOST / 32..=MOST / 2).contains(&room), "{room}");
}

#[test]
fn of_too_many_senders_those_with_the_least_are_forgotten() {
    let (shares, user) = (limits(10, 1_000), inbox(0, None));
    record(&shares, &user, 1..=10);
    for sender in 0..INBOX_SHARES as u64 {
        shares.record((MESSI, &user), UserRef::Local(UserId(1_000 + sender)), Seq(100 + sender), 1);
    }
    assert!(shares.lock().of.len() <= INBOX_SHARES);
    assert!(shares.is_full((MESSI, &user), &SENDER, 10));
}
