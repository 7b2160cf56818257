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
