//! Places for connections: nobody can take them all.

use kabar::config::Config;

use crate::support::{Client, TestServer};

fn ten_places(config: &mut Config) {
    config.connections.max = 10;
}

#[test]
fn connections_of_one_user_do_not_keep_newcomers_out() {
    let server = TestServer::start_with(|config| config.connections.max = 30);
    let first = server.connect().registered("messi");
    let token = server.connect().asks("auth messi rahasia").0["tokenid"].as_str().unwrap().to_owned();
    let mut greedy: Vec<Client> = Vec::new();
    for _ in 0..60 {
        let mut client = server.connect();
        client.says(&format!("whoami {token}"));
        greedy.push(client);
    }
    server.connect().registered("newcomer");
    drop((first, greedy));
}

#[test]
fn a_user_has_only_so_many_connections_and_the_oldest_goes() {
    let server = TestServer::start_with(|config| config.connections.per_user = 2);
    let mut oldest = server.connect().registered("messi");
    let _others: Vec<_> = (0..2).map(|_| server.connect().logged_in("messi", "rahasia")).collect();
    assert_eq!(oldest.hears().code(), "connection_limit");
    oldest.hears_the_end();
}

#[test]
fn strangers_that_keep_talking_do_not_keep_newcomers_out() {
    let server = TestServer::start_with(ten_places);
    let mut strangers: Vec<Client> = (0..9).map(|_| server.connect()).collect();
    // Somebody who has not found the password yet.
    let newcomer = server.connect();
    for _ in 0..5 {
        // What was evicted may be gone.
        strangers.iter_mut().for_each(|stranger| drop(stranger.tries("\nping\n")));
        let mut another = server.connect();
        another.hears_nothing();
        strangers.push(another);
    }
    newcomer.registered("newcomer");
}

#[test]
fn links_that_are_never_made_do_not_keep_newcomers_out() {
    let server = TestServer::start_with(|config| config.connections.max = 45);
    let mut half: Vec<Client> = (0..40).map(|_| server.connect()).collect();
    half.iter_mut().for_each(|client| drop(client.asks("link 1").expect_ok()));
    let newcomers: Vec<_> = (0..20).map(|number| server.connect().registered(&format!("user{number}"))).collect();
    drop((half, newcomers));
}

#[test]
fn those_who_make_room_and_read_nothing_keep_no_newcomer_out() {
    const PLACES: usize = 100;
    let server = TestServer::start_with(|config| config.connections.max = PLACES);
    let mut held: Vec<Client> = Vec::new();
    for _ in 0..PLACES {
        let mut client = server.connect();
        // The server has more to say than the socket takes, so that the connection cannot end in order.
        client.sends("help\n".repeat(10_000));
        client.half_closes();
        held.push(client);
    }
    for _ in 0..PLACES {
        let mut newcomer = server.connect();
        newcomer.hears_nothing();
        held.push(newcomer);
    }
}

#[test]
fn a_newcomer_who_has_not_logged_in_yet_keeps_the_place_beside_users_with_many() {
    let server = TestServer::start_with(|config| config.connections.max = 30);
    let token = server.connect().asks("register messi rahasia").0["tokenid"].as_str().unwrap().to_owned();
    let mut greedy: Vec<Client> = Vec::new();
    let mut connect = |count: usize| {
        for _ in 0..count {
            let mut client = server.connect_from([127, 0, 0, 2]);
            client.asks(&format!("whoami {token}")).expect_ok();
            greedy.push(client);
        }
    };
    connect(30);
    let mut newcomer = server.connect();
    newcomer.hears_nothing();
    connect(30);
    newcomer.hears_nothing();
}

#[test]
fn what_was_not_answered_before_a_connection_made_room_was_not_done() {
    let server = TestServer::start_with(|config| config.connections.per_user = 1);
    let token = server.connect().asks("register messi rahasia").0["tokenid"].as_str().unwrap().to_owned();
    let mut oldest = server.connect();
    oldest.asks(&format!("whoami {token}")).expect_ok();
    // Not read: the server serves no more than it can tell of.
    oldest.sends("help\n".repeat(10_000) + "send messi late\n");
    let mut newest = server.connect();
    newest.asks(&format!("whoami {token}")).expect_ok();
    oldest.hears_the_rest();
    assert!(newest.asks("inbox").texts().is_empty());
}
