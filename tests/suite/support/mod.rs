//! Test support: a server in this process, the program as a process of its own, clients, and load.

use std::time::Instant;

pub(crate) mod client;
pub(crate) mod fail2ban;
pub(crate) mod load;
pub(crate) mod port;
pub(crate) mod process;
pub(crate) mod replies;
mod schema;
pub(crate) mod seed;
pub(crate) mod server;
pub(crate) mod tls;
pub(crate) mod tmux;
pub(crate) mod transcript;
pub(crate) mod web_client;

pub(crate) use client::Client;
pub(crate) use server::TestServer;
pub(crate) use transcript::Transcript;
pub(crate) use web_client::{HttpClient, WebClient, frame, number};

/// Polls until the condition holds.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + client::PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::yield_now();
    }
}
