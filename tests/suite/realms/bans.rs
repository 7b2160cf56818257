//! `ban realm:NAME` (PROTOCOL §8).

use kabar::name::Name;

use super::{Pair, is_down, is_up, wait_for, wait_for_inbox};

/// Two servers that are linked, with messi as the administrator of barat.
fn linked() -> Pair {
    let pair = Pair::apart_with(|config| config.accounts.administrators = vec![Name::parse("messi").unwrap()]);
    let mut messi = pair.messi();
    messi.asks(&pair.addrealm("timur")).expect_ok();
    wait_for(&mut messi, "timur", is_up);
    pair
}

#[test]
fn a_banned_realm_loses_its_link_and_gets_it_back_when_the_ban_is_lifted() {
    let pair = linked();
    let (mut messi, mut henderson) = (pair.messi(), pair.henderson());
    messi.asks("ban realm:timur").expect_ok();
    wait_for(&mut messi, "timur", is_down);
    wait_for(&mut henderson, "barat", is_down);
    assert_eq!(messi.asks("send henderson@timur halo").code(), "realm_refused");
    let sent = henderson.asks("send messi@barat dari jauh").expect_ok();
    assert_eq!(sent.0["data"]["delivered"], false);
    messi.asks("unban realm:timur").expect_ok();
    wait_for(&mut messi, "timur", is_up);
    assert_eq!(wait_for_inbox(&mut messi), ["dari jauh"]);
    messi.asks("send henderson@timur halo").expect_ok();
    assert_eq!(wait_for_inbox(&mut henderson), ["halo"]);
}

#[test]
fn a_ban_of_a_realm_is_in_force_after_a_restart() {
    let mut pair = linked();
    pair.messi().asks("ban realm:timur").expect_ok();
    pair.barat.stop();
    pair.barat.start_again();
    let (mut messi, mut henderson) = (pair.messi(), pair.henderson());
    assert_eq!(henderson.asks("send messi@barat halo").expect_ok().0["data"]["delivered"], false);
    wait_for(&mut messi, "timur", is_down);
    messi.asks("unban realm:timur").expect_ok();
    assert_eq!(wait_for_inbox(&mut messi), ["halo"]);
}
