//! A terminal that a test types into and looks at.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use super::wait_until;

/// A tmux server of its own, with one window.
pub(crate) struct Tmux {
    directory: TempDir,
}

impl Tmux {
    /// Opens a window of so many columns and rows with a shell.
    pub(crate) fn open(columns: u16, rows: u16, home: &Path) -> Self {
        let tmux = Self { directory: TempDir::new().unwrap() };
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let profile = tmux.directory.path().join("profile");
        std::fs::write(&profile, "PS1='ready> '").unwrap();
        let mut command = tmux.command();
        // Without a configuration of the machine's, and with a prompt that is known.
        command.args(["-u", "-f", "/dev/null", "new-session", "-d", "-x", &columns, "-y", &rows, "sh"]);
        command.env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8");
        command.env("ENV", &profile).env("TERM", "xterm-256color").env("TZ", "UTC");
        run(&mut command);
        tmux.sees("ready>");
        tmux
    }

    fn command(&self) -> Command {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(self.directory.path().join("socket"));
        command
    }

    fn asks(&self, arguments: &[&str]) -> String {
        String::from_utf8(run(self.command().args(arguments)).stdout).unwrap()
    }

    /// Types a text as it is.
    pub(crate) fn types(&self, text: &str) {
        self.asks(&["send-keys", "-l", "--", text]);
    }

    /// Types a line.
    pub(crate) fn says(&self, line: &str) {
        self.types(line);
        self.presses("Enter");
    }

    /// Presses a key by the name that tmux has for it.
    pub(crate) fn presses(&self, key: &str) {
        self.asks(&["send-keys", key]);
    }

    /// Pastes a text, as a terminal does.
    pub(crate) fn pastes(&self, text: &str) {
        let file = self.directory.path().join("paste");
        std::fs::write(&file, text).unwrap();
        self.asks(&["load-buffer", file.to_str().unwrap()]);
        self.asks(&["paste-buffer", "-p", "-r"]);
    }

    pub(crate) fn resizes(&self, columns: u16, rows: u16) {
        self.asks(&["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]);
    }

    pub(crate) fn screen(&self) -> String {
        self.asks(&["capture-pane", "-p"])
    }

    /// Waits until a text is on the screen.
    #[track_caller]
    pub(crate) fn sees(&self, text: &str) {
        self.sees_that(text, |screen| screen.contains(text));
    }

    /// Waits until the screen is as it should be.
    #[track_caller]
    pub(crate) fn sees_that(&self, what: &str, is_so: impl Fn(&str) -> bool) {
        let last = std::cell::RefCell::new(String::new());
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_until(what, || {
                last.replace(self.screen());
                is_so(&last.borrow())
            });
        }));
        assert!(result.is_ok(), "{what} is not on the screen:\n{}", last.borrow());
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _already_gone = self.command().arg("kill-server").output();
    }
}

fn run(command: &mut Command) -> Output {
    let output = command.output().expect("tmux, which these tests need: apt-get install tmux");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}
