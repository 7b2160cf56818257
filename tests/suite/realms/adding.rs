//! `addrealm NAME HOST PORT` (PROTOCOL §6).

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use kabar::config::{Accept, Allowed};
use kabar::name::Name;

use super::{Pair, addrealm, is_down, is_up, messi_of, realm, wait_for};
use crate::support::TestServer;

/// A server of another kind. It sends the greeting, reads once, sends the response, and waits for the connection to end.
fn foreign_server(greeting: &'static str, answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(greeting.as_bytes()).unwrap();
        let _request = stream.read(&mut [0; 64]);
        let _may_be_closed = stream.write_all(answer.as_bytes());
        let _closed = stream.read_to_end(&mut Vec::new());
    });
    address
}

#[test]
fn addrealm_returns_the_key_of_the_other_server() {
    let pair = Pair::apart();
    let mut messi = pair.messi();
    let added = messi.asks(&pair.addrealm("timur")).expect_ok();
    assert_eq!((added.message(), &added.0["data"]["realm"]), ("Realm added successfully", &"timur".into()));
    let known = wait_for(&mut messi, "timur", is_up);
    assert_eq!(known["key"], added.0["data"]["key"]);
    assert_eq!(known["address"], pair.timur.home().to_string());
    assert!(known["since"].is_string() && known["queued"] == 0, "{known}");
}

#[test]
fn a_name_and_a_server_are_added_only_once() {
    let pair = Pair::linked();
    let mut messi = pair.messi();
    for name in ["timur", "TIMUR", "barat", "selatan"] {
        assert_eq!(messi.asks(&pair.addrealm(name)).code(), "realm_exists", "{name}");
    }
    assert!(realm(&mut messi, "selatan").is_none(), "a server has one name");
}

#[test]
fn a_further_name_of_this_server_becomes_a_link() {
    let pair = Pair::apart();
    let (mut messi, mut henderson) = (pair.messi(), pair.henderson());
    messi.asks("addrealm timur").expect_ok();
    messi.asks("send henderson@timur to the henderson here").expect_ok();
    messi.asks(&pair.addrealm("timur")).expect_ok();
    messi.asks("send henderson@timur to the henderson there").expect_ok();
    assert_eq!(henderson.asks("inbox").texts(), ["to the henderson there"]);
}

#[test]
fn a_closed_port_is_unreachable() {
    let server = TestServer::with_documented_users();
    let closed = crate::support::port::free_address();
    let mut messi = messi_of(&server);
    assert_eq!(messi.asks(&format!("addrealm timur 127.0.0.1 {}", closed.port())).code(), "realm_unreachable");
    assert!(realm(&mut messi, "timur").is_none());
}

#[test]
fn a_server_of_another_kind_is_unreachable() {
    let server = TestServer::with_documented_users();
    let foreign_servers = [
        ("", "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
        ("220 smtp.example.org ESMTP\r\n", ""),
        ("SSH-2.0-OpenSSH_9.2\r\n", ""),
        ("", "[OK] link\r\n[OK] what is this?\r\n"),
        ("", "{\"status\":\"OK\",\"message\":\"link\"}\r\n\r\nHTTP/1.1 400 Bad Request\r\n\r\n"),
    ];
    let mut messi = messi_of(&server);
    for (greeting, answer) in foreign_servers {
        let port = foreign_server(greeting, answer).port();
        let code = messi.asks(&format!("addrealm timur 127.0.0.1 {port}"));
        assert_eq!(code.code(), "realm_unreachable", "{greeting}{answer}");
    }
}

#[test]
fn a_silent_server_is_unreachable_after_a_while() {
    let server = TestServer::with_documented_users();
    let port = foreign_server("", "").port();
    let answer = messi_of(&server).asks(&format!("addrealm timur 127.0.0.1 {port}"));
    assert_eq!(answer.code(), "realm_unreachable");
}

#[test]
fn a_server_of_another_version_has_refused() {
    let server = TestServer::with_documented_users();
    let port = foreign_server("", "[ERR] Versi link tidak dikenal\r\n").port();
    assert_eq!(messi_of(&server).asks(&format!("addrealm timur 127.0.0.1 {port}")).code(), "realm_refused");
}

#[test]
fn a_server_cannot_link_itself() {
    let server = TestServer::of_realm("barat", |_| {});
    let mut messi = messi_of(&server);
    assert_eq!(messi.asks(&addrealm("timur", &server)).code(), "realm_is_this_server");
    assert_eq!(messi.asks("realms").0["data"].as_array().unwrap().len(), 1);
}

#[test]
fn only_allowed_networks_are_dialled() {
    let server = TestServer::with_documented_users();
    let mut messi = messi_of(&server);
    for host in ["192.0.2.7", "10.0.0.1", "169.254.169.254", "0.0.0.0", "::ffff:192.0.2.7"] {
        assert_eq!(messi.asks(&format!("addrealm timur {host} 80")).code(), "forbidden", "{host}");
    }
}

#[test]
fn addrealm_may_be_restricted_to_administrators() {
    let pair = Pair::apart_with(|config| {
        config.realms.add = Allowed::Administrators;
        config.accounts.administrators = vec![Name::parse("lineker").unwrap()];
    });
    assert_eq!(pair.messi().asks(&pair.addrealm("timur")).code(), "forbidden");
    assert_eq!(pair.messi().asks("addrealm selatan").code(), "forbidden");
    let mut lineker = pair.barat.connect().logged_in("lineker", "surabaya");
    lineker.asks(&pair.addrealm("timur")).expect_ok();
}

#[test]
fn a_server_that_accepts_only_known_peers_refuses() {
    let pair = Pair::apart_with(|config| config.realms.accept = Accept::Known);
    let (mut messi, mut henderson) = (pair.messi(), pair.henderson());
    assert_eq!(messi.asks(&pair.addrealm("timur")).code(), "realm_refused");
    assert!(realm(&mut messi, "timur").is_none() && realm(&mut henderson, "barat").is_none());
}

#[test]
fn a_changed_key_is_refused_on_both_sides_until_the_realm_is_added_again() {
    let mut pair = Pair::linked();
    let mut messi = pair.messi();
    let known = wait_for(&mut messi, "timur", is_up)["key"].as_str().unwrap().to_owned();
    pair.timur.stop();
    wait_for(&mut messi, "timur", is_down);
    messi.asks("send henderson@timur for the first one").expect_ok();
    pair.timur.start_anew();
    let says = |problem: &'static str| {
        move |realm: &serde_json::Value| realm["problem"].as_str().is_some_and(|text| text.contains(problem))
    };
    let refused = wait_for(&mut messi, "timur", says("another key"));
    assert!(refused["problem"].as_str().unwrap().contains(&known), "{refused}");
    assert!(is_down(&refused) && refused["key"] == known && refused["queued"] == 1, "{refused}");
    let mut henderson = pair.henderson();
    wait_for(&mut henderson, "barat", says("another key"));
    assert_eq!(henderson.asks(&addrealm("selatan", &pair.barat)).code(), "realm_key_changed");
    messi.asks("delrealm timur").expect_ok();
    let added = messi.asks(&pair.addrealm("timur")).expect_ok();
    assert_ne!(added.0["data"]["key"], known);
    assert_eq!(messi.asks("send henderson@timur for the second one").expect_ok().0["data"]["delivered"], true);
    assert_eq!(henderson.asks("inbox").texts(), ["for the second one"]);
}
