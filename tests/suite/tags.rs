//! A tagged request is done once, however often it is sent (PROTOCOL §7).

use serde_json::json;

use crate::support::{Client, TestServer};

fn two_users(server: &TestServer) -> (Client, Client) {
    (server.connect().registered("messi"), server.connect().registered("neko"))
}

#[test]
fn a_repeated_send_is_done_once_and_answered_the_same() {
    let server = TestServer::start();
    let (mut messi, mut neko) = two_users(&server);
    let first = messi.asks("#k1 send neko halo").expect_ok();
    assert_eq!(first.0["tag"], "k1");
    assert_eq!(messi.asks("#k1 send neko halo"), first);
    assert_eq!(neko.asks("inbox").texts(), ["halo"]);
}

#[test]
fn a_tag_is_remembered_across_connections_and_restarts() {
    let mut server = TestServer::start();
    let (mut messi, mut neko) = two_users(&server);
    let token = messi.asks("auth messi rahasia").token();
    let neko_token = neko.asks("auth neko rahasia").token();
    let first = messi.asks("#k1 send neko halo").expect_ok();
    server.restart_with(&[]);
    let mut again = server.connect();
    assert_eq!(again.asks(&format!("#k1 send {token} neko halo")), first);
    assert_eq!(server.connect().asks(&format!("inbox {neko_token}")).texts(), ["halo"]);
}

#[test]
fn a_tagged_addgroup_is_done_once() {
    let server = TestServer::start();
    let (mut messi, _) = two_users(&server);
    for _ in 0..2 {
        assert_eq!(messi.asks("#k1 addgroup fans").expect_ok().message(), "Add group successful");
    }
    assert_eq!(messi.asks("#k2 addgroup fans").code(), "group_exists");
}

#[test]
fn the_same_tag_on_another_request_is_an_error() {
    let server = TestServer::start();
    let (mut messi, mut neko) = two_users(&server);
    messi.asks("#k1 send neko halo").expect_ok();
    assert_eq!(messi.asks("#k1 send neko halo halo").code(), "tag_reused");
    assert_eq!(messi.asks("#k1 inbox").code(), "tag_reused");
    neko.asks("#k1 send messi it is free for others").expect_ok();
}

#[test]
fn a_refused_request_may_be_sent_again_under_its_tag() {
    let server = TestServer::start();
    let (mut messi, mut neko) = two_users(&server);
    assert_eq!(messi.asks("#k1 sendgroup fans halo").code(), "group_not_found");
    neko.asks("addgroup fans").expect_ok();
    messi.asks("joingroup fans").expect_ok();
    messi.asks("#k1 sendgroup fans halo").expect_ok();
}

#[test]
fn a_repeated_inbox_returns_the_same_messages_again() {
    let server = TestServer::start_with(|config| config.messages.inbox_page = 2);
    let (mut messi, mut neko) = two_users(&server);
    for text in ["satu", "dua", "tiga"] {
        messi.asks(&format!("send neko {text}")).expect_ok();
    }
    let first = neko.asks("#k1 inbox").expect_ok();
    assert_eq!((first.texts(), &first.0["more"]), (vec!["satu".into(), "dua".into()], &json!(true)));
    assert_eq!(neko.asks("#k1 inbox"), first);
    assert_eq!(neko.asks("inbox").texts(), ["tiga"]);
    assert_eq!(neko.asks("#k1 inbox"), first, "even later");
}

#[test]
fn a_login_only_echoes_its_tag() {
    let server = TestServer::start();
    let (mut messi, _) = two_users(&server);
    let first = messi.asks("#k1 auth messi rahasia").expect_ok();
    let second = messi.asks("#k1 auth messi rahasia").expect_ok();
    assert_eq!((&first.0["tag"], &second.0["tag"]), (&json!("k1"), &json!("k1")));
    assert_ne!(first.token(), second.token());
}

#[test]
fn the_last_256_tags_of_each_user_are_remembered() {
    let server = TestServer::start();
    let (mut messi, mut neko) = two_users(&server);
    let first = messi.asks("#k0 send neko 0").expect_ok();
    let others: String = (0..300).map(|number| format!("#k{number} send messi {number}\n")).collect();
    neko.sends(others);
    (0..300).for_each(|_| drop(neko.hears().expect_ok()));
    assert_eq!(messi.asks("#k0 send neko 0"), first);
    for number in 1..=256 {
        messi.asks(&format!("#k{number} send neko {number}")).expect_ok();
    }
    assert_ne!(messi.asks("#k0 send neko 0").expect_ok(), first, "forgotten, so done again");
}
