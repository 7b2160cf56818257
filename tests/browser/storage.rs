//! Unsent messages in the browser: in several tabs, and without a storage.

use crate::server::Server;
use crate::webdriver::{Browser, Driver};

const SETTLED: &str =
    "document.querySelectorAll('.message').length === 2 && !document.querySelector('.sending, .pending')";

/// alice in two tabs of one browser, both at the conversation with bob. Returns the names of the tabs.
fn opens_two_tabs(alice: &Browser<'_>, server: &Server) -> [String; 2] {
    server.registers("alice");
    server.registers("bob");
    alice.stays_logged_in(server, "alice");
    alice.opens("bob");
    let first = alice.tab();
    alice.opens_tab();
    alice.go(&server.url());
    alice.opens("bob");
    [first, alice.tab()]
}

fn writes_without_a_connection(alice: &Browser<'_>, text: &str) {
    alice.wait_for("!document.querySelector('.banner').hidden");
    alice.says(text);
    alice.wait_for("document.querySelector('.message.pending')");
}

#[test]
fn each_message_of_two_tabs_is_sent_once() {
    let (mut server, driver) = (Server::start(), Driver::start());
    let alice = driver.open(1200, 760);
    let tabs = opens_two_tabs(&alice, &server);
    server.kill();
    for (tab, text) in tabs.iter().zip(["satu", "dua"]) {
        alice.goes_to_tab(tab);
        writes_without_a_connection(&alice, text);
    }
    server.start_again();
    for tab in &tabs {
        alice.goes_to_tab(tab);
        alice.wait_for(SETTLED);
    }
    let mut texts = server.inbox("bob");
    texts.sort();
    assert_eq!(texts, ["dua", "satu"]);
}

#[test]
fn a_message_of_a_closed_tab_is_sent_by_another_one() {
    let (mut server, driver) = (Server::start(), Driver::start());
    let alice = driver.open(1200, 760);
    let [first, _] = opens_two_tabs(&alice, &server);
    server.kill();
    writes_without_a_connection(&alice, "satu");
    alice.closes_tab();
    alice.goes_to_tab(&first);
    server.start_again();
    alice.sees(&["satu"]);
    assert_eq!(server.inbox("bob"), ["satu"]);
}

#[test]
fn a_browser_without_storage_shows_the_page_and_sends_after_a_restart() {
    let (mut server, driver) = (Server::start(), Driver::start());
    let alice = driver.open_without_storage();
    server.registers("alice");
    server.registers("bob");
    alice.logs_in(&server, "alice");
    alice.opens("bob");
    server.kill();
    writes_without_a_connection(&alice, "satu");
    server.start_again();
    alice.sees(&["satu"]);
    assert_eq!(server.inbox("bob"), ["satu"]);
}
