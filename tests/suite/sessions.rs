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

/// The token of a connection that has closed, without a word.
fn logs_in_and_goes(server: &TestServer) -> String {
    let mut client = server.connect();
    let token = client.asks("auth paff cytus").token();
    client.half_closes();
    client.hears_the_end();
    token
}

fn is_open(server: &TestServer, token: &str) -> bool {
    server.connect().asks(&format!("whoami {token}")).0["status"] == "OK"
}

#[test]
fn of_sessions_that_all_have_connections_the_one_that_asked_for_nothing_longest_ends() {
    let server = TestServer::with_documented_users();
    let mut paff = server.connect_text();
    paff.says("login paff cytus");
    assert_eq!(paff.hears_line(), "[OK] login berhasil");
    let mut oldest = server.connect().logged_in("paff", "cytus");
    oldest.asks("subscribe").expect_ok();
    let others: Vec<Client> = (0..30).map(|_| server.connect().logged_in("paff", "cytus")).collect();
    paff.says("ping");
    assert_eq!(paff.hears_line(), "[OK] pong");
    server.connect().logged_in("paff", "cytus");
    assert_eq!(oldest.hears().0, json!({"event": "session_ended", "reason": "too_many_sessions"}));
    paff.hears_no_line();
    drop(others);
    oldest.hears_nothing();
}

#[test]
fn a_session_that_is_listened_on_is_in_use_and_the_others_go_by_the_time_of_their_use() {
    let server = TestServer::with_documented_users();
    let mut listener = server.connect().logged_in("paff", "cytus");
    listener.asks("subscribe").expect_ok();
    let mut tokens: Vec<String> = (0..31).map(|_| logs_in_and_goes(&server)).collect();
    let used = tokens.remove(0);
    assert!(is_open(&server, &used));
    server.connect().asks("auth paff cytus").expect_ok();
    assert!(!is_open(&server, &tokens[0]), "it was not used for longest");
    assert!(is_open(&server, &used) && is_open(&server, &tokens[1]));
    listener.hears_nothing();
    assert_eq!(listener.asks("whoami").expect_ok().message(), "paff");
}

#[test]
fn a_login_that_ends_with_quit_pushes_nobody_out() {
    let server = TestServer::with_documented_users();
    let kept: Vec<String> = (0..31).map(|_| logs_in_and_goes(&server)).collect();
    for _ in 0..40 {
        let mut once = server.connect();
        let token = once.asks("auth paff cytus").token();
        once.asks("inbox").expect_ok();
        once.asks("quit").expect_ok();
        once.hears_the_end();
        assert!(!is_open(&server, &token));
    }
    assert!(kept.iter().all(|token| is_open(&server, token)));
}

#[test]
fn a_token_that_is_kept_for_later_outlives_quit() {
    let server = TestServer::with_documented_users();
    let quits = |requests: &[&str]| {
        let mut client = server.connect();
        let token = client.asks("auth paff cytus").token();
        for request in requests {
            client.asks(&request.replace("TOKEN", &token)).expect_ok();
        }
        client.asks("quit").expect_ok();
        client.hears_the_end();
        token
    };
    let (unused, presented) = (quits(&[]), quits(&["inbox TOKEN"]));
    assert!(is_open(&server, &unused), "a login alone is for its token");
    assert!(is_open(&server, &presented), "a client that presents its token keeps it");
    let mut first = server.connect();
    let token = first.asks("auth paff cytus").token();
    first.asks("inbox").expect_ok();
    let mut second = server.connect();
    second.asks(&format!("subscribe {token}")).expect_ok();
    first.asks("exit").expect_ok();
    assert!(is_open(&server, &token), "another connection uses it");
    second.hears_nothing();
}

#[test]
fn logins_that_only_quit_are_the_first_to_go() {
    let server = TestServer::with_documented_users();
    let kept: Vec<String> = (0..31).map(|_| logs_in_and_goes(&server)).collect();
    for _ in 0..40 {
        let mut once = server.connect();
        once.asks("auth paff cytus").expect_ok();
        once.asks("quit").expect_ok();
        once.hears_the_end();
    }
    assert!(kept.iter().all(|token| is_open(&server, token)));
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
