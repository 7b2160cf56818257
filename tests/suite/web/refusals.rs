//! How HTTP ends that does not become a WebSocket: with a true status, and a sentence for whoever reads it.

use std::io::{Read, Write};

use kabar::config::Config;
use kabar::name::Name;

use crate::support::server::documented_users;
use crate::support::{Client, HttpClient, TestServer};

impl HttpClient {
    /// Everything until the server closes, which is no reset.
    fn hears_the_whole(&mut self) -> String {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).expect("an end without a reset");
        rest
    }
}

/// The one response ends the connection, and has this status and this sentence.
#[track_caller]
fn ends_with(heard: &str, status: u16, sentence: &str) {
    let (head, body) = heard.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no response: {heard:?}"));
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{heard}");
    assert!(body.contains(sentence) && body.ends_with('\n'), "{heard}");
    let head = head.to_lowercase();
    for line in [&format!("content-length: {}", body.len()), "connection: close", "content-type: text/plain"] {
        assert!(head.contains(line), "{line}: {heard}");
    }
    assert_eq!(head.contains("retry-after: "), status == 503, "{heard}");
}

fn trusting(config: &mut Config) {
    config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
}

#[test]
fn a_connection_without_a_place_is_told_when_to_come_again() {
    let server = TestServer::start_with(|config| config.connections.max = 1);
    let _first = server.connect_web();
    let mut refused = server.connect_http();
    refused.sends("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ends_with(&refused.hears_the_whole(), 503, "too many connections");
}

#[test]
fn a_client_of_a_proxy_without_a_place_is_told_so_in_the_handshake() {
    let server = TestServer::start_with(|config| {
        trusting(config);
        config.connections.per_address = 1;
    });
    let handshake = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n";
    let mut first = server.connect_http();
    first.sends(handshake);
    assert_eq!(first.hears().status(), 101);
    let mut second = server.connect_http();
    second.sends(handshake);
    ends_with(&second.hears_the_whole(), 503, "too many connections");
}

#[test]
fn a_banned_address_is_told_so_whether_it_sends_something_or_not() {
    let server = TestServer::start_with(|config| {
        config.accounts.administrators = vec![Name::parse("messi").unwrap()];
        config.users = documented_users();
    });
    server.connect().logged_in("messi", "surabaya").asks("ban 127.0.0.9").expect_ok();
    for said in ["", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let mut banned = Client::connect_from([127, 0, 0, 9], server.web_address());
        banned.sends(said);
        ends_with(&String::from_utf8(banned.hears_the_rest()).unwrap(), 403, "your address is banned");
    }
}

#[test]
fn a_connection_that_makes_room_before_its_first_request_is_told_why() {
    let server = TestServer::start_with(|config| config.connections.max = 10);
    let mut first = server.connect_http();
    let mut others: Vec<HttpClient> = Vec::new();
    for _ in 0..9 {
        let mut other = server.connect_http();
        other.gets("/");
        others.push(other);
    }
    ends_with(&first.hears_the_whole(), 503, "others needed the place");
    let mut answered = others.remove(0);
    for _ in 0..4 {
        let mut other = server.connect_http();
        other.gets("/");
        others.push(other);
    }
    assert_eq!(answered.hears_the_whole(), "", "nobody waits for another answer");
}

#[test]
fn a_request_that_comes_while_the_server_stops_is_told_so() {
    let mut server = TestServer::start();
    let mut early = server.connect_http();
    // Accepted by now: connections are accepted in turn.
    server.connect_http().gets("/");
    server.stop();
    ends_with(&early.hears_the_whole(), 503, "the server is stopping");
}

#[test]
fn what_is_no_request_of_http_1_is_told_what_was_expected() {
    let server = TestServer::start();
    let tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    for (said, status, sentence) in [
        (&b"auth messi surabaya\n\n"[..], 400, "expected a request of HTTP/1.1"),
        (b"GET /\r\n\r\n", 400, "expected a request of HTTP/1.1"),
        (b"GET / HTTP/1.1\r\nno header\r\n\r\n", 400, "expected a request of HTTP/1.1"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n", 400, "expected a request of HTTP/1.1"),
        (tls, 400, "expected a request of HTTP/1.1"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", 505, "expected HTTP/1.1"),
    ] {
        let mut client = server.connect_http();
        client.sends(said);
        ends_with(&client.hears_the_whole(), status, sentence);
    }
}

#[test]
fn a_head_that_is_too_large_is_told_so_although_more_of_it_was_on_its_way() {
    let server = TestServer::start();
    let many = "X: x\r\n".repeat(200);
    for (head, bytes) in [("X: ".to_owned(), 100_000), (many, 0)] {
        let mut client = server.connect_http();
        client.sends(format!("GET / HTTP/1.1\r\nHost: x\r\n{head}{}\r\n\r\n", "x".repeat(bytes)));
        ends_with(&client.hears_the_whole(), 431, "the head of the request is too large");
    }
    let mut second = server.connect_http();
    assert_eq!(second.gets("/").status(), 200);
    second.sends(format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(100_000)));
    ends_with(&second.hears_the_whole(), 431, "the head of the request is too large");
}

#[test]
fn a_body_that_nobody_reads_does_not_cost_the_client_the_answer() {
    let server = TestServer::start();
    let mut client = server.connect_http();
    let body = vec![b'x'; 200_000];
    client.sends(format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len()));
    // The server may close while it is on its way.
    let _may_break = client.0.write_all(&body);
    let heard = client.hears_the_whole();
    assert!(heard.starts_with("HTTP/1.1 405 ") && heard.ends_with("expected GET or HEAD\n"), "{heard}");
}

#[test]
fn a_proxy_that_names_nobody_and_whoever_is_no_proxy_are_told_so() {
    let listening = |networks: &str| {
        TestServer::start_with(|config| {
            config.server.web = vec!["proxy://127.0.0.1:0".parse().unwrap()];
            config.server.trusted_proxies = vec![networks.parse().unwrap()];
        })
    };
    let (trusting, strict) = (listening("127.0.0.1/32"), listening("192.0.2.0/24"));
    for (server, status, sentence) in
        [(&trusting, 400, "a header of the PROXY protocol"), (&strict, 403, "the proxies of this server only")]
    {
        let mut client = server.connect_http();
        client.sends("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        ends_with(&client.hears_the_whole(), status, sentence);
    }
}
