//! What one connection can do to the others: its requests are bounded, its turns are short, and a reset ends its requests.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use kabar::config::Config;
use kabar::server::Server;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Client, TestServer};

/// Less than one read takes without a turn, so that the server has all of it.
const ONE_READ: usize = 2_000;

/// Requests with long replies, and at their end one with an effect that others see.
fn costly_requests_and_then(last: &str, bytes: usize) -> String {
    let count = (bytes - last.len()) / "help\n".len();
    "help\n".repeat(count) + last + "\n"
}

#[test]
fn requests_of_a_peer_that_reset_are_not_served() {
    let server = TestServer::start();
    let mut watcher = server.connect().registered("watcher");
    watcher.asks("subscribe presence").expect_ok();
    let mut gone = server.connect().registered("gone");
    assert_eq!(watcher.hears().0["data"]["online"], true);
    gone.sends(costly_requests_and_then("send watcher late", ONE_READ));
    // Whoever closes a socket with bytes to read resets it. By now the server serves the requests of one read.
    gone.hears_some_bytes();
    drop(gone);
    let event = watcher.hears();
    assert_eq!((&event.0["event"], &event.0["data"]["online"]), (&"presence".into(), &false.into()), "{event:?}");
    assert!(watcher.asks("inbox").texts().is_empty());
}

#[test]
fn all_requests_before_a_half_close_are_served() {
    let server = TestServer::start();
    let mut watcher = server.connect().registered("watcher");
    let mut client = server.connect().registered("client");
    client.sends(costly_requests_and_then("send watcher halo", 60 * 1024));
    client.half_closes();
    let replies = client.hears_the_rest();
    assert!(replies.len() > 4 * 1024 * 1024, "{} bytes", replies.len());
    assert_eq!(watcher.asks("inbox").texts(), ["halo"]);
}

#[test]
fn requests_that_change_nothing_use_no_share_of_a_batch() {
    const REQUESTS: usize = 5_000;
    let server = TestServer::start();
    server.connect().registered("neko");
    let mut client = server.connect().registered("client");
    client.asks("block neko").expect_ok();
    client.sends("block neko\n".repeat(REQUESTS));
    client.half_closes();
    let replies = String::from_utf8(client.hears_the_rest()).unwrap();
    assert_eq!(replies.matches("\"OK\"").count(), REQUESTS);
}

#[test]
fn a_stop_does_not_serve_connections_that_read_nothing() {
    let mut server = TestServer::start();
    server.connect().registered("watcher");
    let clients: Vec<Client> = (0..4)
        .map(|number| {
            let mut client = server.connect().registered(&format!("client{number}"));
            client.sends(costly_requests_and_then("send watcher late", 60 * 1024));
            client.hears_some_bytes();
            client
        })
        .collect();
    server.stop();
    drop(clients);
    server.start_again();
    let mut watcher = server.connect().logged_in("watcher", "rahasia");
    assert!(
        watcher.asks("inbox").texts().is_empty(),
        "a request was served though the replies before it were not read"
    );
}

#[test]
fn a_stop_does_not_wait_for_passwords_that_wait_for_a_core() {
    let mut server = TestServer::start_with(|config| config.server.shutdown = Duration::from_secs(2));
    let mut clients: Vec<Client> = (0..800).map(|_| server.connect()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.says(&format!("register user{number} rahasia"));
    }
    clients[0].hears().expect_ok();
    server.stop();
}

#[test]
fn a_password_of_a_peer_that_reset_is_not_hashed() {
    let server = TestServer::start();
    let mut first = server.connect().registered("first");
    let mut clients: Vec<Client> = (0..200).map(|_| server.connect()).collect();
    first.says("auth first wrong");
    for (number, client) in clients.iter_mut().enumerate() {
        client.says(&format!("register user{number} rahasia"));
    }
    // Passwords of one address are hashed one after the other: this one is wrong, which takes no disk.
    assert_eq!(first.hears().code(), "wrong_password");
    clients.into_iter().for_each(Client::resets);
    first.asks("auth first rahasia").expect_ok();
    let is_free = |number| server.connect().asks(&format!("register user{number} rahasia")).is_ok();
    assert!((0..200).rev().any(is_free), "each password was hashed, though nobody was there");
}

#[test]
fn a_flood_of_blank_lines_does_not_starve_other_connections() {
    let (runtime, _directory, server) = server_on_one_thread();
    let address = server.listening()[0].0.socket;
    let mut flood = TcpStream::connect(address).unwrap();
    flood.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    flood.write_all(&[b'\n'; 256 * 1024]).unwrap();
    flood.write_all(b"ping\n").unwrap();
    // The server runs only until the other connection has its reply.
    runtime.block_on(async {
        let mut other = tokio::net::TcpStream::connect(address).await.unwrap();
        other.write_all(b"ping\n").await.unwrap();
        other.read_exact(&mut [0]).await.unwrap();
    });
    flood.set_nonblocking(true).unwrap();
    assert!(flood.read(&mut [0]).is_err(), "the first connection was served to its end before the second");
    drop(server);
    flood.shutdown(Shutdown::Both).unwrap();
}

fn server_on_one_thread() -> (tokio::runtime::Runtime, TempDir, Server) {
    let directory = TempDir::new().unwrap();
    let mut config = Config::default();
    config.server.listen = vec![SocketAddr::from(([127, 0, 0, 1], 0)).into()];
    config.server.web = Vec::new();
    config.server.listen_text = Vec::new();
    config.server.data = directory.path().join("data");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = {
        let _inside = runtime.enter();
        Server::start(&config).unwrap()
    };
    (runtime, directory, server)
}
