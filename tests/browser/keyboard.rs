//! The page with the keyboard alone, and in Indonesian.

use crate::server::{PASSWORD, Server};
use crate::webdriver::{ALT, CONTROL, DOWN, Driver, ENTER, ESCAPE, RELEASE, TAB};

#[test]
fn everything_is_done_with_the_keyboard() {
    let (server, driver) = (Server::start(), Driver::start());
    let alice = driver.open(1200, 760);
    server.registers("alice");
    let mut bob = server.registers("bob");
    server.registers("cici").asks("send alice halo dari cici");
    bob.asks("send alice halo dari bob");
    alice.go(&server.url());
    alice.wait_for("document.activeElement.name === 'username'");
    alice.presses(&format!("alice{TAB}{PASSWORD}{ENTER}"));
    alice.wait_for("document.querySelector('.conversation-head h2')?.textContent === 'bob'");
    alice.presses(&format!("{CONTROL}k{RELEASE}"));
    alice.presses("cic");
    alice.presses(ENTER);
    alice.sees(&["halo dari cici"]);
    alice.presses(&format!("halo juga{ENTER}"));
    alice.sees(&["halo dari cici", "halo juga"]);
    alice.presses(&format!("{ALT}{DOWN}{RELEASE}"));
    alice.sees(&["halo dari bob"]);
    alice.presses(&format!("{CONTROL}k{RELEASE}"));
    alice.wait_for("document.querySelector('dialog')");
    alice.presses(ESCAPE);
    alice.wait_for("!document.querySelector('dialog') && document.activeElement.tagName === 'TEXTAREA'");
    alice.presses(&format!("{CONTROL}k{RELEASE}"));
    alice.presses("tidak.ada");
    alice.presses(ENTER);
    alice.wait_for("document.querySelector('.switcher .hint').textContent === 'There is no user of that name.'");
    alice.presses(ESCAPE);
    // From the list to the log to the text, and nowhere else.
    alice.run("document.activeElement.blur()");
    let mut names = Vec::new();
    for _ in 0..12 {
        alice.presses(TAB);
        let name = "const { ariaLabel, textContent, className, tagName } = document.activeElement; return ariaLabel ?? (tagName === 'DIV' ? className : textContent)";
        names.push(alice.run(name).as_str().unwrap().to_owned());
    }
    let places = ["Find a conversation (Ctrl+K)", "New conversation", "Settings", "Details", "Messages", "Send"];
    let mut found = names.iter();
    for place in places {
        assert!(found.any(|name| name == place), "{place} in {names:?}");
    }
}

#[test]
fn tab_completes_a_name_and_then_moves_on() {
    let (server, driver) = (Server::start(), Driver::start());
    let alice = driver.open_as(&server, "alice");
    let _online = server.registers("cici");
    alice.wait_for("document.querySelector('.sidebar [data-key=cici]')");
    alice.types(".composer textarea", &format!("ci{TAB}halo @CI{TAB}"));
    assert_eq!(alice.run("return document.activeElement.value"), "cici: halo @cici ");
    alice.presses(TAB);
    assert_eq!(alice.run("return document.activeElement.ariaLabel"), "Send");
}

#[test]
fn the_switcher_prefers_the_whole_name() {
    let (server, driver) = (Server::start(), Driver::start());
    let alice = driver.open_as(&server, "alice");
    for user in ["ann", "anna", "joann"] {
        server.registers(user).asks("send alice halo");
    }
    alice.wait_for("document.title === '(3) kabar'");
    alice.presses(&format!("{CONTROL}k{RELEASE}"));
    alice.presses("ann");
    let found = "return [...document.querySelectorAll('.switcher li .grow')].map((name) => name.textContent).join()";
    assert_eq!(alice.run(found), "ann,anna,joann");
}

#[test]
fn the_page_speaks_the_language_of_the_browser_and_can_be_switched() {
    let (server, driver) = (Server::start(), Driver::start());
    let alice = driver.open_in("id-ID", 390, 760);
    alice.go(&server.url());
    alice.wait_for("document.querySelector('.login .primary')?.textContent === 'Masuk'");
    assert_eq!(alice.run("return document.documentElement.lang"), "id");
    alice.registers(&server, "alice");
    alice.wait_for("document.querySelector('.composer textarea').placeholder === 'Pesan untuk Semua orang'");
    alice.run("document.querySelector('.me button').click()");
    alice.run("const choice = document.querySelector('#language'); choice.value = 'en'; choice.dispatchEvent(new Event('change'))");
    alice.wait_for("document.querySelector('.composer textarea')?.placeholder === 'Message to Everyone'");
    assert_eq!(alice.run("return document.documentElement.lang"), "en");
}
