//! Servers that are linked by `[[peers]]` in the configuration.

use kabar::config::{Accept, Config, Peer};
use kabar::id::PeerKey;
use kabar::identity::Identity;
use kabar::name::Name;

use super::{Pair, is_down, is_up, realm, wait_for};
use crate::support::TestServer;

fn key(server: &TestServer) -> PeerKey {
    Identity::find(server.data()).unwrap().key()
}

/// A peer with the address and the key of a server.
fn peer(name: &str, server: &TestServer) -> Peer {
    let (host, port) = (server.home().ip().to_string(), server.home().port());
    Peer { name: Name::parse(name).unwrap(), address: Some((host.into(), port)), key: Some(key(server)) }
}

fn knowing(peer: Peer) -> impl FnOnce(&mut Config) {
    |config| {
        config.realms.accept = Accept::Known;
        config.peers = vec![peer];
    }
}

/// Stopped servers that have generated their keys.
fn stopped() -> Pair {
    let mut pair = Pair::apart();
    pair.barat.stop();
    pair.timur.stop();
    pair
}

fn expect_linked(pair: &Pair) {
    let (mut messi, mut henderson) = (pair.messi(), pair.henderson());
    wait_for(&mut messi, "timur", is_up);
    wait_for(&mut henderson, "barat", is_up);
    assert_eq!(messi.asks("send henderson@timur apa kabar").expect_ok().0["data"]["delivered"], true);
    assert_eq!(henderson.asks("send messi@barat baik").expect_ok().0["data"]["delivered"], true);
}

#[test]
fn configured_servers_link_when_the_first_starts_first() {
    let mut pair = stopped();
    let (barat, timur) = (peer("barat", &pair.barat), peer("timur", &pair.timur));
    pair.barat.start_again_with(knowing(timur));
    pair.timur.start_again_with(knowing(barat));
    expect_linked(&pair);
}

#[test]
fn configured_servers_link_when_the_second_starts_first() {
    let mut pair = stopped();
    let (barat, timur) = (peer("barat", &pair.barat), peer("timur", &pair.timur));
    pair.timur.start_again_with(knowing(barat));
    pair.barat.start_again_with(knowing(timur));
    expect_linked(&pair);
}

#[test]
fn one_of_two_configured_servers_may_have_no_address() {
    let mut pair = stopped();
    let (barat, timur) = (peer("barat", &pair.barat), peer("timur", &pair.timur));
    pair.timur.start_again_with(knowing(Peer { address: None, ..barat }));
    pair.barat.start_again_with(knowing(timur));
    expect_linked(&pair);
}

#[test]
fn a_message_may_be_sent_before_a_configured_server_first_starts() {
    let mut pair = stopped();
    let (barat, timur) = (peer("barat", &pair.barat), peer("timur", &pair.timur));
    pair.barat.start_again_with(knowing(timur));
    let sent = pair.messi().asks("send henderson@timur apa kabar").expect_ok();
    assert_eq!(sent.0["data"]["delivered"], false);
    pair.timur.start_again_with(knowing(barat));
    wait_for(&mut pair.messi(), "timur", |realm| is_up(realm) && realm["queued"] == 0);
    assert_eq!(pair.henderson().asks("inbox").texts(), ["apa kabar"]);
}

#[test]
fn a_server_with_another_key_than_the_configured_one_is_refused() {
    let mut pair = stopped();
    let timur = peer("timur", &pair.timur);
    let wrong = Peer { key: Some(key(&pair.barat)), ..timur.clone() };
    // A key of no server: with its own key the server would detect that it dials itself.
    let unknown = Peer { key: Some(PeerKey([7; 32])), ..wrong };
    pair.timur.start_again();
    pair.barat.start_again_with(knowing(unknown));
    let refused = wait_for(&mut pair.messi(), "timur", |realm| {
        realm["problem"].as_str().is_some_and(|problem| problem.contains("another key"))
    });
    let problem = refused["problem"].as_str().unwrap();
    let (known, met) = (PeerKey([7; 32]).to_string(), timur.key.unwrap().to_string());
    assert!(is_down(&refused) && problem.contains(&known) && problem.contains(&met), "{refused}");
    assert_eq!(pair.messi().asks("send henderson@timur halo").expect_ok().0["data"]["delivered"], false);
}

#[test]
fn a_server_that_is_not_configured_is_refused() {
    let mut pair = stopped();
    pair.barat.start_again();
    pair.timur.start_again_with(|config| config.realms.accept = Accept::Known);
    assert_eq!(pair.messi().asks(&pair.addrealm("timur")).code(), "realm_refused");
    assert!(realm(&mut pair.henderson(), "barat").is_none());
}
