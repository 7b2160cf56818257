//! Peers that violate the protocol before a link is up (PROTOCOL §6). `src/federation/hostile_peer` tests the frames inside
//! a link.

use std::net::SocketAddr;

use kabar::config::Language;
use kabar::federation::{DialPurpose, PeerStream, TcpTransport, Transport};
use kabar::identity::Identity;
use kabar::wire::ListenerKind;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;

use super::{QUICK_STOP, messi_of};
use crate::support::seed::seed;
use crate::support::{Client, TestServer};

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A connection whose `link 1` was answered with OK.
fn upgraded(server: &TestServer) -> Client {
    let mut client = server.connect();
    assert_eq!(client.asks("link 1").expect_ok().message(), "link");
    client
}

/// An authenticated stream to the server, with a key that it does not know.
async fn dial(address: SocketAddr) -> PeerStream {
    let directory = TempDir::new().unwrap();
    let identity = Identity::open(directory.path()).unwrap();
    let transport = TcpTransport::new(&identity, vec!["127.0.0.0/8".parse().unwrap()]);
    transport.dial("127.0.0.1", address.port(), DialPurpose::Reconnect).await.unwrap()
}

#[test]
fn an_unknown_link_version_is_an_error_and_the_connection_stays_usable() {
    let server = TestServer::with_documented_users();
    let mut client = server.connect();
    assert_eq!(client.asks("link 9").code(), "unknown_version");
    assert_eq!(client.asks("link").code(), "bad_parameter");
    assert_eq!(client.asks("ping").message(), "pong");
}

#[test]
fn a_text_listener_accepts_links() {
    let server = TestServer::of_realm("timur", |_| {});
    let mut client = server.connect_text();
    client.says("link 1");
    assert_eq!(client.hears_line(), "[OK] link");
    let other = TestServer::with_documented_users();
    let port = server.address(ListenerKind::Text).port();
    let mut messi = messi_of(&other);
    messi.asks(&format!("addrealm timur 127.0.0.1 {port}")).expect_ok();
    assert_eq!(messi.asks("send henderson@timur halo").expect_ok().0["data"]["delivered"], true);
}

#[test]
fn a_text_listener_that_greets_accepts_links() {
    let server = TestServer::of_realm("timur", |config| config.server.language = Language::English);
    let other = TestServer::with_documented_users();
    let port = server.address(ListenerKind::Text).port();
    let mut messi = messi_of(&other);
    messi.asks(&format!("addrealm timur 127.0.0.1 {port}")).expect_ok();
    assert_eq!(messi.asks("send henderson@timur halo").expect_ok().0["data"]["delivered"], true);
}

#[test]
fn random_bytes_instead_of_tls_end_only_the_connection() {
    let server = TestServer::with_documented_users();
    let mut random = fastrand::Rng::with_seed(seed());
    let mut garbage: Vec<Vec<u8>> =
        (0..20).map(|_| (0..random.usize(1..4_000)).map(|_| random.u8(..)).collect()).collect();
    garbage.push(b"send messi halo\r\n".to_vec());
    garbage.push(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec());
    // A TLS record that is cut off.
    garbage.push([b"\x16\x03\x01\x40\x00".as_slice(), &[1; 100]].concat());
    for bytes in garbage {
        let mut client = upgraded(&server);
        client.sends(&bytes);
        client.half_closes();
        client.hears_it_end();
    }
    assert_eq!(server.connect().asks("ping").message(), "pong");
}

#[test]
fn bytes_pipelined_after_link_end_the_connection() {
    let server = TestServer::with_documented_users();
    let mut client = server.connect();
    client.sends("link 1\r\nsend messi halo\r\n");
    assert_eq!(client.hears().message(), "link");
    client.hears_it_end();
}

#[test]
fn a_user_is_offline_once_the_connection_is_a_link() {
    let server = TestServer::with_documented_users();
    let mut messi = messi_of(&server);
    messi.asks("link 1").expect_ok();
    let mut henderson = server.connect().logged_in("henderson", "surabaya");
    assert_eq!(henderson.asks("online").0["data"], serde_json::json!(["henderson"]));
}

#[test]
fn random_bytes_inside_tls_end_only_the_connection() {
    let server = TestServer::of_realm("barat", |_| {});
    let mut random = fastrand::Rng::with_seed(seed());
    runtime().block_on(async {
        for _ in 0..10 {
            let mut peer_stream = dial(server.home()).await;
            let garbage: Vec<u8> = (0..random.usize(1..4_000)).map(|_| random.u8(..)).collect();
            let _may_be_closed = peer_stream.stream.write_all(&garbage).await;
            let _may_be_closed = peer_stream.stream.shutdown().await;
            let _closed = peer_stream.stream.read_to_end(&mut Vec::new()).await;
        }
    });
    let mut messi = messi_of(&server);
    assert_eq!(messi.asks("realms").0["data"].as_array().unwrap().len(), 1, "no realm was added");
}

#[test]
fn a_stop_does_not_wait_for_a_silent_connection_after_link() {
    let mut server = TestServer::start_with(|config| config.server.shutdown = QUICK_STOP);
    let _silent = upgraded(&server);
    server.stop();
}

#[test]
fn a_stop_does_not_wait_for_a_silent_peer_after_tls() {
    let mut server = TestServer::of_realm("barat", |config| config.server.shutdown = QUICK_STOP);
    let runtime = runtime();
    let _silent = runtime.block_on(dial(server.home()));
    server.stop();
}

#[test]
fn silent_peers_do_not_block_other_links() {
    let server = TestServer::of_realm("barat", |_| {});
    let _silent: Vec<Client> = (0..100).map(|_| upgraded(&server)).collect();
    let other = TestServer::of_realm("timur", |_| {});
    messi_of(&other).asks(&super::addrealm("barat", &server)).expect_ok();
}
