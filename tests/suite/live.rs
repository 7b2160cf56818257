//! Subscriptions: no gap and no repeat between stored and live messages (PROTOCOL §7).

use std::time::Instant;
use std::{iter, thread};

use serde_json::json;

use crate::support::TestServer;

#[test]
fn a_subscriber_gets_messages_until_it_unsubscribes() {
    let server = TestServer::start();
    let mut messi = server.connect().registered("messi");
    let mut neko = server.connect().registered("neko");
    neko.asks("subscribe").expect_ok();
    messi.asks("send neko halo").expect_ok();
    let event = neko.hears();
    assert_eq!((&event.0["event"], &event.0["data"]["msg"]), (&"message".into(), &"halo".into()));
    neko.asks("unsubscribe").expect_ok();
    messi.asks("send neko halo?").expect_ok();
    neko.hears_nothing();
    assert_eq!(neko.asks("inbox").texts(), ["halo", "halo?"], "a subscription leaves the inbox alone");
}

#[test]
fn a_subscription_begins_at_the_id_that_its_reply_tells() {
    let server = TestServer::start();
    let mut messi = server.connect().registered("messi");
    let mut neko = server.connect().registered("neko");
    let sent = messi.asks("send neko halo").expect_ok().0["data"]["id"].as_u64().unwrap();
    let after = neko.asks("subscribe").expect_ok().0["data"]["after"].as_u64().unwrap();
    assert!(after >= sent, "{after}");
    messi.asks("send neko lagi").expect_ok();
    let pushed = neko.hears().0["data"]["id"].as_u64().unwrap();
    assert_eq!(pushed, after + 1);
    let mut tablet = server.connect().logged_in("neko", "rahasia");
    tablet.asks(&format!("subscribe {after}")).expect_ok();
    assert_eq!(tablet.hears().0["data"]["id"].as_u64(), Some(pushed));
}

#[test]
fn what_a_connection_sent_before_it_subscribed_is_not_pushed_to_it() {
    let server = TestServer::start();
    server.connect().registered("neko");
    let mut messi = server.connect().registered("messi");
    messi.sends("send neko satu\nsend neko dua\nsubscribe\n");
    (0..2).for_each(|_| drop(messi.hears().expect_ok()));
    let dua = messi.asks("ping");
    assert_eq!(dua.message(), "Subscribed");
    assert_eq!(messi.hears().message(), "pong");
    messi.hears_nothing();
}

#[test]
fn all_devices_show_the_same_conversation() {
    let server = TestServer::start();
    let mut messi = server.connect();
    let token = messi.asks("register messi rahasia").token();
    let mut phone = server.connect();
    phone.asks(&format!("subscribe {token}")).expect_ok();
    messi.asks("subscribe").expect_ok();
    server.connect().registered("neko");
    messi.asks("send neko halo").expect_ok();
    messi.hears_nothing();
    assert_eq!(phone.hears().0["data"]["from"], "messi");
}

#[test]
fn another_users_token_cannot_subscribe() {
    let server = TestServer::start();
    let token = server.connect().asks("register messi rahasia").token();
    let mut neko = server.connect().registered("neko");
    assert_eq!(neko.asks(&format!("subscribe {token}")).code(), "forbidden");
}

#[test]
fn logging_in_anew_ends_a_subscription() {
    let server = TestServer::start();
    let mut messi = server.connect().registered("messi");
    let mut neko = server.connect().registered("neko");
    neko.asks("subscribe").expect_ok();
    neko.asks("auth neko rahasia").expect_ok();
    messi.asks("send neko halo").expect_ok();
    neko.hears_nothing();
}

#[test]
fn peek_shows_the_inbox_until_it_is_acknowledged() {
    let server = TestServer::start();
    let mut messi = server.connect().registered("messi");
    let mut neko = server.connect().registered("neko");
    let first = messi.asks("send neko satu").expect_ok().0["data"]["id"].clone();
    messi.asks("send neko dua").expect_ok();
    assert_eq!(neko.asks("peek").texts(), ["satu", "dua"]);
    assert_eq!(neko.asks("peek").texts(), ["satu", "dua"]);
    neko.asks(&format!("ack {first}")).expect_ok();
    assert_eq!(neko.asks("peek").texts(), ["dua"]);
    neko.asks("ack 0").expect_ok();
    assert_eq!(neko.asks("peek").texts(), ["dua"], "never back");
    assert_eq!(neko.asks("ack 999999999").code(), "bad_parameter");
    assert_eq!(neko.asks("peek").texts(), ["dua"], "never past the newest");
}

#[test]
fn a_subscription_from_the_beginning_under_load_has_no_gap_and_no_repeat() {
    const BEFORE: usize = 3_000;
    const DURING: usize = 3_000;
    let server = TestServer::start();
    let mut neko = server.connect().registered("neko");
    let mut messi = server.connect().registered("messi");
    let lines: String = (0..BEFORE).map(|number| format!("send neko {number}\n")).collect();
    messi.sends(lines);
    (0..BEFORE).for_each(|_| drop(messi.hears().expect_ok()));
    let sending = thread::spawn(move || {
        for number in BEFORE..BEFORE + DURING {
            messi.says(&format!("send neko {number}"));
        }
        (0..DURING).for_each(|_| drop(messi.hears().expect_ok()));
    });
    neko.asks("subscribe 0").expect_ok();
    for number in 0..BEFORE + DURING {
        assert_eq!(neko.hears().0["data"]["msg"], number.to_string());
    }
    sending.join().unwrap();
    neko.hears_nothing();
}

#[test]
fn a_slow_reader_gets_a_lagged_event_and_catches_up() {
    const MESSAGES: usize = 4_000;
    let server = TestServer::start();
    let mut slow = server.connect().registered("slow");
    slow.asks("subscribe").expect_ok();
    let mut messi = server.connect().registered("messi");
    let text = "x".repeat(4_000);
    for batch in 0..MESSAGES / 100 {
        let lines: String = (0..100).map(|number| format!("send slow {} {text}\n", batch * 100 + number)).collect();
        messi.sends(lines);
        (0..100).for_each(|_| drop(messi.hears().expect_ok()));
    }
    let mut heard = 0;
    let mut last = 0;
    loop {
        let event = slow.hears();
        if event.0["event"] == "lagged" {
            assert_eq!(event.0["after"], last);
            break;
        }
        last = event.0["data"]["id"].as_u64().unwrap();
        heard += 1;
    }
    assert!(heard < MESSAGES, "16 MB cannot be in the buffers of a reader that reads nothing");
    slow.asks(&format!("subscribe {last}")).expect_ok();
    (heard..MESSAGES).for_each(|_| assert_eq!(slow.hears().0["event"], "message"));
    slow.hears_nothing();
}

#[test]
fn presence_group_and_inbox_events_go_to_subscribers_that_asked_for_them() {
    let server = TestServer::start();
    let mut messi = server.connect();
    let token = messi.asks("register messi rahasia").token();
    let mut tablet = server.connect();
    tablet.asks(&format!("subscribe {token} presence group inbox")).expect_ok();
    let mut neko = server.connect().registered("neko");
    assert_eq!(tablet.hears().0, json!({"event":"presence","data":{"user":"neko","online":true}}));
    messi.asks("addgroup fans").expect_ok();
    let event = |change, user| json!({"event":"group","data":{"group":"fans","change":change,"user":user}});
    assert_eq!(tablet.hears().0, event("joined", json!("messi")));
    neko.asks("joingroup fans").expect_ok();
    assert_eq!(tablet.hears().0, event("joined", json!("neko")));
    messi.asks("kick fans neko").expect_ok();
    assert_eq!(tablet.hears().0, event("kicked", json!("neko")));
    messi.asks("delgroup fans").expect_ok();
    assert_eq!(tablet.hears().0, event("deleted", json!(null)));
    let id = neko.asks("send messi halo").expect_ok().0["data"]["id"].clone();
    assert_eq!(tablet.hears().0["data"]["id"], id);
    messi.asks("inbox").expect_ok();
    assert_eq!(tablet.hears().0, json!({"event":"inbox","data":{"cursor":id}}));
    drop(neko);
    assert_eq!(tablet.hears().0, json!({"event":"presence","data":{"user":"neko","online":false}}));
    messi.hears_nothing();
}

#[test]
fn a_subscription_without_topics_is_for_messages_only() {
    let server = TestServer::start();
    let mut messi = server.connect().registered("messi");
    messi.asks("subscribe").expect_ok();
    let mut neko = server.connect().registered("neko");
    neko.asks("addgroup fans").expect_ok();
    messi.hears_nothing();
    assert_eq!(messi.asks("subscribe everything").code(), "bad_parameter");
}

#[test]
fn who_comes_and_goes_in_a_loop_costs_watchers_little_and_is_seen_in_the_end() {
    let server = TestServer::start();
    let mut watcher = server.connect().registered("watcher");
    let token = server.connect().asks("register neko rahasia").token();
    watcher.asks("subscribe presence").expect_ok();
    let comes = || {
        let mut neko = server.connect();
        neko.asks(&format!("whoami {token}")).expect_ok();
        neko
    };
    let begun = Instant::now();
    (0..300).for_each(|_| drop(comes()));
    watcher.says("ping");
    let told = iter::repeat_with(|| watcher.hears()).take_while(|frame| frame.0["event"] == "presence").count();
    let most = 2 * (2 + begun.elapsed().as_secs() as usize);
    assert!(told <= most, "{told} events");
    let mut paff = server.connect();
    let token = paff.asks("register paff rahasia").token();
    let mut hears_of_paff = || {
        let events = iter::repeat_with(|| watcher.hears().0["data"].clone());
        events.filter(|event| event["user"] == "paff").map(|event| event["online"] == true).next()
    };
    assert_eq!(hears_of_paff(), Some(true));
    drop(paff);
    assert_eq!(hears_of_paff(), Some(false));
    paff = server.connect();
    paff.asks(&format!("whoami {token}")).expect_ok();
    assert_eq!(hears_of_paff(), Some(true), "at the end of the period");
}
