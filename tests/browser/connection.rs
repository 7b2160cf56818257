//! The connection breaks, and comes back.

use crate::server::Server;
use crate::webdriver::Driver;

#[test]
fn what_is_typed_while_the_server_is_down_is_sent_once() {
    let (mut server, driver) = (Server::start(), Driver::start());
    let (alice, bob) = (driver.open_as(&server, "alice"), driver.open_as(&server, "bob"));
    alice.opens("bob");
    alice.says("sebelum");
    alice.sees(&["sebelum"]);
    bob.opens("alice");
    bob.sees(&["sebelum"]);
    server.kill();
    alice.wait_for("document.querySelector('.banner.lost:not([hidden]) .countdown')");
    alice.says("selama");
    alice.wait_for("document.querySelector('.message.pending')");
    server.start_again();
    alice.sees(&["sebelum", "selama"]);
    bob.sees(&["sebelum", "selama"]);
    alice.wait_for("document.querySelector('.banner').hidden");
    alice.says("sesudah");
    bob.sees(&["sebelum", "selama", "sesudah"]);
    alice.go(&server.url());
    alice.opens("bob");
    alice.sees(&["sebelum", "selama", "sesudah"]);
    alice.is_clean();
}

#[test]
fn what_was_missed_is_caught_up_without_a_gap_or_a_repeat() {
    let (mut server, driver) = (Server::start(), Driver::start());
    let alice = driver.open_as(&server, "alice");
    let mut bob = server.registers("bob");
    bob.asks("send alice satu");
    alice.opens("bob");
    alice.sees(&["satu"]);
    alice.opens("Everyone");
    server.kill();
    alice.wait_for("!document.querySelector('.banner').hidden");
    server.start_again();
    let mut bob = server.connect();
    bob.asks("auth bob rahasia88");
    for text in ["dua", "tiga"] {
        bob.asks(&format!("send alice {text}"));
    }
    bob.asks("broadcast semua");
    alice.sees(&["semua"]);
    alice.has_unread("bob", 2);
    alice.opens("bob");
    alice.sees(&["satu", "dua", "tiga"]);
}

#[test]
fn a_message_of_a_server_that_is_down_survives_a_reload() {
    let (mut server, driver) = (Server::start(), Driver::start());
    let alice = driver.open_as(&server, "alice");
    server.registers("bob");
    alice.opens("bob");
    server.kill();
    alice.wait_for("!document.querySelector('.banner').hidden");
    alice.says("selama");
    alice.wait_for("document.querySelector('.message.pending')");
    server.start_again();
    alice.go(&server.url());
    alice.opens("bob");
    alice.sees(&["selama"]);
    let history = server.connect().asks("auth bob rahasia88");
    assert_eq!(history["status"], "OK");
}

#[test]
fn what_a_restored_server_does_not_know_is_forgotten_and_what_is_new_is_shown() {
    let (mut server, driver) = (Server::start(), Driver::start());
    let alice = driver.open_as(&server, "alice");
    server.registers("bob").asks("send alice satu");
    alice.opens("bob");
    alice.sees(&["satu"]);
    server.kill();
    server.back_up();
    server.start_again();
    let mut bob = server.connect();
    bob.asks("auth bob rahasia88");
    bob.asks("send alice hilang");
    alice.sees(&["satu", "hilang"]);
    server.kill();
    server.restore();
    server.start_again();
    let mut bob = server.connect();
    bob.asks("auth bob rahasia88");
    bob.asks("send alice baru");
    alice.sees(&["satu", "baru"]);
    bob.asks("send alice lagi");
    alice.sees(&["satu", "baru", "lagi"]);
    alice.is_clean();
}
