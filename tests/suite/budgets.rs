//! What one user may have and do: more is refused truthfully, and others do not notice.

use crate::support::TestServer;

#[test]
fn messages_over_a_days_budget_are_refused_until_some_of_it_is_back() {
    let server = TestServer::start_with(|config| config.limits.messages_per_day = Some(100));
    server.connect().registered("henderson");
    let mut messi = server.connect().registered("messi");
    (0..100).for_each(|_| drop(messi.asks("send henderson halo").expect_ok()));
    let refused = messi.asks("send henderson halo");
    assert_eq!(refused.code(), "slow_down");
    assert!((800..=864).contains(&refused.0["retry_after"].as_u64().unwrap()), "{refused:?}");
    // Another connection does not help, and another user is not concerned.
    assert_eq!(server.connect().logged_in("messi", "rahasia").asks("send henderson halo").code(), "slow_down");
    let mut henderson = server.connect().logged_in("henderson", "rahasia");
    henderson.asks("send messi halo").expect_ok();
    assert_eq!(henderson.asks("inbox").texts().len(), 100, "what was refused was not sent");
}

#[test]
fn other_changes_that_a_user_may_make_again_and_again_count_as_messages() {
    let server = TestServer::start_with(|config| config.limits.messages_per_day = Some(40));
    server.connect().registered("henderson").asks("addgroup fans").expect_ok();
    let mut messi = server.connect().registered("messi");
    for change in ["joingroup fans", "setname Leo", "block henderson"] {
        let mut changes = 0;
        while messi.asks(change).0["code"] != "slow_down" {
            messi.asks("leavegroup fans");
            messi.asks("unblock henderson");
            messi.asks("setname Lionel");
            changes += 1;
            assert!(changes <= 40, "{change} is not limited");
        }
    }
}

#[test]
fn many_short_connections_use_no_more_of_a_budget_than_their_messages() {
    let server = TestServer::start_with(|config| config.limits.messages_per_day = Some(60));
    let mut messi = server.connect().registered("messi");
    let token = messi.asks("auth messi rahasia").0["tokenid"].as_str().unwrap().to_owned();
    for _ in 0..50 {
        server.connect().asks(&format!("send {token} messi halo")).expect_ok();
    }
}

#[test]
fn bytes_over_a_days_budget_are_refused() {
    let server = TestServer::start_with(|config| config.limits.bytes_per_day = Some(100_000));
    let mut messi = server.connect().registered("messi");
    let line = format!("send messi {}", "x".repeat(4_000));
    let codes: Vec<_> = (0..30).map(|_| messi.asks(&line).0["code"].clone()).collect();
    assert_eq!(codes.iter().filter(|code| code.is_null()).count(), 24, "{codes:?}");
    assert_eq!(codes.last().unwrap(), "slow_down");
}

#[test]
fn groups_and_realms_are_limited_by_user_and_by_day() {
    let server = TestServer::start_with(|config| {
        config.limits.groups_per_user = Some(2);
        config.limits.realms_per_user = Some(1);
        config.limits.groups_per_day = Some(4);
        config.limits.realms_per_day = Some(3);
    });
    let (mut messi, mut paff) = (server.connect().registered("messi"), server.connect().registered("paff"));
    messi.asks("addgroup g1").expect_ok();
    messi.asks("creategroup g2 rahasia").expect_ok();
    let refused = messi.asks("addgroup g3");
    assert_eq!(
        (refused.code(), &refused.0["detail"]),
        ("limit_reached", &"a user may own 2 groups: delete one, or leave it to others".into())
    );
    paff.asks("addgroup g3").expect_ok();
    messi.asks("delgroup g1").expect_ok();
    for group in ["g4", "g5"] {
        messi.asks(&format!("addgroup {group}")).expect_ok();
        messi.asks(&format!("delgroup {group}")).expect_ok();
    }
    assert_eq!(messi.asks("addgroup g6").code(), "slow_down");
    messi.asks("addrealm r1").expect_ok();
    assert_eq!(messi.asks("addrealm r2").code(), "limit_reached");
    paff.asks("addrealm r2").expect_ok();
    messi.asks("delrealm r1").expect_ok();
    messi.asks("addrealm r3").expect_ok();
    messi.asks("delrealm r3").expect_ok();
    messi.asks("addrealm r4").expect_ok();
    messi.asks("delrealm r4").expect_ok();
    assert_eq!(messi.asks("addrealm r5").code(), "slow_down");
}

#[test]
fn what_was_refused_is_not_counted_as_made() {
    let server = TestServer::start_with(|config| config.limits.groups_per_day = Some(2));
    let mut messi = server.connect().registered("messi");
    messi.asks("addgroup fans").expect_ok();
    for _ in 0..10 {
        assert_eq!(messi.asks("addgroup fans").code(), "group_exists");
    }
    messi.asks("addgroup lain").expect_ok();
}

#[test]
fn requests_without_a_login_are_bounded() {
    let server = TestServer::start();
    let mut stranger = server.connect();
    stranger.sends("ping\n".repeat(3_000));
    let codes: Vec<_> = (0..3_000).map(|_| stranger.hears().0["code"].clone()).collect();
    assert!(codes.iter().filter(|code| code.is_null()).count() >= 1_000);
    assert!(codes.iter().any(|code| *code == "slow_down"), "{codes:?}");
    let mut messi = server.connect().registered("messi");
    messi.sends("ping\n".repeat(3_000));
    (0..3_000).for_each(|_| drop(messi.hears().expect_ok()));
}

#[test]
fn a_realm_that_a_user_added_does_not_keep_a_server_from_starting() {
    let mut server = TestServer::with_documented_users();
    let mut messi = server.connect().logged_in("messi", "surabaya");
    messi.asks("addrealm timur").expect_ok();
    messi.asks("addrealm barat").expect_ok();
    server.stop();
    server.start_again_with(|config| {
        let peers = "[[peers]]\nname = \"timur\"\naddress = \"127.0.0.1:9\"\n[[peers]]\nname = \"barat\"\naddress = \"127.0.0.1:10\"";
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), peers).unwrap();
        config.peers = kabar::config::Config::load(Some(file.path()), [], &[]).unwrap().peers;
    });
    server.connect().logged_in("messi", "surabaya");
}

#[test]
fn with_a_disk_that_is_nearly_full_only_deletions_log_ins_and_reading_are_possible() {
    let mut server = TestServer::start();
    let (mut messi, mut paff) = (server.connect().registered("messi"), server.connect().registered("paff"));
    messi.asks("addgroup fans").expect_ok();
    paff.asks("send messi halo").expect_ok();
    server.stop();
    server.start_again_with(|config| config.server.disk_reserve = u64::MAX);
    let mut messi = server.connect().logged_in("messi", "rahasia");
    for line in ["send paff halo", "broadcast halo", "addgroup lain", "addrealm lain", "setname Leo"] {
        assert_eq!(messi.asks(line).code(), "storage_failed", "{line}");
    }
    assert_eq!(server.connect().asks("register neko rahasia").code(), "storage_failed");
    assert_eq!(messi.asks("inbox").texts(), ["halo"]);
    messi.asks("delgroup fans").expect_ok();
    messi.asks("passwd rahasia lain").expect_ok();
    messi.asks("logout").expect_ok();
    server.stop();
    server.start_again_with(|config| config.server.disk_reserve = 0);
    server.connect().logged_in("messi", "lain").asks("send paff halo").expect_ok();
}

#[test]
fn clients_that_read_nothing_do_not_take_more_memory_than_there_is_for_them() {
    let server = TestServer::start_with(|config| config.connections.outbox_bytes = 1024 * 1024);
    let mut watcher = server.connect().registered("watcher");
    let mut never_read: Vec<_> = (0..12).map(|number| server.connect().registered(&format!("user{number}"))).collect();
    let mut messi = server.connect().registered("messi");
    watcher.asks("subscribe presence").expect_ok();
    let text = "x".repeat(4_000);
    (0..200).for_each(|_| drop(messi.asks(&format!("broadcast {text}")).expect_ok()));
    never_read.iter_mut().for_each(|client| client.sends("peek\n".repeat(10)));
    // What is pushed to the watcher before are the broadcasts.
    while watcher.hears().0["data"]["online"] != false {}
    messi.hears_nothing();
}

fn unread_limits(messages: u64, bytes: u64) -> TestServer {
    TestServer::start_with(|config| {
        config.limits.unread_messages_per_sender = Some(messages);
        config.limits.unread_bytes_per_sender = Some(bytes);
    })
}

#[test]
fn a_sender_who_has_left_too_much_unread_waits_until_some_of_it_is_read() {
    let server = unread_limits(3, 1 << 20);
    let mut henderson = server.connect().registered("henderson");
    let mut messi = server.connect().registered("messi");
    let ids: Vec<u64> = (0..3).map(|_| messi.asks("send henderson halo").0["data"]["id"].as_u64().unwrap()).collect();
    let refused = messi.asks("send henderson halo");
    assert_eq!(refused.code(), "inbox_full");
    assert!(refused.0["detail"].as_str().unwrap().contains("unread"), "{refused:?}");
    // Others are not concerned, nor are other inboxes.
    server.connect().registered("lineker").asks("send henderson halo").expect_ok();
    messi.asks("send lineker halo").expect_ok();
    henderson.asks(&format!("ack {}", ids[0])).expect_ok();
    messi.asks("send henderson halo").expect_ok();
    assert_eq!(messi.asks("send henderson halo").code(), "inbox_full", "one was read, and one came");
    henderson.asks("inbox").expect_ok();
    (0..3).for_each(|_| drop(messi.asks("send henderson halo").expect_ok()));
}

#[test]
fn bytes_left_unread_are_bounded_too_and_a_long_message_to_an_empty_inbox_is_not_refused() {
    let server = unread_limits(1_000, 500);
    server.connect().registered("henderson");
    let mut messi = server.connect().registered("messi");
    messi.asks(&format!("send henderson {}", "x".repeat(600))).expect_ok();
    assert_eq!(messi.asks("send henderson halo").code(), "inbox_full");
}

#[test]
fn what_one_leaves_in_ones_own_inbox_is_not_bounded() {
    let server = unread_limits(2, 1 << 20);
    let mut messi = server.connect().registered("messi");
    (0..5).for_each(|_| drop(messi.asks("send messi catatan").expect_ok()));
}

#[test]
fn an_inbox_that_blocks_a_sender_holds_nothing_of_it() {
    let server = unread_limits(2, 1 << 20);
    let mut henderson = server.connect().registered("henderson");
    let mut messi = server.connect().registered("messi");
    (0..2).for_each(|_| drop(messi.asks("send henderson halo").expect_ok()));
    henderson.asks("block messi").expect_ok();
    assert_eq!(messi.asks("send henderson halo").code(), "blocked");
    henderson.asks("unblock messi").expect_ok();
    messi.asks("send henderson halo").expect_ok();
}
