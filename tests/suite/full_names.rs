//! `setname` as other users see it (PROTOCOL §7).

use serde_json::{Value, json};

use crate::support::{Client, TestServer};

/// Subscribes to the events of groups.
fn subscribed(mut client: Client) -> Client {
    client.asks("subscribe group").expect_ok();
    client
}

/// The event that a member of a group gets.
fn renamed(group: &str, full_name: &str) -> Value {
    json!({"event":"group","data":{"group":group,"change":"renamed","user":"messi","full_name":full_name}})
}

#[test]
fn a_new_name_is_an_event_for_each_group_in_common() {
    let server = TestServer::start();
    let mut messi = server.connect().registered("messi");
    let mut neko = server.connect().registered("neko");
    for group in ["fans", "club"] {
        messi.asks(&format!("addgroup {group}")).expect_ok();
        neko.asks(&format!("joingroup {group}")).expect_ok();
    }
    messi.asks("addgroup solo").expect_ok();
    let mut neko = subscribed(neko);
    messi.asks("setname Leo_Messi").expect_ok();
    let mut events = [neko.hears().0, neko.hears().0];
    events.sort_by_key(|event| event["data"]["group"].to_string());
    assert_eq!(events, [renamed("club", "Leo Messi"), renamed("fans", "Leo Messi")]);
    neko.hears_nothing();
}

#[test]
fn a_new_name_is_no_event_for_others() {
    let server = TestServer::start();
    let mut messi = server.connect().registered("messi");
    messi.asks("addgroup fans").expect_ok();
    let mut without_a_common_group = subscribed(server.connect().registered("ivy"));
    let mut without_the_topic = server.connect().registered("neko");
    without_the_topic.asks("joingroup fans").expect_ok();
    without_the_topic.asks("subscribe presence inbox").expect_ok();
    messi.asks("setname Leo_Messi").expect_ok();
    without_a_common_group.hears_nothing();
    without_the_topic.hears_nothing();
}

#[test]
fn the_connection_that_changes_the_name_gets_only_the_reply() {
    let server = TestServer::start();
    let mut messi = server.connect();
    let token = messi.asks("register messi rahasia").token();
    messi.asks("addgroup fans").expect_ok();
    let mut messi = subscribed(messi);
    let mut tablet = server.connect();
    tablet.asks(&format!("subscribe {token} group")).expect_ok();
    assert_eq!(messi.asks("setname Leo_Messi").expect_ok().message(), "Nama berhasil diubah");
    messi.hears_nothing();
    assert_eq!(tablet.hears().0, renamed("fans", "Leo Messi"));
}

#[test]
fn a_repeated_setname_is_done_once() {
    let server = TestServer::start();
    let mut messi = server.connect().registered("messi");
    messi.asks("addgroup fans").expect_ok();
    let mut neko = server.connect().registered("neko");
    neko.asks("joingroup fans").expect_ok();
    let mut neko = subscribed(neko);
    let first = messi.asks("#k1 setname Leo_Messi").expect_ok();
    messi.asks("setname La_Pulga").expect_ok();
    assert_eq!(messi.asks("#k1 setname Leo_Messi"), first);
    assert_eq!(messi.asks("whoami").expect_ok().0["data"]["full_name"], "La Pulga");
    assert_eq!([neko.hears().0, neko.hears().0], [renamed("fans", "Leo Messi"), renamed("fans", "La Pulga")]);
    neko.hears_nothing();
    assert_eq!(messi.asks("#k1 setname Lionel").code(), "tag_reused");
}

#[test]
fn messages_after_the_change_carry_the_new_name() {
    let server = TestServer::start();
    let mut messi = server.connect().registered("messi");
    let mut neko = server.connect().registered("neko");
    neko.asks("subscribe").expect_ok();
    messi.asks("setname Leo_Messi").expect_ok();
    messi.asks("send neko halo").expect_ok();
    assert_eq!(neko.hears().0["data"]["msg_from"], "Leo Messi");
    neko.asks("send messi halo juga").expect_ok();
    assert_eq!(messi.asks("inbox").expect_ok().0["data"][0]["msg_to"], "Leo Messi");
}
