//! Progress of a long command: one line on standard error, if that is a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::Instant;

use kabar::limits::{PROGRESS_SHOWN, SNAPSHOT_SHOWN};
use kabar::store::Progress;

/// A line of a terminal that is overwritten again and again, without colours.
pub(super) struct ProgressLine {
    doing: &'static str,
    terminal: bool,
    shown: Instant,
    width: usize,
}

impl ProgressLine {
    pub(super) fn new(doing: &'static str) -> Self {
        Self { doing, terminal: io::stderr().is_terminal(), shown: Instant::now(), width: 0 }
    }

    pub(super) fn show(&mut self, progress: Progress) {
        let percent = progress.percent.map_or(String::new(), |percent| format!(" ({percent}%)"));
        self.show_text(&format!("{} {}{percent}", grouped(progress.count), progress.unit));
    }

    fn show_text(&mut self, progress: &str) {
        if !self.terminal || self.shown.elapsed() < PROGRESS_SHOWN {
            return;
        }
        self.shown = Instant::now();
        let text = format!("{}: {progress}", self.doing);
        self.write(&text);
        self.width = text.len();
    }

    /// As [`Self::show`]; if standard error is no terminal, a line now and then.
    pub(super) fn show_or_log(&mut self, progress: &str) {
        if self.terminal {
            self.show_text(progress);
        } else if self.shown.elapsed() >= SNAPSHOT_SHOWN {
            self.shown = Instant::now();
            eprintln!("kabar: {}: {progress}", self.doing);
        }
    }

    /// A failure is ignored: a closed terminal does not stop the command.
    fn write(&self, text: &str) {
        let _unseen = write!(io::stderr(), "\r{text:<width$}", width = self.width);
    }
}

/// Erases the line.
impl Drop for ProgressLine {
    fn drop(&mut self) {
        if self.width > 0 {
            self.write("");
            self.write("\r");
        }
    }
}

/// Groups digits by thousands: `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    if number < 1_000 {
        return number.to_string();
    }
    format!("{},{:03}", grouped(number / 1_000), number % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
