//! Pushes to large audiences, which are written in turns.

use std::thread;
use std::time::Duration;

use super::*;
use crate::limits::{LARGE_AUDIENCE, PUSHES_PER_LOCK};

type Listener = (Arc<RecordingWriter>, Arc<SendQueue>);

/// A hub with so many listeners that a message to them is not written by the committer.
fn crowd() -> (TestHub, Vec<Listener>) {
    let mut test = TestHub::new();
    let session = test.session();
    let listeners = (0..LARGE_AUDIENCE).map(|_| test.listener_of(session)).collect();
    test.committer.begin_turns();
    (test, listeners)
}

#[test]
fn commits_go_on_while_pushes_to_a_large_audience_wait_and_all_come_in_order() {
    let (mut test, listeners) = crowd();
    for number in 0..3 {
        test.asks(&send(&format!("number {number}.")), "").result.unwrap();
        assert_eq!(test.committer.step(), Step::Stored);
    }
    assert!(listeners.iter().all(|(writer, _)| take(writer).is_empty()));
    test.committer.write_turn(Duration::from_secs(60));
    for (writer, _) in &listeners {
        assert_eq!(pushed(&take(writer)).len(), 3);
    }
}

#[test]
fn a_connection_with_pushes_on_their_way_gets_its_replies_after_them() {
    let (mut test, listeners) = crowd();
    test.asks(&send("halo"), "").result.unwrap();
    test.committer.step();
    let (writer, listener) = &listeners[0];
    listener.reply(Ticket::NONE, None, |out| out.extend_from_slice(b"reply"));
    test.hub.send_replies(listener);
    assert_eq!(take(writer), "");
    test.committer.write_turn(Duration::from_secs(60));
    let heard = take(writer);
    assert!(heard.starts_with("{\"event\":\"message\"") && heard.ends_with("\r\n\r\nreply"), "{heard}");
}

#[test]
fn what_waits_for_a_user_is_not_pushed_to_whoever_has_the_connection_next() {
    let (mut test, listeners) = crowd();
    test.asks(&send("halo"), "").result.unwrap();
    test.committer.step();
    let (writer, listener) = &listeners[0];
    test.hub.detach(UserId(0), listener);
    listener.listen(Seq(0), Topics::default());
    test.committer.write_turn(Duration::from_secs(60));
    assert_eq!(take(writer), "");
    assert_eq!(pushed(&take(&listeners[1].0)).len(), 1);
}

#[test]
fn what_is_not_written_in_one_turn_is_written_in_the_next_and_newer_pushes_come_after_it() {
    let (mut test, listeners) = crowd();
    test.asks(&send("first"), "").result.unwrap();
    test.committer.step();
    // One connection's worth.
    test.committer.write_turn(Duration::ZERO);
    let heard = |writer: &RecordingWriter| pushed(&take(writer)).len();
    assert_eq!(listeners.iter().map(|(writer, _)| heard(writer)).sum::<usize>(), 1);
    test.asks(&send("second"), "").result.unwrap();
    test.committer.step();
    assert_eq!(listeners.iter().map(|(writer, _)| heard(writer)).sum::<usize>(), 0, "batches write none of them");
    test.committer.write_turn(Duration::from_secs(60));
    assert_eq!(listeners.iter().map(|(writer, _)| heard(writer)).sum::<usize>(), 2 * LARGE_AUDIENCE - 1);
}

#[test]
fn connections_that_do_not_listen_make_no_audience() {
    let mut test = TestHub::new();
    let session = test.session();
    let listeners: Vec<_> = (0..=LARGE_AUDIENCE).map(|_| test.listener_of(session)).collect();
    listeners[1..].iter().for_each(|(_, send_queue)| send_queue.stop_listening());
    test.committer.begin_turns();
    test.asks(&send("halo"), "").result.unwrap();
    assert_eq!(test.committer.step(), Step::Stored);
    assert!(!test.committer.has_deliveries());
    assert_eq!(pushed(&take(&listeners[0].0)).len(), 1);
}

#[test]
fn connections_that_begin_to_listen_in_the_middle_of_a_batch_get_each_message_once() {
    const MESSAGES: usize = 4 * PUSHES_PER_LOCK / LARGE_AUDIENCE;
    let (mut test, _listeners) = crowd();
    let session = test.session();
    for _ in 0..4 {
        let first = test.hub.delivered();
        (0..MESSAGES).for_each(|_| drop(test.asks(&send("halo"), "").result.unwrap()));
        let newcomers: Vec<_> = (0..8).map(|_| test.listener_of(session)).collect();
        let hub = test.hub.clone();
        thread::scope(|scope| {
            for (_, send_queue) in &newcomers {
                send_queue.begin_subscription();
                let mut replay = Replay::new(UserId(0), first, Topics::default());
                let hub = &hub;
                scope.spawn(move || while !replay.step(hub, send_queue).unwrap() {});
            }
            test.committer.step();
        });
        test.committer.write_turn(Duration::from_secs(60));
        for (writer, send_queue) in &newcomers {
            send_queue.flush();
            let expected: Vec<u64> = (first.0 + 1..=first.0 + MESSAGES as u64).collect();
            assert_eq!(pushed(&take(writer)), expected);
        }
    }
}
