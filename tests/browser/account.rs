//! The account: its sessions, its password, its end.

use crate::server::{PASSWORD, Server};
use crate::webdriver::{Driver, ENTER};

#[test]
fn a_session_that_is_ended_elsewhere_leads_to_the_login_with_the_reason_and_keeps_the_draft() {
    let (server, driver) = (Server::start(), Driver::start());
    let (here, there) = (driver.open(1200, 760), driver.open(1200, 760));
    here.registers(&server, "alice");
    here.types(".composer textarea", "belum selesai");
    there.logs_in(&server, "alice");
    there.opens_settings("Sessions");
    there.presses_button("End");
    there.wait_for("document.querySelectorAll('.rows li').length === 1");
    here.wait_for("document.querySelector('.notice')?.textContent === 'This session was ended from another one.'");
    assert_eq!(here.run("return document.querySelector('input[name=username]').value"), "alice");
    here.types("input[name=password]", &format!("{PASSWORD}{ENTER}"));
    here.wait_for("document.querySelector('.composer textarea')?.value === 'belum selesai'");
    here.is_clean();
}

#[test]
fn a_name_and_a_password_are_changed() {
    let (server, driver) = (Server::start(), Driver::start());
    let (alice, other) = (driver.open(1200, 760), driver.open(1200, 760));
    alice.registers(&server, "alice");
    other.logs_in(&server, "alice");
    alice.opens_settings("Your name");
    alice.types("details[open] .field input", "Alice Wijaya");
    alice.presses_button("Save");
    alice.wait_for("document.querySelector('.me .title').textContent === 'Alice Wijaya'");
    alice.unfolds("Password");
    alice.types("details[open] .field input", "salah");
    alice.types("details[open] .field + .field input", "kopi-tubruk");
    alice.presses_button("Save");
    alice.wait_for("document.querySelector('details[open] .problem').textContent === 'The password is wrong.'");
    alice.run("document.querySelector('details[open] .field input').value = ''");
    alice.types("details[open] .field input", PASSWORD);
    alice.presses_button("Save");
    alice.wait_for("document.querySelector('details[open] .saved').textContent === 'Saved'");
    other.wait_for("document.querySelector('.notice')?.textContent.startsWith('The password was changed')");
    server.connect().asks("auth alice kopi-tubruk");
}

#[test]
fn an_account_is_given_up_only_after_a_question() {
    let (server, driver) = (Server::start(), Driver::start());
    let alice = driver.open_as(&server, "alice");
    alice.opens_settings("Delete the account");
    alice.types("details[open] .field input", PASSWORD);
    alice.presses_button("Delete the account");
    alice.presses_button("Cancel");
    alice.presses_button("Delete the account");
    alice.presses_button("Delete the account");
    alice.wait_for("document.querySelector('.login')");
    assert_eq!(server.connect().tries("auth alice rahasia88")["code"], "user_not_found");
    assert_eq!(alice.run("return localStorage.length + sessionStorage.length"), 0);
}

#[test]
fn whoever_is_blocked_stands_in_a_list_and_can_be_heard_again() {
    let (server, driver) = (Server::start(), Driver::start());
    let alice = driver.open_as(&server, "alice");
    let mut bob = server.registers("bob");
    alice.opens("bob");
    alice.opens_details();
    alice.presses_button("Block");
    alice.wait_for("document.querySelector('.state').textContent.includes('blocked')");
    assert_eq!(bob.tries("send alice halo")["code"], "blocked");
    alice.closes_dialogs();
    alice.opens_settings("Blocked people");
    alice.presses_button("Unblock");
    alice.wait_for("document.querySelector('details[open]').innerText.includes('You block nobody.')");
    alice.wait_for("!document.querySelector('.state').textContent.includes('blocked')");
    bob.asks("send alice halo");
    alice.sees(&["halo"]);
}

#[test]
fn whoever_needs_an_invite_is_asked_for_its_code() {
    let server = Server::start_with(
        "[accounts]\nregistration = \"invite\"\nadministrators = [\"messi\"]\n[[users]]\nname = \"messi\"\npassword = \"surabaya\"\n",
    );
    let driver = Driver::start();
    let alice = driver.open(1200, 760);
    let mut messi = server.connect();
    messi.asks("auth messi surabaya");
    let code = messi.asks("invite")["data"]["code"].as_str().unwrap().to_owned();
    alice.go(&server.url());
    alice.clicks(".login .other button");
    alice.types("input[name=username]", "alice");
    alice.types("input[name=password]", &format!("{PASSWORD}{ENTER}"));
    alice.wait_for("document.querySelector('.problem').textContent === 'This server asks for an invite code.'");
    alice.types("input[name=invite]", &format!("salah{ENTER}"));
    alice.wait_for("document.querySelector('.problem').textContent === 'That invite code is not good.'");
    alice.run("document.querySelector('input[name=invite]').value = ''");
    alice.types("input[name=invite]", &format!("{code}{ENTER}"));
    alice.wait_for("document.querySelector('.shell')");
    messi.asks("ban alice spam");
    alice.wait_for("document.querySelector('.notice')?.textContent === 'You may not use this server any more.'");
    alice.is_clean();
}
