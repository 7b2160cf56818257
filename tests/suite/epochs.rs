//! Restored servers: ids are given a second time, and clients that keep an id are told where to go on (PROTOCOL §7).

use std::fs;
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use crate::support::client::Reply;
use crate::support::{Client, TestServer};

/// The files of a stopped server's data directory.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn id(reply: &Reply) -> u64 {
    reply.0["data"]["id"].as_u64().unwrap()
}

fn epoch(client: &mut Client) -> String {
    client.asks("whoami").expect_ok().0["data"]["epoch"].as_str().unwrap().to_owned()
}

/// A server on which messi and neko have registered, and a backup of it.
struct Restorable {
    server: TestServer,
    backup: TempDir,
}

impl Restorable {
    /// With so many messages of messi's to neko in the backup.
    fn new(kept: usize) -> Self {
        let mut server = TestServer::start();
        let mut messi = server.connect().registered("messi");
        server.connect().registered("neko");
        (0..kept).for_each(|number| drop(messi.asks(&format!("send neko kept {number}")).expect_ok()));
        let backup = TempDir::new().unwrap();
        server.stop();
        copy(server.data(), backup.path());
        server.start_again();
        Self { server, backup }
    }

    fn neko(&self) -> Client {
        self.server.connect().logged_in("neko", "rahasia")
    }

    /// Sends messages; returns the position after them as `ID@EPOCH`.
    fn sends(&self, count: usize, text: &str) -> String {
        let mut messi = self.server.connect().logged_in("messi", "rahasia");
        let ids = (0..count).map(|number| id(&messi.asks(&format!("send neko {text} {number}")).expect_ok()));
        format!("{}@{}", ids.last().unwrap(), epoch(&mut messi))
    }

    fn restart(&mut self) {
        self.server.stop();
        self.server.start_again();
    }

    /// Copies the backup over the files of the server: what no file of it can show.
    fn restore(&mut self) {
        self.server.stop();
        for entry in fs::read_dir(self.server.data()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        copy(self.backup.path(), self.server.data());
        self.server.start_again();
    }
}

#[test]
fn every_login_tells_the_same_epoch_and_every_start_another() {
    let mut server = TestServer::start();
    let mut messi = server.connect();
    let registered = messi.asks("register messi rahasia").expect_ok();
    let first = epoch(&mut messi);
    assert_eq!(registered.0["data"]["epoch"], json!(first));
    for request in ["auth messi rahasia", "login messi rahasia", "subscribe", "subscribe 0"] {
        let reply = server.connect().logged_in("messi", "rahasia").asks(request).expect_ok();
        assert_eq!(reply.0["data"]["epoch"], json!(first), "{request}");
    }
    server.stop();
    server.start_again();
    assert_ne!(epoch(&mut server.connect().logged_in("messi", "rahasia")), first);
}

#[test]
fn a_position_of_an_earlier_start_goes_on_without_a_reset() {
    let mut restorable = Restorable::new(1);
    let position = restorable.sends(2, "seen");
    restorable.restart();
    restorable.sends(1, "new");
    let mut neko = restorable.neko();
    neko.asks(&format!("subscribe {position}")).expect_ok();
    assert_eq!(neko.hears().0["data"]["msg"], "new 0");
    neko.hears_nothing();
}

#[test]
fn an_id_that_was_never_given_is_refused() {
    let restorable = Restorable::new(1);
    let mut neko = restorable.neko();
    let current = epoch(&mut neko);
    for request in ["subscribe 1000", "ack 1000", "markread messi 1000", &format!("subscribe 1000@{current}")] {
        let refused = neko.asks(request);
        assert_eq!(refused.code(), "bad_parameter", "{request}");
        assert!(refused.0["detail"].as_str().unwrap().starts_with("ID: "), "{request}");
    }
    for request in ["subscribe 1@", "ack 1@x", "ack @1a1fce79dfbabcde", "ack 1@1A1FCE79DFBABCDE"] {
        assert_eq!(neko.asks(request).code(), "bad_parameter", "{request}");
    }
}

#[test]
fn a_client_of_a_restored_server_is_reset_to_where_the_backup_ends() {
    for starts_between in 0..3 {
        let mut restorable = Restorable::new(3);
        for _ in 0..starts_between {
            restorable.sends(1, "lost");
            restorable.restart();
        }
        let seen = restorable.sends(3, "lost");
        restorable.restore();
        // More than was lost: the numbers alone do not show the restore any more.
        restorable.sends(8, "new");
        restorable.restart();
        let mut neko = restorable.neko();
        let subscribed = neko.asks(&format!("subscribe {seen}")).expect_ok();
        let reset = neko.hears();
        let after = subscribed.0["data"]["after"].clone();
        assert_eq!(reset.0, json!({"event": "reset", "after": after}), "{starts_between}");
        for number in 0..8 {
            assert_eq!(neko.hears().0["data"]["msg"], format!("new {number}"), "{starts_between}");
        }
        neko.hears_nothing();
    }
}

#[test]
fn an_acknowledgement_of_lost_messages_skips_no_new_one() {
    let mut restorable = Restorable::new(2);
    let seen = restorable.sends(6, "lost");
    restorable.restore();
    restorable.sends(8, "new");
    let mut neko = restorable.neko();
    neko.asks(&format!("ack {seen}")).expect_ok();
    let unread: Vec<_> = (0..8).map(|number| format!("new {number}")).collect();
    neko.asks(&format!("markread messi {seen}")).expect_ok();
    assert_eq!(neko.asks("conversations").0["data"][0]["unread"], 8);
    assert_eq!(neko.asks("peek").texts(), unread);
}

#[test]
fn a_client_of_another_log_is_reset_to_its_beginning() {
    let restorable = Restorable::new(2);
    let mut neko = restorable.neko();
    neko.asks("subscribe 5@0000000000000001").expect_ok();
    assert_eq!(neko.hears().0, json!({"event": "reset", "after": 0}));
    assert_eq!(neko.hears().0["data"]["msg"], "kept 0");
}
