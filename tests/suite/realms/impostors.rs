//! Who pretends to be a server, or speaks as none would (PROTOCOL §6). What comes inside a link is tried frame by frame in
//! `src/realm`.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use kabar::federation::{Carried, Carrier, Identity, TcpCarrier};
use kabar::wire::ReplyFormat;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;

use super::messi_of;
use crate::support::{Client, TestServer};

/// How long a stop may take, though somebody lets it wait.
const SOON: Duration = Duration::from_secs(3);

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A connection that was answered to its `link`.
fn asked_for_a_link(server: &TestServer) -> Client {
    let mut client = server.connect();
    assert_eq!(client.asks("link 1").expect_ok().message(), "link");
    client
}

/// A channel to the server, of somebody with a key that it does not know.
async fn channel(address: SocketAddr) -> Carried {
    let directory = TempDir::new().unwrap();
    let identity = Identity::open(directory.path()).unwrap();
    let carrier = TcpCarrier::new(&identity, vec!["127.0.0.0/8".parse().unwrap()]);
    carrier.dial("127.0.0.1", address.port()).await.unwrap()
}

#[test]
fn another_version_of_links_is_told_so_and_may_go_on_talking() {
    let server = TestServer::with_documented_users();
    let mut client = server.connect();
    assert_eq!(client.asks("link 9").code(), "unknown_version");
    assert_eq!(client.asks("link").code(), "bad_parameter");
    assert_eq!(client.asks("ping").message(), "pong");
}

#[test]
fn a_text_listener_makes_links_too() {
    let server = TestServer::with_documented_users();
    let mut client = server.connect_text();
    client.says("link 1");
    assert_eq!(client.hears_line(), "[OK] link");
    let other = TestServer::with_documented_users();
    let port = server.address(ReplyFormat::Text).port();
    let mut messi = messi_of(&other);
    messi.asks(&format!("addrealm timur 127.0.0.1 {port}")).expect_ok();
    assert_eq!(messi.asks("send henderson@timur halo").expect_ok().0["data"]["delivered"], true);
}

#[test]
fn bytes_other_than_a_handshake_end_the_connection_and_nothing_else() {
    let server = TestServer::with_documented_users();
    let mut random = fastrand::Rng::new();
    println!("seed {}", random.get_seed());
    let mut garbage: Vec<Vec<u8>> =
        (0..20).map(|_| (0..random.usize(1..4_000)).map(|_| random.u8(..)).collect()).collect();
    garbage.push(b"send messi halo\r\n".to_vec());
    garbage.push(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec());
    // The head of a record of TLS, and no end.
    garbage.push([b"\x16\x03\x01\x40\x00".as_slice(), &[1; 100]].concat());
    for bytes in garbage {
        let mut client = asked_for_a_link(&server);
        client.sends(&bytes);
        client.half_closes();
        client.hears_it_end();
    }
    assert_eq!(server.connect().asks("ping").message(), "pong");
}

#[test]
fn a_handshake_that_is_sent_before_the_answer_ends_the_connection() {
    let server = TestServer::with_documented_users();
    let mut client = server.connect();
    client.sends("link 1\r\nsend messi halo\r\n");
    assert_eq!(client.hears().message(), "link");
    client.hears_it_end();
}

#[test]
fn whoever_was_logged_in_is_offline_once_the_connection_is_a_link() {
    let server = TestServer::with_documented_users();
    let mut messi = messi_of(&server);
    messi.asks("link 1").expect_ok();
    let mut henderson = server.connect().logged_in("henderson", "surabaya");
    assert_eq!(henderson.asks("online").0["data"], serde_json::json!(["henderson"]));
}

#[test]
fn any_bytes_inside_a_channel_end_it_and_nothing_else() {
    let server = TestServer::of_realm("barat", |_| {});
    let mut random = fastrand::Rng::new();
    println!("seed {}", random.get_seed());
    runtime().block_on(async {
        for _ in 0..10 {
            let mut carried = channel(server.home()).await;
            let garbage: Vec<u8> = (0..random.usize(1..4_000)).map(|_| random.u8(..)).collect();
            let _it_may_have_ended_it = carried.stream.write_all(&garbage).await;
            let _likewise = carried.stream.shutdown().await;
            let _until_the_end = carried.stream.read_to_end(&mut Vec::new()).await;
        }
    });
    let mut messi = messi_of(&server);
    assert_eq!(messi.asks("realms").0["data"].as_array().unwrap().len(), 1, "nobody was linked");
}

#[test]
fn a_stop_does_not_wait_for_who_asked_for_a_link_and_says_nothing() {
    let mut server = TestServer::with_documented_users();
    let _silent = asked_for_a_link(&server);
    let begun = Instant::now();
    server.stop();
    assert!(begun.elapsed() < SOON, "the stop took {:?}", begun.elapsed());
}

#[test]
fn a_stop_does_not_wait_for_who_made_a_channel_and_says_nothing() {
    let mut server = TestServer::of_realm("barat", |_| {});
    let runtime = runtime();
    let _silent = runtime.block_on(channel(server.home()));
    let begun = Instant::now();
    server.stop();
    assert!(begun.elapsed() < SOON, "the stop took {:?}", begun.elapsed());
}

#[test]
fn many_who_ask_for_a_link_and_say_nothing_keep_nobody_out() {
    let server = TestServer::of_realm("barat", |_| {});
    let _silent: Vec<Client> = (0..100).map(|_| asked_for_a_link(&server)).collect();
    let other = TestServer::of_realm("timur", |_| {});
    messi_of(&other).asks(&super::addrealm("barat", &server)).expect_ok();
}
