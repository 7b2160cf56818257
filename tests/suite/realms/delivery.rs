//! The delivery status in replies, and refusals after the reply.

use super::{Pair, is_down, is_drained, wait_for, wait_for_inbox};

#[test]
fn pipelined_answers_come_in_order_with_local_ones_between() {
    let pair = Pair::linked();
    let mut messi = pair.messi();
    let lines: Vec<String> = (0..30)
        .map(|number| match number % 3 {
            0 => format!("#{number} send henderson@timur {number}"),
            1 => format!("#{number} send lineker {number}"),
            _ => format!("#{number} send nobody@timur {number}"),
        })
        .collect();
    messi.sends(lines.join("\n") + "\n");
    for number in 0..30 {
        let reply = messi.hears();
        assert_eq!(reply.0["tag"], number.to_string());
        assert_eq!(reply.is_ok(), number % 3 != 2, "{}", reply.0);
    }
    let expected: Vec<String> = (0..30).step_by(3).map(|number| number.to_string()).collect();
    assert_eq!(pair.henderson().asks("inbox").texts(), expected);
}

#[test]
fn a_repeated_message_is_sent_once_and_answered_the_same() {
    let pair = Pair::linked();
    let first = pair.messi().asks("#k1 send henderson@timur halo").expect_ok();
    let again = pair.messi().asks("#k1 send henderson@timur halo");
    assert_eq!(again, first);
    assert_eq!(pair.henderson().asks("inbox").texts(), ["halo"]);
}

#[test]
fn a_repeated_message_that_was_refused_is_refused_again() {
    let pair = Pair::linked();
    let first = pair.messi().asks("#k1 send pele@timur halo");
    assert_eq!(first.code(), "user_not_found");
    assert_eq!(pair.messi().asks("#k1 send pele@timur halo"), first);
}

#[test]
fn a_message_repeated_over_a_broken_connection_arrives_once() {
    let pair = Pair::linked();
    let mut messi = pair.messi();
    messi.says("#k1 send henderson@timur halo");
    // The connection ends before the reply is read.
    drop(messi);
    let answered = pair.messi().asks("#k1 send henderson@timur halo").expect_ok();
    assert_eq!(answered.0["data"]["delivered"], true);
    assert_eq!(wait_for_inbox(&mut pair.henderson()), ["halo"]);
}

#[test]
fn a_late_refusal_arrives_as_a_message_of_the_server() {
    let mut pair = Pair::linked();
    let mut messi = pair.messi();
    pair.timur.stop();
    wait_for(&mut messi, "timur", is_down);
    assert_eq!(messi.asks("#k1 send pele@timur halo").expect_ok().0["data"]["delivered"], false);
    pair.timur.start_again();
    wait_for(&mut messi, "timur", is_drained);
    let inbox = messi.asks("inbox").expect_ok();
    assert_eq!(inbox.0["data"][0]["from"], "realm@barat");
    assert_eq!(inbox.texts(), ["Pesan kepada pele@timur tidak terkirim: User tidak ditemukan"]);
    assert_eq!(messi.asks("#k1 send pele@timur halo").code(), "user_not_found", "asked again, it is known by now");
}
