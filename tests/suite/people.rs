//! What subscribers see of groups, blocks, sessions and passwords (PROTOCOL §7).

use crate::support::{Client, TestServer};

/// Two users in the group `fans`, which the first one owns; the second one is subscribed.
fn fans(server: &TestServer) -> (Client, Client) {
    let mut messi = server.connect().registered("messi");
    let mut neko = server.connect().registered("neko");
    messi.asks("addgroup fans").expect_ok();
    neko.asks("joingroup fans").expect_ok();
    neko.asks("subscribe").expect_ok();
    (messi, neko)
}

fn text_of(event: &mut Client) -> String {
    event.hears().0["data"]["msg"].as_str().unwrap().to_owned()
}

#[test]
fn a_subscriber_gets_no_messages_of_blocked_users_live_or_replayed() {
    let server = TestServer::start();
    let (mut messi, mut neko) = fans(&server);
    let mut ivy = server.connect().registered("ivy");
    neko.asks("block messi").expect_ok();
    for request in ["sendgroup fans noise", "broadcast noise"] {
        messi.asks(request).expect_ok();
    }
    ivy.asks("broadcast news").expect_ok();
    assert_eq!(text_of(&mut neko), "news");
    neko.hears_nothing();
    neko.asks("subscribe 0").expect_ok();
    assert_eq!(text_of(&mut neko), "news");
    neko.asks("unblock messi").expect_ok();
    messi.asks("broadcast music").expect_ok();
    assert_eq!(text_of(&mut neko), "music");
}

#[test]
fn a_kicked_member_gets_no_further_messages_of_the_group() {
    let server = TestServer::start();
    let (mut messi, mut neko) = fans(&server);
    messi.asks("sendgroup fans before").expect_ok();
    assert_eq!(text_of(&mut neko), "before");
    messi.asks("kick fans neko").expect_ok();
    messi.asks("sendgroup fans after").expect_ok();
    neko.hears_nothing();
    assert_eq!(neko.asks("history group:fans").texts(), ["before"]);
}

#[test]
fn a_revoked_session_gets_no_messages_and_does_not_count_as_online() {
    let server = TestServer::start();
    let (mut messi, mut neko) = fans(&server);
    let mut phone = server.connect().logged_in("neko", "rahasia");
    let sessions = phone.asks("sessions").expect_ok();
    phone.asks(&format!("revoke {}", sessions.0["data"][0]["id"])).expect_ok();
    phone.asks("logout").expect_ok();
    messi.asks("sendgroup fans halo").expect_ok();
    assert_eq!(neko.hears().0["reason"], "revoked");
    neko.hears_nothing();
    assert_eq!(messi.asks("list").message(), "List user: messi");
}

#[test]
fn changing_the_password_ends_the_other_sessions() {
    let server = TestServer::start();
    let (mut messi, mut neko) = fans(&server);
    let mut phone = server.connect().logged_in("neko", "rahasia");
    phone.asks("passwd rahasia rahasia2").expect_ok();
    messi.asks("sendgroup fans halo").expect_ok();
    assert_eq!(neko.hears().0["reason"], "password_changed");
    neko.hears_nothing();
    assert_eq!(neko.asks("whoami").code(), "no_session");
    assert_eq!(phone.asks("inbox").texts(), ["halo"]);
}

#[test]
fn guessing_the_old_password_is_throttled() {
    let server = TestServer::start();
    let mut messi = server.connect().registered("messi");
    let codes: Vec<String> = (0..12).map(|_| messi.asks("passwd wrong new").code().to_owned()).collect();
    assert_eq!(codes.last().unwrap(), "throttled", "{codes:?}");
    assert_eq!(messi.asks("unregister rahasia").code(), "throttled");
}

#[test]
fn a_tagged_change_of_a_group_or_an_account_is_done_once() {
    let server = TestServer::start();
    let (mut messi, mut neko) = fans(&server);
    for request in ["#k1 kick fans neko", "#k2 grouppasswd fans rahasia", "#k3 leavegroup fans", "#k4 passwd rahasia x"]
    {
        let first = messi.asks(request).expect_ok();
        assert_eq!(messi.asks(request), first, "{request}");
    }
    assert_eq!(neko.asks("joingroup fans").code(), "group_not_found", "a group ends with its last member");
}
