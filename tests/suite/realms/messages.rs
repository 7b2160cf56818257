//! Messages between users and groups of two servers.

use super::{Pair, addrealm, is_up, messi_of, realm, wait_for};
use crate::support::TestServer;

#[test]
fn a_message_to_a_user_of_another_realm_is_delivered() {
    let pair = Pair::linked();
    let (mut messi, mut henderson) = (pair.messi(), pair.henderson());
    let sent = messi.asks("sendprivaterealm timur henderson apa kabar").expect_ok();
    assert_eq!((sent.message(), &sent.0["data"]["delivered"]), ("Message sent to user in realm", &true.into()));
    let inbox = henderson.asks("inbox").expect_ok();
    let message = &inbox.0["data"][0];
    assert_eq!(inbox.texts(), ["apa kabar"]);
    assert_eq!((&message["from"], &message["to"]), (&"messi@barat".into(), &"henderson".into()));
    assert_eq!((&message["msg_from"], &message["msg_to"]), (&"Lionel Messi".into(), &"Jordan Henderson".into()));
    assert_eq!((&message["kind"], &message["realm"]), (&"direct".into(), &"barat".into()));
}

#[test]
fn an_address_with_a_realm_does_the_same() {
    let pair = Pair::linked();
    let (mut messi, mut henderson) = (pair.messi(), pair.henderson());
    let sent = messi.asks("send henderson@timur apa kabar").expect_ok();
    assert_eq!((sent.message(), &sent.0["data"]["delivered"]), ("Message sent", &true.into()));
    let sent = messi.asks("chat HENDERSON@timur halo").expect_ok();
    assert_eq!((sent.message(), &sent.0["data"]["delivered"]), ("send to HENDERSON", &true.into()));
    assert_eq!(henderson.asks("inbox").texts(), ["apa kabar", "halo"]);
}

#[test]
fn each_inbox_shows_a_message_once_independently_of_the_others() {
    let pair = Pair::linked();
    let (mut messi, mut henderson) = (pair.messi(), pair.henderson());
    messi.asks("send henderson@timur apa kabar").expect_ok();
    for view in ["inbox", "getrealminbox barat", "getrealminbox timur"] {
        assert_eq!(henderson.asks(view).texts(), ["apa kabar"], "{view}");
        assert!(henderson.asks(view).texts().is_empty(), "{view} again");
    }
}

#[test]
fn a_link_that_one_side_added_carries_both_directions() {
    let pair = Pair::linked();
    let (mut messi, mut henderson) = (pair.messi(), pair.henderson());
    assert_eq!(henderson.asks("send messi@barat baik").expect_ok().0["data"]["delivered"], true);
    assert_eq!(messi.asks("inbox").texts(), ["baik"]);
    assert!(is_up(&realm(&mut messi, "timur").unwrap()) && is_up(&realm(&mut henderson, "barat").unwrap()));
}

#[test]
fn the_history_has_both_directions() {
    let pair = Pair::linked();
    let (mut messi, mut henderson) = (pair.messi(), pair.henderson());
    messi.asks("send henderson@timur apa kabar").expect_ok();
    henderson.asks("send messi@barat baik").expect_ok();
    assert_eq!(messi.asks("history henderson@timur").texts(), ["apa kabar", "baik"]);
    assert_eq!(henderson.asks("history messi@barat").texts(), ["apa kabar", "baik"]);
}

#[test]
fn a_message_is_pushed_to_subscribers() {
    let pair = Pair::linked();
    let (mut subscribed, mut listening) = (pair.henderson(), pair.timur.connect_text());
    subscribed.asks("subscribe").expect_ok();
    listening.says("login lineker surabaya");
    assert_eq!(listening.hears_line(), "[OK] login berhasil");
    let mut messi = pair.messi();
    messi.asks("send henderson@timur apa kabar").expect_ok();
    messi.asks("send lineker@timur halo").expect_ok();
    let event = subscribed.hears();
    assert_eq!((&event.0["event"], &event.0["data"]["msg"]), (&"message".into(), &"apa kabar".into()));
    assert_eq!(listening.hears_line(), "[messi@barat] halo");
}

#[test]
fn a_text_client_can_send_to_another_realm() {
    let pair = Pair::linked();
    let mut messi = pair.barat.connect_text();
    messi.says("login messi surabaya");
    messi.hears_line();
    messi.says("send henderson@timur apa kabar");
    assert_eq!(messi.hears_line(), "[OK] pesan terkirim");
    assert_eq!(pair.henderson().asks("inbox").texts(), ["apa kabar"]);
}

#[test]
fn an_open_group_is_open_to_other_realms() {
    let pair = Pair::linked();
    let (mut messi, mut henderson) = (pair.messi(), pair.henderson());
    henderson.asks("addgroup informatika21").expect_ok();
    let sent = messi.asks("sendgrouprealm timur informatika21 halo").expect_ok();
    assert_eq!((sent.message(), &sent.0["data"]["delivered"]), ("Message sent to group in realm", &true.into()));
    messi.asks("sendgrouprealm timur group:informatika21 semua").expect_ok();
    messi.asks("sendgroup informatika21@timur apa kabar").expect_ok();
    let inbox = henderson.asks("inbox").expect_ok();
    assert_eq!(inbox.texts(), ["halo", "semua", "apa kabar"]);
    let message = &inbox.0["data"][0];
    assert_eq!((&message["from"], &message["group"]), (&"messi@barat".into(), &"informatika21".into()));
    assert_eq!(henderson.asks("getrealminbox barat").texts().len(), 3);
}

#[test]
fn a_closed_group_is_closed_to_other_realms() {
    let pair = Pair::linked();
    let (mut messi, mut henderson) = (pair.messi(), pair.henderson());
    henderson.asks("addgroup tutup kunci").expect_ok();
    assert_eq!(messi.asks("sendgrouprealm timur tutup halo").code(), "not_member");
    assert!(henderson.asks("inbox").texts().is_empty());
}

#[test]
fn an_unknown_recipient_is_refused_in_the_reply() {
    let pair = Pair::linked();
    let mut messi = pair.messi();
    assert_eq!(messi.asks("sendprivaterealm timur pele halo").code(), "user_not_found");
    assert_eq!(messi.asks("sendgrouprealm timur fans halo").code(), "group_not_found");
    assert_eq!(messi.asks("sendprivaterealm selatan henderson halo").code(), "realm_not_found");
    assert!(messi.asks("inbox").texts().is_empty(), "a refusal in the reply is not repeated in the inbox");
}

#[test]
fn two_servers_with_the_default_home_realm_can_be_linked() {
    let (here, there) = (TestServer::of_realm("local", |_| {}), TestServer::of_realm("local", |_| {}));
    let mut messi = messi_of(&here);
    messi.asks(&addrealm("timur", &there)).expect_ok();
    assert_eq!(messi.asks("send henderson@timur apa kabar").expect_ok().0["data"]["delivered"], true);
    let mut henderson = there.connect().logged_in("henderson", "surabaya");
    // The home realm of the other server is taken here, so the first letters of its key are appended.
    let from = henderson.asks("inbox").expect_ok().0["data"][0]["from"].as_str().unwrap().to_owned();
    let letters = from.strip_prefix("messi@local-").unwrap();
    let key = &realm(&mut henderson, &format!("local-{letters}")).unwrap()["key"];
    assert!(letters.len() == 4 && key.as_str().unwrap().starts_with(letters), "{from}: {key}");
    // The other server's name for this one works for reading only.
    assert_eq!(henderson.asks("getrealminbox timur").texts(), ["apa kabar"]);
    assert_eq!(henderson.asks("send messi@timur halo").code(), "realm_not_found");
    henderson.asks(&format!("send {from} baik")).expect_ok();
    assert_eq!(messi.asks("inbox").texts(), ["baik"]);
}

#[test]
fn adding_a_self_named_realm_renames_it() {
    let (here, there) = (TestServer::of_realm("local", |_| {}), TestServer::of_realm("local", |_| {}));
    messi_of(&here).asks(&addrealm("timur", &there)).expect_ok();
    let mut henderson = there.connect().logged_in("henderson", "surabaya");
    henderson.asks(&addrealm("barat", &here)).expect_ok();
    wait_for(&mut henderson, "barat", is_up);
    assert_eq!(henderson.asks("realms").0["data"].as_array().unwrap().len(), 2, "home and barat");
    assert_eq!(henderson.asks("send messi@barat baik").expect_ok().0["data"]["delivered"], true);
    let message = messi_of(&here).asks("inbox").expect_ok();
    assert_eq!(message.0["data"][0]["from"], "henderson@timur");
}

#[test]
fn a_blocked_remote_user_is_refused_and_hidden_in_groups() {
    let pair = Pair::linked();
    let (mut messi, mut henderson) = (pair.messi(), pair.henderson());
    henderson.asks("addgroup informatika21").expect_ok();
    henderson.asks("block messi@barat").expect_ok();
    assert_eq!(messi.asks("send henderson@timur halo").code(), "blocked");
    messi.asks("sendgroup informatika21@timur halo semua").expect_ok();
    assert!(henderson.asks("inbox").texts().is_empty());
    assert_eq!(messi.asks("send lineker@timur halo").expect_ok().0["data"]["delivered"], true);
    henderson.asks("unblock messi@barat").expect_ok();
    messi.asks("send henderson@timur halo lagi").expect_ok();
    assert!(henderson.asks("inbox").texts().contains(&"halo lagi".to_owned()));
}
