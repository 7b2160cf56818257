//! Connections whose session ends.

use super::*;

const ENDED: &str = "{\"event\":\"session_ended\",\"reason\":\"expired\"}\r\n\r\n";

#[test]
fn a_session_end_comes_after_the_pushes_before_it_and_nothing_after_it() {
    let mut test = TestHub::new();
    let session = test.session();
    let (writer, _listener) = test.listener_of(session);
    test.asks(&send("before"), "").result.unwrap();
    let before = test.hub.read(|state| state.head().0).0;
    test.asks(&Command::CloseSession { session }, "").result.unwrap();
    test.asks(&send("after"), "").result.unwrap();
    assert!(test.hub.is_online(UserId(0)), "nothing of it is durable yet");
    test.committer.step();
    let heard = take(&writer);
    assert_eq!(pushed(&heard), [before]);
    assert!(heard.ends_with(ENDED), "{heard}");
    assert!(!test.hub.is_online(UserId(0)));
    assert_eq!(test.hub.session_use(UserId(0), session).map(|known| known.session), None);
}

#[test]
fn a_session_whose_end_was_taken_back_goes_on_with_its_subscription() {
    let mut test = TestHub::new();
    let session = test.session();
    let (writer, _listener) = test.listener_of(session);
    test.full.store(true, Ordering::Relaxed);
    test.asks(&Command::CloseSession { session }, "").result.unwrap();
    assert_eq!(test.committer.step(), Step::Failed);
    assert_eq!(take(&writer), "");
    assert!(test.hub.is_connected(UserId(0), session));
}

#[test]
fn a_session_that_ends_during_a_replay_ends_it_with_a_notice() {
    let mut test = TestHub::new();
    let session = test.session();
    let (writer, send_queue) = test.listener_of(session);
    test.hub.begin_subscription(UserId(0), &send_queue);
    test.asks(&send("satu"), "").result.unwrap();
    test.asks(&Command::CloseSession { session }, "").result.unwrap();
    test.committer.step();
    let mut replay = Replay::new(UserId(0), Seq(0), Topics::default());
    replay.step(&test.hub, &send_queue).unwrap();
    send_queue.flush();
    assert_eq!(take(&writer), ENDED, "and no page of the replay after it");
    assert!(!send_queue.is_subscribed());
}

#[test]
fn a_session_that_ended_just_before_its_subscription_is_told_to_have_ended() {
    let mut test = TestHub::new();
    let session = test.session();
    let (writer, send_queue) = test.listener_of(session);
    send_queue.stop_listening();
    test.asks(&Command::CloseSession { session }, "").result.unwrap();
    test.committer.step();
    assert_eq!(take(&writer), "", "it had not subscribed");
    assert!(!test.hub.begin_subscription(UserId(0), &send_queue));
    assert_eq!(take(&writer), ENDED);
}
