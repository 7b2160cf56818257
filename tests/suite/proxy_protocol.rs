//! Listeners behind a proxy that names its clients in a header of the PROXY protocol.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};

use kabar::name::Name;
use tempfile::TempDir;

use crate::support::fail2ban::found_by_fail2ban;
use crate::support::port::free_address;
use crate::support::process::Process;
use crate::support::server::documented_users;
use crate::support::{Client, HttpClient, TestServer, wait_until};

/// A server whose JSON listener is for proxies on this machine.
fn proxied() -> TestServer {
    TestServer::start_with(|config| {
        config.server.listen = vec!["proxy://127.0.0.1:0".parse().unwrap()];
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        config.connections.per_address = 2;
    })
}

fn from(server: &TestServer, header: impl AsRef<[u8]>) -> Client {
    let mut client = server.connect();
    client.sends(header);
    client
}

#[test]
fn the_first_request_may_come_with_the_header_and_links_count_by_client() {
    let server = proxied();
    let header = "PROXY TCP4 192.0.2.7 127.0.0.1 5 8889\r\n";
    let mut clients: Vec<Client> = (0..2).map(|_| from(&server, format!("{header}ping\n"))).collect();
    clients.iter_mut().for_each(|client| assert_eq!(client.hears().message(), "pong"));
    let mut third = from(&server, header);
    assert_eq!(third.hears().code(), "connection_limit", "of the same client");
    third.hears_the_end();
    let mut other = from(&server, "PROXY TCP6 2001:db8::7 2001:db8::1 5 8889\r\nping\n");
    assert_eq!(other.hears().message(), "pong");
}

/// How a proxy says that it speaks for itself, or does not know for whom.
const OF_ITSELF: [&[u8]; 3] =
    [b"PROXY UNKNOWN\r\n", b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00", b"\r\n\r\n\0\r\nQUIT\n\x21\x00\x00\x00"];

#[test]
fn a_proxy_that_speaks_for_itself_is_served_whatever_is_banned() {
    let server = TestServer::start_with(|config| {
        config.server.listen = vec!["proxy://127.0.0.1:0".parse().unwrap()];
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        config.accounts.administrators = vec![Name::parse("messi").unwrap()];
        config.users = documented_users();
    });
    let mut messi = from(&server, b"PROXY TCP4 192.0.2.1 127.0.0.1 5 8889\r\n").logged_in("messi", "surabaya");
    let mut begun = OF_ITSELF.map(|header| from(&server, header));
    begun.iter_mut().for_each(Client::hears_nothing);
    messi.asks("ban 127.0.0.1").expect_ok();
    for (health_check, header) in begun.iter_mut().zip(OF_ITSELF) {
        health_check.hears_nothing();
        from(&server, header).hears_nothing();
    }
    let mut named = from(&server, b"PROXY TCP4 127.0.0.1 127.0.0.1 5 8889\r\n");
    assert_eq!(named.hears().code(), "banned", "somebody at the machine of the proxy");
}

#[test]
fn a_health_check_that_only_connects_is_counted_as_nothing() {
    let server = TestServer::start_with(|config| {
        config.server.listen = vec!["proxy://127.0.0.1:0".parse().unwrap()];
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        config.metrics.listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    });
    for _ in 0..3 {
        server.connect().half_closes();
        server.connect().resets();
    }
    // Accepted after those.
    assert!(from(&server, b"PROXY nonsense\r\n").hears_the_rest().is_empty());
    let samples = || String::from_utf8(HttpClient::connect(server.monitored_on()).gets("/metrics").body).unwrap();
    wait_until("all connections have ended", || samples().contains("kabar_connections{listener=\"json\"} 0"));
    let samples = samples();
    let ended: Vec<_> = samples.lines().filter(|line| line.starts_with("kabar_connections_ended_total{")).collect();
    assert_eq!(ended, ["kabar_connections_ended_total{reason=\"proxy_header\"} 1.0"]);
}

#[test]
fn what_is_refused_to_a_proxy_itself_has_the_firewall_keep_out_nobody() {
    let data = TempDir::new().unwrap();
    let address = free_address();
    let server = Process::start_with(data.path(), |command| {
        command.args(["--listen", &format!("proxy://{address}")]);
        command.env("KABAR_SERVER__TRUSTED_PROXIES", "127.0.0.1");
    });
    let mut proxy = Client::connect(address);
    proxy.sends("PROXY UNKNOWN\r\n");
    assert_eq!(proxy.asks("auth nobody rahasia").code(), "user_not_found");
    let mut client = Client::connect(address);
    client.sends("PROXY TCP4 192.0.2.7 127.0.0.1 5 8889\r\n");
    assert_eq!(client.asks("auth somebody rahasia").code(), "user_not_found");
    assert!(server.logs("name=\"nobody\"").contains(" proxy=127.0.0.1 reason="));
    assert!(server.logs("name=\"somebody\"").contains(" address=192.0.2.7 reason="));
    assert_eq!(found_by_fail2ban(&server.log().join("\n")), "192.0.2.7\n");
}

#[test]
fn a_proxy_that_speaks_for_itself_is_served() {
    let server = proxied();
    let mut health_check = from(&server, "PROXY UNKNOWN\r\nping\n");
    assert_eq!(health_check.hears().message(), "pong");
}

#[test]
fn guesses_are_counted_by_client_and_not_by_proxy() {
    let server = proxied();
    let of = |client: &str| from(&server, format!("PROXY TCP4 {client} 127.0.0.1 5 8889\r\n"));
    let _ivy = of("192.0.2.1").registered("ivy");
    let mut guesser = of("192.0.2.7");
    let refusals = (0..12).map(|_| guesser.asks("auth ivy salah").code().to_owned()).collect::<Vec<_>>();
    assert!(refusals.contains(&"throttled".to_owned()), "{refusals:?}");
    of("192.0.2.8").asks("auth ivy rahasia").expect_ok();
}

#[test]
fn without_a_header_nothing_is_served() {
    let server = proxied();
    assert!(from(&server, "ping\nping\n  ").hears_the_rest().is_empty());
}

#[test]
fn only_a_proxy_that_is_trusted_may_connect() {
    let data = TempDir::new().unwrap();
    let address: SocketAddr = free_address();
    let server = Process::start_with(data.path(), |command| {
        command.args(["--listen", &format!("proxy://{address}")]);
        command.env("KABAR_SERVER__TRUSTED_PROXIES", "192.0.2.1");
    });
    let mut stream = TcpStream::connect(address).unwrap();
    let _reset = stream.read_to_end(&mut Vec::new());
    server.logs("it is no proxy of [server] trusted_proxies");
}
