//! What a person does on the page, and sees there.

use serde_json::json;

use crate::server::{PASSWORD, Server};
use crate::webdriver::{Browser, Driver, ENTER};

impl Driver {
    /// A browser of somebody with a new account.
    #[track_caller]
    pub(crate) fn open_as(&self, server: &Server, user: &str) -> Browser<'_> {
        let browser = self.open(1200, 760);
        browser.registers(server, user);
        browser
    }
}

impl Browser<'_> {
    #[track_caller]
    pub(crate) fn registers(&self, server: &Server, user: &str) {
        self.registers_at(&server.url(), user);
    }

    #[track_caller]
    pub(crate) fn registers_at(&self, url: &str, user: &str) {
        self.go(url);
        self.clicks(".login .other button");
        self.enters(user);
    }

    #[track_caller]
    pub(crate) fn logs_in(&self, server: &Server, user: &str) {
        self.go(&server.url());
        self.enters(user);
    }

    /// Logs in, and is remembered by the browser.
    #[track_caller]
    pub(crate) fn stays_logged_in(&self, server: &Server, user: &str) {
        self.go(&server.url());
        self.clicks("#remember");
        self.enters(user);
    }

    #[track_caller]
    fn enters(&self, user: &str) {
        self.types("input[name=username]", user);
        self.types("input[name=password]", &format!("{PASSWORD}{ENTER}"));
        self.wait_for("document.querySelector('.shell')");
    }

    /// Opens a conversation with the switcher.
    #[track_caller]
    pub(crate) fn opens(&self, name: &str) {
        self.wait_for("document.querySelector('.sidebar')");
        self.run("document.querySelector('.sidebar header button').click()");
        self.types(".switcher input", name);
        self.wait_for(&format!(
            "document.querySelector('.switcher [aria-selected=true]')?.textContent.includes('{name}')"
        ));
        self.types(".switcher input", ENTER);
        self.wait_for(&format!("document.querySelector('.conversation-head h2').textContent === '{name}'"));
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        self.types(".composer textarea", &format!("{text}{ENTER}"));
    }

    /// Waits until the log shows these texts, in this order and no other, all of them sent.
    #[track_caller]
    pub(crate) fn sees(&self, texts: &[&str]) {
        let shown = "[...document.querySelectorAll('.message > p')].map((text) => text.textContent)";
        let expected = json!(texts);
        self.wait_for(&format!(
            "JSON.stringify({shown}) === JSON.stringify({expected}) && !document.querySelector('.sending, .pending')"
        ));
    }

    /// Waits until a conversation has so many unread messages in the list.
    #[track_caller]
    pub(crate) fn has_unread(&self, conversation: &str, count: usize) {
        let badge = format!("document.querySelector('.sidebar [data-key=\"{conversation}\"] .badge [aria-hidden]')");
        let expected = match count {
            0 => "undefined".to_owned(),
            1..100 => format!("'{count}'"),
            _ => "'99+'".to_owned(),
        };
        self.wait_for(&format!(
            "document.querySelector('.sidebar [data-key=\"{conversation}\"]') && {badge}?.textContent === {expected}"
        ));
    }

    /// Opens the settings at one of their parts.
    #[track_caller]
    pub(crate) fn opens_settings(&self, part: &str) {
        self.run("document.querySelector('.me button').click()");
        self.unfolds(part);
    }

    /// Opens what can be known of the open conversation.
    #[track_caller]
    pub(crate) fn opens_details(&self) {
        self.clicks(".conversation-head > button:last-child");
        self.wait_for("document.querySelector('dialog .details')?.children.length");
    }

    #[track_caller]
    pub(crate) fn unfolds(&self, part: &str) {
        let found =
            format!("[...document.querySelectorAll('dialog summary')].find((one) => one.textContent === '{part}')");
        self.wait_for(&found);
        self.run(&format!("const part = {found}; if (!part.parentElement.open) part.click()"));
        self.wait_for(&format!("{found}.parentElement.open && {found}.nextElementSibling"));
    }

    #[track_caller]
    pub(crate) fn presses_button(&self, label: &str) {
        let found = format!(
            "[...document.querySelectorAll('dialog[open]')].at(-1) &&
            [...[...document.querySelectorAll('dialog[open]')].at(-1).querySelectorAll('button')]
            .find((one) => one.textContent === '{label}' && !one.disabled && one.checkVisibility())"
        );
        self.wait_for(&found);
        self.run(&format!("({found}).click()"));
    }

    pub(crate) fn closes_dialogs(&self) {
        self.run("[...document.querySelectorAll('dialog')].reverse().forEach((dialog) => dialog.close())");
    }

    /// Nothing went wrong on the page, and nothing was asked of another host.
    #[track_caller]
    pub(crate) fn is_clean(&self) {
        assert_eq!(self.console_errors(), [""; 0]);
        let others = "return performance.getEntries().map(({ name }) => name).filter((name) => name.includes('://') \
            && !name.startsWith(location.origin))";
        assert_eq!(self.run(others), json!([]));
    }
}
