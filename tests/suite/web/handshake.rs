//! Who may open a WebSocket.

use kabar::name::Name;

use crate::support::server::documented_users;
use crate::support::{Client, TestServer};

#[test]
fn a_page_of_another_host_cannot_connect() {
    let server = TestServer::start();
    for (origin, status) in [
        ("http://chat.example", 101),
        ("http://chat.example:80", 101),
        ("http://evil.example", 403),
        ("http://chat.example.evil.example", 403),
        ("null", 403),
    ] {
        let response = server.connect_http().shakes_hands(&["Host: chat.example", &format!("Origin: {origin}")]);
        assert_eq!(response.status(), status, "{origin}");
    }
}

#[test]
fn a_program_that_is_no_browser_needs_no_origin() {
    let server = TestServer::start();
    let response = server.connect_http().shakes_hands(&["Host: x"]);
    assert_eq!(
        (response.status(), response.header("sec-websocket-accept")),
        (101, Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
    );
}

#[test]
fn a_handshake_that_is_none_is_told_what_was_expected() {
    let server = TestServer::start();
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    let upgrade = ["Host: x", "Connection: Upgrade", "Upgrade: websocket"];
    for (headers, status, expected) in [
        (&["Sec-WebSocket-Version: 8", key][..], 426, "Sec-WebSocket-Version: 13"),
        (&[key], 426, "Sec-WebSocket-Version: 13"),
        (&["Sec-WebSocket-Version: 13"], 400, "Sec-WebSocket-Key"),
        (&["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: c2hvcnQ="], 400, "Sec-WebSocket-Key"),
    ] {
        let response = server.connect_http().asks("GET /ws", &[&upgrade, headers].concat());
        assert_eq!(response.status(), status, "{headers:?}");
        assert!(String::from_utf8_lossy(&response.body).contains(expected), "{headers:?}");
    }
}

/// The address that a session was opened from, as the server saw it.
fn opened_from(server: &TestServer, user: &str, headers: &[&str]) -> String {
    let mut http = server.connect_http();
    assert_eq!(http.shakes_hands(headers).status(), 101, "{headers:?}");
    let mut web = crate::support::WebClient::of(http).registered(user);
    web.asks("sessions").expect_ok().0["data"][0]["from"].as_str().unwrap().to_owned()
}

#[test]
fn a_proxy_is_believed_only_if_the_configuration_names_it() {
    let forwarded = ["Host: inside", "X-Forwarded-Host: chat.example", "X-Forwarded-For: 192.0.2.7"];
    let of_page = [&forwarded[..], &["Origin: https://chat.example", "X-Forwarded-Proto: https"]].concat();

    let strict = TestServer::start();
    assert_eq!(strict.connect_http().shakes_hands(&of_page).status(), 403);
    assert_eq!(opened_from(&strict, "bob", &forwarded), "127.0.0.1");

    let trusting = TestServer::start_with(|config| {
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    });
    assert_eq!(opened_from(&trusting, "bob", &of_page), "192.0.2.7");
}

#[test]
fn clients_behind_a_proxy_are_counted_one_by_one() {
    let server = TestServer::start_with(|config| {
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        config.connections.per_address = 1;
    });
    let open = |client: &str| {
        let mut http = server.connect_http();
        let status = http.shakes_hands(&["Host: x", &format!("X-Forwarded-For: {client}")]).status();
        (http, status)
    };
    let (first, status) = open("192.0.2.7");
    assert_eq!(status, 101);
    assert_eq!(open("192.0.2.7").1, 503);
    assert_eq!(open("192.0.2.8").1, 101);
    drop(first);
}

#[test]
fn a_connection_too_many_is_told_so() {
    let server = TestServer::start_with(|config| config.connections.max = 1);
    let _first = server.connect_web();
    let answer = server.connect_http().hears_the_end();
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}", body.len())), "{answer}");
}

#[test]
fn a_banned_client_is_told_so_however_its_address_is_known() {
    let server = TestServer::start_with(|config| {
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        config.accounts.administrators = vec![Name::parse("messi").unwrap()];
        config.users = documented_users();
    });
    let mut messi = server.connect_from([127, 0, 0, 2]).logged_in("messi", "surabaya");
    messi.asks("ban 192.0.2.7").expect_ok();
    messi.asks("ban 127.0.0.1").expect_ok();
    let status = |headers: &[&str]| {
        let response = server.connect_http().shakes_hands(headers);
        (response.status(), String::from_utf8_lossy(&response.body).contains("banned"))
    };
    assert_eq!(status(&["Host: x", "X-Forwarded-For: 192.0.2.7"]), (403, true));
    assert_eq!(status(&["Host: x"]), (403, true), "the proxy itself");
    assert_eq!(status(&["Host: x", "X-Forwarded-For: 192.0.2.8"]).0, 101);
    messi.asks("ban 127.0.0.9").expect_ok();
    let mut direct = Client::connect_from([127, 0, 0, 9], server.web_address());
    let heard = String::from_utf8(direct.hears_the_rest()).unwrap();
    assert!(heard.starts_with("HTTP/1.1 403") && heard.ends_with("your address is banned\n"), "{heard}");
}
