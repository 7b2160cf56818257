//! Two linked servers (PROTOCOL §6).

mod adding;
mod bans;
mod configured;
mod crash;
mod delivery;
mod hostile_peer;
mod messages;
mod outage;
mod removing;
mod warnings;

use std::time::{Duration, Instant};

use kabar::config::Config;
use serde_json::Value;

use crate::support::{Client, TestServer};

/// How long to wait for the state of a link. Only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stop that waits for a silent peer takes longer, for that is less than a handshake may take.
const QUICK_STOP: Duration = Duration::from_secs(3);

/// Two servers with the documented users: messi is on barat, henderson on timur.
struct Pair {
    barat: TestServer,
    timur: TestServer,
}

impl Pair {
    /// Servers that do not know each other.
    fn apart() -> Self {
        Self::apart_with(|_| {})
    }

    fn apart_with(change: impl Fn(&mut Config)) -> Self {
        Self { barat: TestServer::of_realm("barat", &change), timur: TestServer::of_realm("timur", &change) }
    }

    /// Servers that messi has linked.
    fn linked() -> Self {
        let pair = Self::apart();
        pair.messi().asks(&pair.addrealm("timur")).expect_ok();
        pair
    }

    fn messi(&self) -> Client {
        messi_of(&self.barat)
    }

    fn henderson(&self) -> Client {
        self.timur.connect().logged_in("henderson", "surabaya")
    }

    /// The command that links timur under a name.
    fn addrealm(&self, name: &str) -> String {
        addrealm(name, &self.timur)
    }
}

fn messi_of(server: &TestServer) -> Client {
    server.connect().logged_in("messi", "surabaya")
}

/// The command that links a server under a name.
fn addrealm(name: &str, server: &TestServer) -> String {
    let home = server.home();
    format!("addrealm {name} {} {}", home.ip(), home.port())
}

/// The entry of a realm in the reply to `realms`.
fn realm(client: &mut Client, name: &str) -> Option<Value> {
    let realms = client.asks("realms").expect_ok();
    realms.0["data"].as_array().unwrap().iter().find(|realm| realm["realm"] == name).cloned()
}

/// Polls a realm until the condition holds, and returns its entry.
#[track_caller]
fn wait_for(client: &mut Client, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let found = realm(client, name);
        if let Some(found) = found.as_ref().filter(|realm| is_so(realm)) {
            return found.clone();
        }
        assert!(begun.elapsed() < PATIENCE, "{name} is still {found:?}");
    }
}

fn is_up(realm: &Value) -> bool {
    realm["state"] == "up"
}

fn is_down(realm: &Value) -> bool {
    realm["state"] == "down"
}

/// The link is up and nothing waits.
fn is_drained(realm: &Value) -> bool {
    is_up(realm) && realm["queued"] == 0
}

/// Polls the inbox until it is not empty, and returns its texts.
#[track_caller]
fn wait_for_inbox(client: &mut Client) -> Vec<String> {
    let begun = Instant::now();
    loop {
        let inbox = client.asks("inbox").expect_ok();
        if !inbox.texts().is_empty() {
            return inbox.texts();
        }
        assert!(begun.elapsed() < PATIENCE, "nothing came");
    }
}
