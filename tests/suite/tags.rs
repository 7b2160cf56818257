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
    for numbers in [0..150, 150..300] {
        let others: String = numbers.clone().map(|number| format!("#k{number} send messi {number}\n")).collect();
        neko.sends(others);
        numbers.for_each(|_| drop(neko.hears().expect_ok()));
    }
    assert_eq!(messi.asks("#k0 send neko 0"), first);
    for number in 1..=256 {
        messi.asks(&format!("#k{number} send neko {number}")).expect_ok();
    }
    assert_ne!(messi.asks("#k0 send neko 0").expect_ok(), first, "forgotten, so done again");
}

#[test]
fn a_repeated_request_with_other_secrets_is_another_request() {
    let mut server = TestServer::start();
    let (mut messi, _) = two_users(&server);
    messi.asks("#p passwd rahasia lain").expect_ok();
    assert_eq!(messi.asks("#p passwd lain lagi").code(), "tag_reused");
    let same = messi.asks("#p passwd rahasia lain").expect_ok();
    assert_eq!(same.message(), "Password berhasil diubah");
    server.restart_with(&[]);
    let mut messi = server.connect().logged_in("messi", "lain");
    assert_eq!(messi.asks("#p passwd rahasia lain"), same, "after a restart, too");
    assert_eq!(messi.asks("#p passwd rahasia lagi").code(), "tag_reused");
}

#[test]
fn a_repeated_join_is_answered_the_same_though_the_password_changed_and_the_member_left() {
    let server = TestServer::start();
    let (mut messi, mut neko) = two_users(&server);
    messi.asks("creategroup fans satu").expect_ok();
    let joined = neko.asks("#j joingroup fans satu").expect_ok();
    messi.asks("grouppasswd fans dua").expect_ok();
    messi.asks("kick fans neko").expect_ok();
    assert_eq!(neko.asks("#j joingroup fans satu"), joined);
    assert_eq!(neko.asks("sendgroup fans halo").code(), "not_member", "it was not done again");
    assert_eq!(neko.asks("#j joingroup fans dua").code(), "tag_reused");
}

#[test]
fn a_repeated_inbox_is_the_same_whatever_the_page_size_and_whoever_is_blocked_meanwhile() {
    let mut server = TestServer::start();
    let (mut messi, mut neko) = two_users(&server);
    let mut paff = server.connect().registered("paff");
    neko.asks("block paff").expect_ok();
    for number in 0..4 {
        messi.asks(&format!("broadcast messi {number}")).expect_ok();
        paff.asks(&format!("broadcast paff {number}")).expect_ok();
    }
    let first = neko.asks("#i inbox").expect_ok();
    assert_eq!(first.texts(), ["messi 0", "messi 1", "messi 2", "messi 3"]);
    neko.asks("unblock paff").expect_ok();
    neko.asks("block messi").expect_ok();
    assert_eq!(neko.asks("#i inbox"), first);
    server.restart_with(&["KABAR_MESSAGES__INBOX_PAGE=1"]);
    assert_eq!(server.connect().logged_in("neko", "rahasia").asks("#i inbox"), first);
}

#[test]
fn a_request_that_changed_nothing_changes_nothing_when_it_is_repeated() {
    let server = TestServer::start();
    let (mut messi, _) = two_users(&server);
    messi.asks("block neko").expect_ok();
    let first = messi.asks("#b block neko").expect_ok();
    messi.asks("unblock neko").expect_ok();
    assert_eq!(messi.asks("#b block neko"), first);
    assert!(messi.asks("blocks").expect_ok().0["data"].as_array().unwrap().is_empty());
}

#[test]
fn a_repeated_acknowledgement_tells_the_cursor_of_then() {
    let server = TestServer::start();
    let (mut messi, mut neko) = two_users(&server);
    let ids: Vec<u64> = (0..2).map(|_| messi.asks("send neko halo").0["data"]["id"].as_u64().unwrap()).collect();
    let first = neko.asks(&format!("#a ack {}", ids[0])).expect_ok();
    neko.asks(&format!("ack {}", ids[1])).expect_ok();
    assert_eq!(neko.asks(&format!("#a ack {}", ids[0])), first);
}

#[test]
fn more_tagged_requests_in_flight_than_are_remembered_are_refused() {
    let server = TestServer::start();
    let (mut messi, mut neko) = two_users(&server);
    let line = |number: usize| format!("#k{number} send neko {number}\n");
    messi.sends((0..1_000).map(line).collect::<String>());
    let codes: Vec<_> = (0..1_000).map(|_| messi.hears().0["code"].clone()).collect();
    let done: Vec<usize> = (0..1_000).filter(|number| codes[*number].is_null()).collect();
    assert!(done.len() >= 256 && codes.iter().any(|code| *code == "slow_down"), "{} done", done.len());
    assert_eq!(neko.reads_all("inbox").len(), done.len());
}
