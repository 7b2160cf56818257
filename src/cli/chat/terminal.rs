//! The terminal: taken for the chat, and given back however it ends.

use std::io::{self, Stdout};
use std::panic;

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

/// The terminal in raw mode, restored when this is dropped, and when something panics.
pub(super) struct Screen {
    pub(super) terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    pub(super) fn take() -> io::Result<Self> {
        let inner = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            restore();
            inner(info);
        }));
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste)?;
        Ok(Self { terminal: Terminal::new(CrosstermBackend::new(io::stdout()))? })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// A terminal that is gone needs no restoring.
fn restore() {
    let _gone = execute!(io::stdout(), DisableBracketedPaste, LeaveAlternateScreen, crossterm::cursor::Show);
    let _gone = disable_raw_mode();
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::process::Command;

    use super::*;

    const THIS: &str = "cli::chat::terminal::tests::a_panic_gives_the_terminal_back_before_it_speaks";
    const CHILD: &str = "KABAR_TEST_PANICS";

    /// Runs itself in a terminal, and looks at what that was sent, and how it was left.
    #[test]
    fn a_panic_gives_the_terminal_back_before_it_speaks() {
        if env::var_os(CHILD).is_some() {
            let _screen = Screen::take().unwrap();
            panic!("in the middle");
        }
        let this = env::current_exe().unwrap();
        let command = format!("{} --exact {THIS} --nocapture; stty -a", this.display());
        let script = Command::new("script").args(["-qec", &command, "/dev/null"]).env(CHILD, "1").output();
        let shown = String::from_utf8_lossy(&script.unwrap().stdout).into_owned();
        let place = |text: &str| shown.find(text).unwrap_or_else(|| panic!("no {text:?} in {shown:?}"));
        assert!(place("\u{1b}[?1049h") < place("\u{1b}[?1049l") && place("\u{1b}[?1049l") < place("in the middle"));
        assert!(shown.contains(" icanon") && shown.contains(" echo "), "{shown:?}");
    }
}
