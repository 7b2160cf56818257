//! What senders have left unread, counted from the store.

use super::*;
use crate::chat::{CommandError, InboxLimits};

fn neko_sends(test: &TestHub) -> Result<(), CommandError> {
    test.hub.execute(&Context::on_behalf_of(UserId(1), Time::now()), &send("halo")).result.map(drop)
}

/// A hub as after a start: messi has three unread messages of neko, who may leave four.
fn started() -> TestHub {
    let mut test = TestHub::new();
    test.hub.execute_as_server(&register("neko")).result.unwrap();
    test.hub.set_inbox_limits(InboxLimits { messages: Some(4), bytes: None });
    (0..3).for_each(|_| neko_sends(&test).unwrap());
    test.committer.step();
    test.hub.recount_unread();
    test
}

#[test]
fn what_was_unread_before_a_start_counts_once_somebody_sends_to_that_inbox() {
    let test = started();
    assert_eq!(neko_sends(&test), Ok(()));
    test.hub.count_unread();
    assert_eq!(neko_sends(&test), Err(CommandError::InboxFull));
}

#[test]
fn what_was_counted_from_the_store_makes_room_when_it_is_read() {
    let test = started();
    let stored = test.hub.read(|state| state.head()).0;
    neko_sends(&test).unwrap();
    test.hub.count_unread();
    test.asks(&Command::Acknowledge { upto: stored.into() }, "").result.unwrap();
    (0..3).for_each(|_| neko_sends(&test).unwrap());
    assert_eq!(neko_sends(&test), Err(CommandError::InboxFull));
}
