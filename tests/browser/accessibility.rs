//! Every view under axe-core, light and dark, on a desktop and on a phone.

use std::fmt::Write;

use serde_json::Value;

use crate::server::{PASSWORD, Server};
use crate::webdriver::{Browser, Driver, ENTER};

/// axe-core 4.14.1 as its package has it (MPL-2.0, see the file LICENSE beside it).
const AXE: &str = include_str!("axe/axe.min.js");

#[test]
fn no_view_has_a_serious_finding() {
    let (mut server, driver) = (Server::start(), Driver::start());
    let page = driver.open(1200, 760);
    page.go(&server.url());
    page.wait_for("document.querySelector('.login')");
    page.passes("login");
    page.registers(&server, "alice");
    page.passes("nothing said yet");
    fill(&server);
    page.opens("bob");
    page.wait_for("document.querySelectorAll('.message').length > 2");
    page.passes("a conversation");
    page.opens_details();
    page.passes("a person");
    page.closes_dialogs();
    page.opens("kelas");
    page.wait_for("document.querySelector('.ruler')");
    page.passes("a group with unread messages");
    page.opens_details();
    page.passes("its members");
    page.closes_dialogs();
    page.run("document.querySelector('.sidebar header button').click()");
    page.types(".switcher input", "b");
    page.passes("the switcher");
    page.closes_dialogs();
    page.run("document.querySelectorAll('.sidebar header button')[1].click()");
    for part in ["Talk to a person", "Join a group", "Create a group"] {
        page.unfolds(part);
        page.passes(part);
    }
    page.closes_dialogs();
    page.run("document.querySelector('.me button').click()");
    let parts = [
        "This browser",
        "Your name",
        "Password",
        "Sessions",
        "Blocked people",
        "Servers",
        "Keys",
        "Delete the account",
    ];
    for part in parts {
        page.unfolds(part);
        page.passes(part);
    }
    page.presses_button("Delete the account");
    page.passes("a question");
    page.closes_dialogs();
    server.kill();
    page.wait_for("!document.querySelector('.banner').hidden");
    page.says("menunggu");
    page.wait_for("document.querySelector('.message.pending')");
    page.passes("no connection");
}

#[test]
fn no_view_of_a_phone_has_a_serious_finding_and_all_targets_are_large() {
    let (server, driver) = (Server::start(), Driver::start());
    let page = driver.open(390, 760);
    page.registers(&server, "alice");
    fill(&server);
    page.opens("bob");
    page.passes("a conversation on a phone");
    page.has_large_targets();
    page.run("document.querySelector('.conversation-head .menu').click()");
    page.wait_for("document.querySelector('.sidebar').checkVisibility({ visibilityProperty: true })");
    page.wait_for("document.querySelector('.sidebar').getAnimations().length === 0");
    page.passes("the drawer");
    page.has_large_targets();
    page.opens_settings("Servers");
    page.passes("settings on a phone");
    page.has_large_targets();
    assert_eq!(page.run("return document.documentElement.scrollWidth <= innerWidth"), true);
}

#[test]
fn the_question_for_an_invite_has_no_serious_finding() {
    let server = Server::start_with("[accounts]\nregistration = \"invite\"\n");
    let driver = Driver::start();
    let page = driver.open(390, 760);
    page.go(&server.url());
    page.clicks(".login .other button");
    page.types("input[name=username]", "alice");
    page.types("input[name=password]", &format!("{PASSWORD}{ENTER}"));
    page.wait_for("document.querySelector('input[name=invite]').checkVisibility()");
    page.wait_for("document.activeElement.name === 'invite'");
    page.passes("the question for an invite");
    page.has_large_targets();
}

fn fill(server: &Server) {
    let mut alice = server.connect();
    alice.asks("auth alice rahasia88");
    alice.asks("addgroup kelas");
    let mut bob = server.registers("bob");
    bob.asks("setname Budi");
    bob.asks("setname bob");
    bob.asks("joingroup kelas");
    bob.asks("send alice halo https://example.org/x");
    bob.asks("send alice a\u{202E}b");
    bob.asks("sendgroup kelas halo semua");
    alice.asks("send bob hai");
    alice.asks("block bob");
    alice.asks("addrealm rumah");
}

impl Browser<'_> {
    /// axe-core finds nothing serious, in light and in dark.
    #[track_caller]
    fn passes(&self, view: &str) {
        for is_dark in [false, true] {
            self.prefers_dark(is_dark);
            if self.run("return typeof axe") == "undefined" {
                self.run(AXE);
            }
            let found = self.run_async(
                "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => \
                 done(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')))",
            );
            let findings = found.as_array().unwrap();
            assert!(findings.is_empty(), "{view}, dark: {is_dark}:\n{}", describe(findings));
        }
    }

    /// Whatever can be tapped is at least 44 pixels high; links in a text and words in a sentence are as high as these.
    #[track_caller]
    fn has_large_targets(&self) {
        let small = "return [...document.querySelectorAll('button:not(.link), summary, input, select, textarea')]
            .filter((one) => one.checkVisibility({ visibilityProperty: true }))
            .filter((one) => one.getBoundingClientRect().height < 44 && !one.closest('.check'))
            .map((one) => one.outerHTML.slice(0, 100))";
        assert_eq!(self.run(small), Value::Array(Vec::new()));
    }
}

fn describe(findings: &[Value]) -> String {
    let mut text = String::new();
    for finding in findings {
        writeln!(text, "{}: {}", finding["id"], finding["help"]).unwrap();
        for node in finding["nodes"].as_array().unwrap() {
            writeln!(text, "    {} {}", node["html"], node["failureSummary"]).unwrap();
        }
    }
    text
}
