//! Messages survive the outage of either server (PROTOCOL §6).

use super::{Pair, QUICK_STOP, is_down, is_drained, is_up, wait_for};

#[test]
fn messages_sent_during_an_outage_arrive_afterwards() {
    let mut pair = Pair::linked();
    let mut messi = pair.messi();
    pair.timur.stop();
    wait_for(&mut messi, "timur", is_down);
    let texts: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    for text in &texts {
        let sent = messi.asks(&format!("send henderson@timur {text}")).expect_ok();
        assert_eq!(sent.0["data"]["delivered"], false);
    }
    let waiting = wait_for(&mut messi, "timur", is_down);
    assert_eq!(waiting["queued"], 50);
    assert!(waiting["oldest_seconds"].is_u64());
    pair.timur.start_again();
    wait_for(&mut messi, "timur", is_drained);
    assert_eq!(pair.henderson().asks("inbox").texts(), texts);
}

#[test]
fn waiting_messages_survive_a_restart_of_the_sender() {
    let mut pair = Pair::linked();
    pair.timur.stop();
    let mut messi = pair.messi();
    wait_for(&mut messi, "timur", is_down);
    messi.asks("send henderson@timur halo").expect_ok();
    pair.barat.stop();
    pair.barat.start_again();
    pair.timur.start_again();
    wait_for(&mut pair.messi(), "timur", is_drained);
    assert_eq!(pair.henderson().asks("inbox").texts(), ["halo"]);
}

#[test]
fn a_link_survives_a_restart_of_either_side() {
    let mut pair = Pair::linked();
    for round in 0..2 {
        let server = if round == 0 { &mut pair.barat } else { &mut pair.timur };
        server.stop();
        server.start_again();
        let (mut messi, mut henderson) = (pair.messi(), pair.henderson());
        wait_for(&mut messi, "timur", is_up);
        wait_for(&mut henderson, "barat", is_up);
        messi.asks("send henderson@timur apa kabar").expect_ok();
        henderson.asks("send messi@barat baik").expect_ok();
        wait_for(&mut messi, "timur", is_drained);
        wait_for(&mut henderson, "barat", is_drained);
        assert_eq!(henderson.asks("inbox").texts(), ["apa kabar"]);
        assert_eq!(messi.asks("inbox").texts(), ["baik"]);
    }
}

#[test]
fn a_stop_with_a_link_up_is_quick_and_reported_to_the_other_side() {
    let mut pair = Pair::apart_with(|config| config.server.shutdown = QUICK_STOP);
    let mut messi = pair.messi();
    messi.asks(&pair.addrealm("timur")).expect_ok();
    wait_for(&mut messi, "timur", is_up);
    pair.timur.stop();
    let told = wait_for(&mut messi, "timur", |realm| is_down(realm) && realm["problem"].is_string());
    assert!(told["since"].is_string(), "{told}");
}
