//! Listeners behind a proxy that names its clients in a header of the PROXY protocol.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};

use tempfile::TempDir;

use crate::support::port::free_address;
use crate::support::process::Process;
use crate::support::{Client, TestServer};

/// A server whose JSON listener is for proxies on this machine.
fn proxied() -> TestServer {
    TestServer::start_with(|config| {
        config.server.listen = vec!["proxy://127.0.0.1:0".parse().unwrap()];
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        config.connections.per_address = 2;
    })
}

fn from(server: &TestServer, header: &str) -> Client {
    let mut client = server.connect();
    client.sends(header);
    client
}

#[test]
fn the_first_request_may_come_with_the_header_and_links_count_by_client() {
    let server = proxied();
    let header = "PROXY TCP4 192.0.2.7 127.0.0.1 5 8889\r\n";
    let mut clients: Vec<Client> = (0..2).map(|_| from(&server, &format!("{header}ping\n"))).collect();
    clients.iter_mut().for_each(|client| assert_eq!(client.hears().message(), "pong"));
    let mut third = from(&server, header);
    assert_eq!(third.hears().code(), "connection_limit", "of the same client");
    third.hears_the_end();
    let mut other = from(&server, "PROXY TCP6 2001:db8::7 2001:db8::1 5 8889\r\nping\n");
    assert_eq!(other.hears().message(), "pong");
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
    let of = |client: &str| from(&server, &format!("PROXY TCP4 {client} 127.0.0.1 5 8889\r\n"));
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
