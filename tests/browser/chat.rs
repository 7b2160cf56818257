//! People who talk to each other on the page.

use crate::server::Server;
use crate::webdriver::{Browser, Driver};

#[test]
fn two_people_talk_and_nothing_is_markup() {
    let (server, driver) = (Server::start(), Driver::start());
    let (alice, bob) = (driver.open(1200, 760), driver.open(390, 760));
    bob.registers(&server, "bob");
    alice.registers(&server, "alice");
    alice.opens("bob");
    let markup = "<img src=x onerror=alert(1)> <b>b</b> </p><script>alert(2)</script>";
    alice.says(markup);
    alice.says("a\u{202E}b https://example.org/x.");
    alice.sees(&[markup, "aU+202Eb https://example.org/x."]);
    bob.run("document.querySelector('.conversation-head .menu').click()");
    bob.clicks(".sidebar [data-key=alice] button");
    bob.sees(&[markup, "aU+202Eb https://example.org/x."]);
    assert_eq!(bob.run("return document.querySelectorAll('.log img, .log script, .log p b').length"), 0);
    assert_eq!(bob.run("return document.querySelector('.log a').href"), "https://example.org/x");
    bob.says("halo juga");
    alice.sees(&[markup, "aU+202Eb https://example.org/x.", "halo juga"]);
    assert_eq!(bob.run("return document.documentElement.scrollWidth <= innerWidth"), true);
    alice.is_clean();
    bob.is_clean();
}

#[test]
fn whoever_is_named_sees_it() {
    let (server, driver) = (Server::start(), Driver::start());
    let alice = driver.open_as(&server, "alice");
    let mut bob = server.registers("bob");
    for text in ["halo @Alice, apa kabar?", "alicent bukan nama"] {
        bob.asks(&format!("send alice {text}"));
    }
    alice.opens("bob");
    alice.says("alice");
    alice.sees(&["halo @Alice, apa kabar?", "alicent bukan nama", "alice"]);
    let named = "return [...document.querySelectorAll('.names-me p')].map((text) => text.textContent).join('|')";
    assert_eq!(alice.run(named), "halo @Alice, apa kabar?");
}

#[test]
fn a_long_name_takes_one_line() {
    let (server, driver) = (Server::start(), Driver::start());
    let alice = driver.open(390, 760);
    server.registers("alice");
    let long = "W".repeat(120);
    let mut bob = server.connect();
    bob.asks(&format!("register bob rahasia88 {long} Indonesia"));
    bob.asks("send alice halo");
    alice.logs_in(&server, "alice");
    alice.sees(&["halo"]);
    for one in [".conversation-head h2", ".message b", ".composer textarea"] {
        let height = alice.run(&format!("return document.querySelector('{one}').offsetHeight")).as_u64().unwrap();
        assert!((10..60).contains(&height), "{one} is {height} pixels high");
    }
}

#[test]
fn a_group_is_joined_with_its_password_and_its_owner_puts_somebody_out() {
    let (server, driver) = (Server::start(), Driver::start());
    let (alice, bob) = (driver.open_as(&server, "alice"), driver.open_as(&server, "bob"));
    enters_a_group(&alice, "Create a group", "kopi", "Create");
    alice.wait_for("document.querySelector('.conversation-head h2').textContent === 'fans'");
    enters_a_group(&bob, "Join a group", "teh", "Join");
    bob.wait_for("document.querySelector('details[open] .problem').textContent === 'The password is wrong.'");
    bob.run("document.querySelector('details[open] .part input[type=password]').value = 'kopi'");
    bob.presses_button("Join");
    bob.wait_for("document.querySelector('.conversation-head h2').textContent === 'fans'");
    bob.says("halo");
    alice.sees(&["halo"]);
    alice.opens_details();
    alice.presses_button("Remove");
    alice.presses_button("Remove");
    bob.wait_for("document.querySelector('.state').textContent === 'You are not in this group.'");
    alice.wait_for("document.querySelectorAll('.members li').length === 1");
    bob.says("masih?");
    bob.wait_for("document.querySelector('.failed')?.textContent.includes('You are not in that group.')");
}

fn enters_a_group(person: &Browser, part: &str, password: &str, action: &str) {
    person.clicks(".sidebar header button:nth-of-type(2)");
    person.unfolds(part);
    person.types("details[open] .part input", "fans");
    person.types("details[open] .part input[type=password]", password);
    person.presses_button(action);
}

#[test]
fn what_is_said_to_everyone_is_read_by_everyone() {
    let (server, driver) = (Server::start(), Driver::start());
    let (alice, bob) = (driver.open_as(&server, "alice"), driver.open_as(&server, "bob"));
    alice.opens("Everyone");
    alice.says("halo semua");
    alice.sees(&["halo semua"]);
    bob.sees(&["halo semua"]);
    bob.go(&server.url());
    bob.sees(&["halo semua"]);
}

#[test]
fn earlier_messages_come_while_the_reader_scrolls_up() {
    let (server, driver) = (Server::start(), Driver::start());
    let alice = driver.open_as(&server, "alice");
    let mut filler = server.registers("filler");
    filler.sends_numbered("alice", 600);
    alice.wait_for("document.title === '(600) kabar'");
    alice.go(&server.url());
    alice.wait_for("document.querySelector('.message:last-child p')?.textContent === 'pesan 599'");
    alice.wait_for(
        "(document.querySelector('.log').scrollTop = 0, document.querySelectorAll('.message').length === 600)",
    );
    let in_order = "return [...document.querySelectorAll('.message p')].every((text, place) => text.textContent === `pesan ${place}`)";
    assert_eq!(alice.run(in_order), true);
}

#[test]
fn the_reader_stays_at_the_same_place_when_something_arrives() {
    let (server, driver) = (Server::start(), Driver::start());
    let alice = driver.open_as(&server, "alice");
    let mut filler = server.registers("filler");
    filler.sends_numbered("alice", 40);
    alice.opens("filler");
    alice.wait_for("document.querySelectorAll('.message').length === 40");
    alice.run("document.querySelector('.log').scrollTop = 300");
    let place = "return document.querySelectorAll('.message')[20].getBoundingClientRect().top";
    let before = alice.run(place);
    filler.asks("send alice baru");
    alice.wait_for("document.querySelector('.to-newest').textContent.includes('1 new')");
    assert_eq!(alice.run(place), before);
    alice.has_unread("filler", 1);
    alice.clicks(".to-newest");
    alice.has_unread("filler", 0);
    alice.wait_for("document.querySelector('.to-newest').hidden");
}
