//! Bans of addresses and networks: clients from elsewhere, as a proxy names them (PROTOCOL §8).

use kabar::name::Name;
use kabar::wire::ListenerKind;
use tempfile::TempDir;

use crate::support::server::documented_users;
use crate::support::tls::{install_certificate, show_certificate, tls_address};
use crate::support::{Client, TestServer};

/// A server behind a proxy on this machine, with messi as its administrator.
fn proxied() -> TestServer {
    TestServer::start_with(|config| {
        config.server.listen = vec!["proxy://127.0.0.1:0".parse().unwrap()];
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        config.accounts.administrators = vec![Name::parse("messi").unwrap()];
        config.users = documented_users();
    })
}

/// A client at an address, whose first request was answered.
fn from(server: &TestServer, address: &str) -> Client {
    let mut client = arriving(server, address);
    assert_eq!(client.asks("ping").message(), "pong", "{address}");
    client
}

fn arriving(server: &TestServer, address: &str) -> Client {
    let (family, here) = if address.contains(':') { ("TCP6", "2001:db8::1") } else { ("TCP4", "10.0.0.1") };
    let mut client = server.connect();
    client.sends(format!("PROXY {family} {address} {here} 5 8889\r\n"));
    client
}

/// Whether a connection of a client at an address is closed, after the reason.
#[track_caller]
fn is_refused(server: &TestServer, address: &str) {
    let mut client = arriving(server, address);
    assert_eq!(client.hears().code(), "banned", "{address}");
    client.hears_the_end();
}

#[test]
fn a_banned_network_is_shown_out_and_kept_out_until_the_ban_is_lifted() {
    let server = proxied();
    let mut messi = from(&server, "198.51.100.1").logged_in("messi", "surabaya");
    let mut paff = from(&server, "192.0.2.7").logged_in("paff", "cytus");
    let mut neighbour = from(&server, "192.0.3.7");
    messi.asks("ban 192.0.2.0/24 flood").expect_ok();
    assert_eq!(paff.hears().code(), "banned");
    paff.hears_the_end();
    is_refused(&server, "192.0.2.200");
    assert_eq!(neighbour.asks("ping").message(), "pong");
    messi.asks("unban 192.0.2.0/24").expect_ok();
    from(&server, "192.0.2.7").logged_in("paff", "cytus");
}

#[test]
fn an_address_of_ipv6_is_banned_with_all_that_its_host_can_choose_from() {
    let server = proxied();
    let mut messi = from(&server, "198.51.100.1").logged_in("messi", "surabaya");
    messi.asks("ban 2001:db8:0:7::1").expect_ok();
    is_refused(&server, "2001:db8:0:7:ffff::1");
    from(&server, "2001:db8:0:8::1");
}

#[test]
fn nobody_bans_the_own_address_and_no_ban_of_everybody_keeps_out_this_machine() {
    let server = proxied();
    let mut messi = from(&server, "198.51.100.1").logged_in("messi", "surabaya");
    assert_eq!(messi.asks("ban 198.51.100.0/24").code(), "bad_parameter");
    let mut local = from(&server, "127.0.0.1").logged_in("messi", "surabaya");
    let mut local_of_ipv6 = from(&server, "::1");
    local.asks("ban 0.0.0.0/0").expect_ok();
    local.asks("ban ::/0").expect_ok();
    assert_eq!(messi.hears().code(), "banned");
    is_refused(&server, "198.51.100.1");
    is_refused(&server, "2001:db8::1");
    assert_eq!(local.asks("ping").message(), "pong");
    assert_eq!(local_of_ipv6.asks("ping").message(), "pong");
    from(&server, "127.0.0.1");
    from(&server, "::1");
}

#[test]
fn a_ban_of_an_address_of_this_machine_is_enforced_and_that_of_the_own_one_refused() {
    let server = TestServer::start_with(|config| {
        config.accounts.administrators = vec![Name::parse("messi").unwrap()];
        config.users = documented_users();
    });
    let mut messi = server.connect().logged_in("messi", "surabaya");
    let mut paff = server.connect_from([127, 0, 0, 9]).logged_in("paff", "cytus");
    for own in ["127.0.0.1", "127.0.0.0/8", "::ffff:127.0.0.1", "::ffff:127.0.0.0/104"] {
        assert_eq!(messi.asks(&format!("ban {own}")).code(), "bad_parameter", "{own}");
    }
    messi.asks("ban 127.0.0.9").expect_ok();
    assert_eq!(paff.hears().code(), "banned");
    paff.hears_the_end();
    let mut again = server.connect_from([127, 0, 0, 9]);
    assert_eq!(again.hears().code(), "banned");
    again.hears_the_end();
    let mut neighbour = server.connect_from([127, 0, 0, 8]);
    assert_eq!(neighbour.asks("ping").message(), "pong");
    messi.asks("unban ::ffff:127.0.0.9").expect_ok();
    server.connect_from([127, 0, 0, 9]).logged_in("paff", "cytus");
}

#[test]
fn a_ban_of_a_proxys_address_is_one_of_those_who_come_from_there_without_it() {
    let server = proxied();
    let mut messi = from(&server, "198.51.100.1").logged_in("messi", "surabaya");
    let mut local = from(&server, "127.0.0.1");
    let mut local_of_ipv6 = from(&server, "::1");
    messi.asks("ban 127.0.0.1").expect_ok();
    messi.asks("ban ::1").expect_ok();
    for shown_out in [&mut local, &mut local_of_ipv6] {
        assert_eq!(shown_out.hears().code(), "banned");
        shown_out.hears_the_end();
    }
    is_refused(&server, "127.0.0.1");
    is_refused(&server, "::1");
    assert_eq!(messi.asks("ping").message(), "pong");
    from(&server, "192.0.2.7");
}

#[test]
fn a_banned_client_of_a_proxy_is_told_so_in_the_format_of_the_listener() {
    let server = TestServer::start_with(|config| {
        config.server.listen_text = vec!["proxy://127.0.0.1:0".parse().unwrap()];
        config.server.web = vec!["proxy://127.0.0.1:0".parse().unwrap()];
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        config.accounts.administrators = vec![Name::parse("messi").unwrap()];
        config.users = documented_users();
    });
    let mut messi = server.connect().logged_in("messi", "surabaya");
    messi.asks("ban 192.0.2.7").expect_ok();
    for (kind, said, expected) in [
        (ListenerKind::Text, "", "[ERR] Alamat dicekal"),
        (ListenerKind::Text, "login paff cytus\r\n", "[ERR] Alamat dicekal"),
        (ListenerKind::Web, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 403"),
    ] {
        let mut client = Client::connect(server.address(kind));
        client.sends(format!("PROXY TCP4 192.0.2.7 10.0.0.1 5 8889\r\n{said}"));
        let heard = String::from_utf8(client.hears_the_rest()).unwrap();
        assert!(heard.starts_with(expected), "{kind:?} {said}: {heard}");
    }
}

#[test]
fn a_banned_client_of_tls_is_closed_before_the_handshake_with_a_proxy_or_without() {
    let certificate = TempDir::new().unwrap();
    install_certificate("server", certificate.path());
    let server = TestServer::start_with(|config| {
        config.server.listen.insert(0, "proxy+tls://127.0.0.1:0".parse().unwrap());
        config.server.listen_text = vec![tls_address()];
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        config.accounts.administrators = vec![Name::parse("messi").unwrap()];
        config.users = documented_users();
        show_certificate(config, certificate.path());
    });
    let (proxied, plain) = (server.listening()[0].0.socket, server.listening()[1].0.socket);
    let mut messi = Client::connect(plain).logged_in("messi", "surabaya");
    messi.asks("ban 192.0.2.7").expect_ok();
    messi.asks("ban 127.0.0.9").expect_ok();
    let mut named = Client::connect(proxied);
    named.sends("PROXY TCP4 192.0.2.7 10.0.0.1 5 8889\r\n");
    named.hears_the_end();
    Client::connect_from([127, 0, 0, 9], server.address(ListenerKind::Text)).hears_the_end();
}
