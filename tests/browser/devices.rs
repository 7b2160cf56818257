//! One person at several devices.

use crate::server::Server;
use crate::webdriver::Driver;

#[test]
fn what_is_read_on_one_device_is_read_on_the_other() {
    let (server, driver) = (Server::start(), Driver::start());
    let (phone, laptop) = (driver.open(1200, 760), driver.open(1200, 760));
    phone.registers(&server, "alice");
    laptop.logs_in(&server, "alice");
    let mut bob = server.registers("bob");
    for text in ["satu", "dua", "tiga"] {
        bob.asks(&format!("send alice {text}"));
    }
    phone.has_unread("bob", 3);
    laptop.has_unread("bob", 3);
    assert_eq!(laptop.run("return document.title"), "(3) kabar");
    phone.opens("bob");
    phone.sees(&["satu", "dua", "tiga"]);
    phone.has_unread("bob", 0);
    laptop.has_unread("bob", 0);
    bob.asks("send alice empat");
    laptop.has_unread("bob", 1);
    laptop.has_unread("bob", 0);
    laptop.opens("bob");
    laptop.go(&server.url());
    laptop.has_unread("bob", 0);
    assert_eq!(laptop.run("return document.title"), "kabar");
}

#[test]
fn what_is_read_with_inbox_is_read_on_the_page() {
    let (server, driver) = (Server::start(), Driver::start());
    let alice = driver.open_as(&server, "alice");
    let mut bob = server.registers("bob");
    bob.asks("send alice satu");
    bob.asks("send alice dua");
    alice.has_unread("bob", 2);
    let mut terminal = server.connect();
    terminal.asks("auth alice rahasia88");
    terminal.asks("inbox");
    alice.has_unread("bob", 0);
}

#[test]
fn of_more_unread_messages_than_a_page_the_newest_are_shown() {
    let (server, driver) = (Server::start(), Driver::start());
    let alice = driver.open_as(&server, "alice");
    let mut bob = server.registers("bob");
    bob.sends_numbered("alice", 240);
    alice.wait_for("document.title === '(240) kabar'");
    alice.go(&server.url());
    alice.wait_for("document.querySelectorAll('.message').length === 50");
    alice.wait_for("document.querySelector('.to-newest').hidden");
    alice.wait_for("document.querySelector('.message:last-child p').textContent === 'pesan 239'");
}

#[test]
fn the_ruler_stands_where_the_unread_begins() {
    let (server, driver) = (Server::start(), Driver::start());
    let alice = driver.open_as(&server, "alice");
    let mut bob = server.registers("bob");
    bob.asks("send alice satu");
    alice.opens("bob");
    alice.sees(&["satu"]);
    alice.opens("Everyone");
    bob.sends_numbered("alice", 120);
    alice.wait_for("document.title === '(120) kabar'");
    alice.go(&server.url());
    alice.wait_for("document.querySelector('.ruler + .message p')?.textContent === 'pesan 0'");
    alice.wait_for("document.querySelector('.ruler').getBoundingClientRect().top > 0");
}
