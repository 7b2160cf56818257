//! A server that says "not now".

use crate::server::Server;
use crate::webdriver::Driver;

#[test]
fn a_message_that_is_too_fast_waits_and_keeps_its_place() {
    let server = Server::start_with("[limits]\nmessages_per_second = 1\n");
    let driver = Driver::start();
    let (alice, bob) = (driver.open_as(&server, "alice"), driver.open_as(&server, "bob"));
    alice.opens("bob");
    let watch = "window.failures = 0; new MutationObserver(() => window.failures += document.querySelectorAll('.failed').length)
        .observe(document.querySelector('.log'), { childList: true, subtree: true })";
    alice.run(watch);
    let texts = ["satu", "dua", "tiga", "empat"];
    for text in texts {
        alice.says(text);
    }
    alice.wait_for("document.querySelector('.message.pending .countdown')?.textContent.startsWith('Again in ')");
    alice.sees(&texts);
    assert_eq!(alice.run("return window.failures"), 0);
    bob.opens("alice");
    bob.sees(&texts);
}

#[test]
fn a_form_counts_down_while_the_server_takes_no_more() {
    let server = Server::start_with("[limits]\ngroups_per_day = 1\n");
    let driver = Driver::start();
    let alice = driver.open_as(&server, "alice");
    for group in ["satu", "dua"] {
        alice.clicks(".sidebar header button:nth-of-type(2)");
        alice.unfolds("Create a group");
        alice.types("details[open] .part input", group);
        alice.presses_button("Create");
        alice.wait_for(&format!(
            "document.querySelector('.conversation-head h2').textContent === '{group}' || document.querySelector('details[open] .countdown')"
        ));
    }
    let shown = "return document.querySelector('details[open] form').innerText";
    let text = alice.run(shown);
    assert!(text.as_str().unwrap().contains("Too fast for this server."), "{text}");
    assert!(text.as_str().unwrap().contains("Again in 24 h"), "{text}");
    assert_eq!(alice.run("return document.querySelector('details[open] .primary').disabled"), true);
}

#[test]
fn who_guessed_too_often_is_told_when_to_go_on() {
    let (server, driver) = (Server::start(), Driver::start());
    let alice = driver.open(1200, 760);
    let mut guesser = server.registers("alice");
    alice.go(&server.url());
    alice.types("input[name=username]", "alice");
    alice.types("input[name=password]", "rahasia88");
    // Right before the page's own try: after some seconds one more is allowed.
    while guesser.tries("auth alice salah")["code"] != "throttled" {}
    alice.types("input[name=password]", "\u{E007}");
    alice.wait_for("document.querySelector('.login .countdown')");
    alice.wait_for("document.querySelector('.login .problem').textContent === 'You can try again now.'");
    alice.clicks(".login .primary");
    alice.wait_for("document.querySelector('.shell')");
}
