//! Sessions, bindings, and who counts as online (PROTOCOL §2).

use serde_json::json;

use crate::support::{Client, TestServer};

fn active(client: &mut Client) -> serde_json::Value {
    client.asks("list").expect_ok().0["data"].clone()
}

#[test]
fn a_connection_whose_session_ended_is_bound_again_by_a_token() {
    let server = TestServer::start();
    let mut laptop = server.connect();
    let token = laptop.asks("register messi rahasia").token();
    let mut phone = server.connect();
    phone.asks(&format!("whoami {token}")).expect_ok();
    laptop.asks("logout").expect_ok();
    let token = laptop.asks("auth messi rahasia").token();
    phone.asks(&format!("whoami {token}")).expect_ok();
    assert_eq!(phone.asks("whoami").expect_ok().message(), "messi");
}

#[test]
fn the_least_recently_used_session_ends_with_its_connections_when_there_are_too_many() {
    let server = TestServer::with_documented_users();
    let mut paff = server.connect_text();
    paff.says("login paff cytus");
    assert_eq!(paff.hears_line(), "[OK] login berhasil");
    let mut messi = server.connect().logged_in("messi", "surabaya");
    let mut other = server.connect();
    for _ in 0..32 {
        other.asks("auth paff cytus").expect_ok();
    }
    drop(other);
    while active(&mut messi) != json!(["messi"]) {}
    messi.asks("send paff halo").expect_ok();
    paff.hears_no_line();
}

#[test]
fn logging_in_again_keeps_the_place_in_the_list() {
    let server = TestServer::start();
    let mut messi = server.connect().registered("messi");
    let _robo = server.connect().registered("robo");
    messi.asks("auth messi rahasia").expect_ok();
    assert_eq!(active(&mut messi), json!(["messi", "robo"]));
}

#[test]
fn the_reply_to_chat_names_the_recipient_as_registered() {
    let server = TestServer::start();
    let mut messi = server.connect().registered("Messi");
    assert_eq!(messi.asks("chat mESSI gol").expect_ok().message(), "send to Messi");
}

#[test]
fn an_unknown_token_before_a_broadcast_is_text_if_the_connection_has_a_session() {
    const UNKNOWN: &str = "123e4567-e89b-42d3-a456-426614174000";
    let server = TestServer::start();
    let mut messi = server.connect().registered("messi");
    let neko_token = server.connect().asks("register neko rahasia").token();
    let mut neko = server.connect();
    messi.asks(&format!("broadcast {UNKNOWN} halo")).expect_ok();
    messi.asks(&format!("#k1 broadcast {UNKNOWN} apa kabar")).expect_ok();
    messi.asks(&format!("#k1 broadcast {UNKNOWN} apa kabar")).expect_ok();
    messi.asks(&format!("send neko {UNKNOWN} is my id")).expect_ok();
    let texts = neko.asks(&format!("inbox {neko_token}")).expect_ok().texts();
    let expected = ["halo", "apa kabar", "is my id"].map(|text| format!("{UNKNOWN} {text}"));
    assert_eq!(texts, expected);
    // A known token acts, and is no text.
    messi.asks(&format!("broadcast {neko_token} meong")).expect_ok();
    assert_eq!(messi.asks("inbox").expect_ok().texts(), ["meong"]);
}

#[test]
fn an_unknown_token_is_no_session_before_a_name_or_without_a_session() {
    const UNKNOWN: &str = "123e4567-e89b-42d3-a456-426614174000";
    let server = TestServer::start();
    let mut messi = server.connect().registered("messi");
    for request in ["send", "chat"] {
        assert_eq!(messi.asks(&format!("{request} {UNKNOWN} messi halo")).code(), "no_session", "{request}");
    }
    assert_eq!(server.connect().asks(&format!("broadcast {UNKNOWN} halo")).code(), "no_session");
    assert!(messi.asks("inbox").expect_ok().texts().is_empty());
}

#[test]
fn the_shortest_password_counts_for_groups_too() {
    let server = TestServer::start_with(|config| config.accounts.password_min_bytes = 6);
    let mut messi = server.connect().registered("messi");
    assert_eq!(server.connect().asks("register neko abc").code(), "bad_parameter");
    assert_eq!(messi.asks("creategroup fans abc").code(), "bad_parameter");
    messi.asks("creategroup fans rahasia").expect_ok();
}

#[test]
fn repeated_wrong_passwords_are_throttled() {
    let server = TestServer::with_documented_users();
    let mut guesser = server.connect();
    let codes: Vec<String> = (0..12).map(|_| guesser.asks("auth messi wrong").code().to_owned()).collect();
    assert_eq!(codes.iter().filter(|code| *code == "wrong_password").count(), 10, "{codes:?}");
    assert_eq!(codes.last().unwrap(), "throttled");
    server.connect().logged_in("henderson", "surabaya");
}

#[test]
fn the_longest_silent_connection_without_a_login_is_closed_near_the_limit() {
    let server = TestServer::start_with(|config| config.connections.max = 10);
    let mut anonymous = server.connect();
    anonymous.hears_nothing();
    let mut members: Vec<Client> = (0..8).map(|n| server.connect().registered(&format!("user{n}"))).collect();
    let mut newcomer = server.connect();
    newcomer.hears_nothing();
    assert_eq!(anonymous.hears().code(), "connection_limit");
    anonymous.hears_the_end();
    members.iter_mut().for_each(Client::hears_nothing);
}

#[test]
fn a_server_that_stops_sends_a_reason_before_it_closes() {
    let mut server = TestServer::start();
    let mut messi = server.connect().registered("messi");
    let mut idle = server.connect();
    idle.hears_nothing();
    messi.asks("addgroup fans").expect_ok();
    server.stop();
    assert_eq!(messi.hears().code(), "shutting_down");
    messi.hears_the_end();
    assert_eq!(idle.hears().code(), "shutting_down");
}
