//! One line of input, with the keys of readline.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::cli::client::shown::safe;

/// Lines that can be called back.
const REMEMBERED: usize = 100;

#[derive(Debug, Default)]
pub(super) struct Editor {
    text: String,
    /// A byte of `text`, between two characters as a person sees them.
    cursor: usize,
    killed: String,
    remembered: Vec<String>,
    /// Which remembered line is shown.
    recalled: Option<usize>,
}

impl Editor {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn before_cursor(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    fn after_cursor(&self) -> &str {
        self.text.get(self.cursor..).unwrap_or_default()
    }

    /// Inserts what can stand in a line.
    pub(super) fn insert(&mut self, text: &str) {
        let text = safe(text);
        self.text.insert_str(self.cursor, &text);
        self.cursor += text.len();
    }

    /// Replaces what stands before the cursor.
    pub(super) fn replace_before(&mut self, text: &str) {
        self.text.replace_range(..self.cursor, text);
        self.cursor = text.len();
    }

    /// Empties the line and returns it.
    pub(super) fn take(&mut self) -> String {
        self.cursor = 0;
        self.recalled = None;
        std::mem::take(&mut self.text)
    }

    pub(super) fn set(&mut self, text: String) {
        self.cursor = text.len();
        self.text = text;
    }

    pub(super) fn remember(&mut self, line: &str) {
        if self.remembered.last().is_none_or(|last| last != line) {
            self.remembered.push(line.to_owned());
        }
        if self.remembered.len() > REMEMBERED {
            self.remembered.remove(0);
        }
    }

    pub(super) fn left(&mut self) {
        self.cursor -= self.before_cursor().graphemes(true).next_back().map_or(0, str::len);
    }

    pub(super) fn right(&mut self) {
        self.cursor += self.after_cursor().graphemes(true).next().map_or(0, str::len);
    }

    pub(super) fn home(&mut self) {
        self.cursor = 0;
    }

    pub(super) fn end(&mut self) {
        self.cursor = self.text.len();
    }

    pub(super) fn word_left(&mut self) {
        let words = self.before_cursor().trim_end();
        self.cursor = words.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    }

    pub(super) fn word_right(&mut self) {
        let rest = self.after_cursor();
        let start = rest.len() - rest.trim_start().len();
        let word = rest.get(start..).unwrap_or_default();
        self.cursor += start + word.find(char::is_whitespace).unwrap_or(word.len());
    }

    pub(super) fn backspace(&mut self) {
        let end = self.cursor;
        self.left();
        self.text.replace_range(self.cursor..end, "");
    }

    pub(super) fn delete(&mut self) {
        let length = self.after_cursor().graphemes(true).next().map_or(0, str::len);
        self.text.replace_range(self.cursor..self.cursor + length, "");
    }

    pub(super) fn kill_to_end(&mut self) {
        self.killed = self.text.split_off(self.cursor);
    }

    pub(super) fn kill_to_start(&mut self) {
        self.kill_from(0);
    }

    pub(super) fn kill_word(&mut self) {
        let end = self.cursor;
        self.word_left();
        let start = std::mem::replace(&mut self.cursor, end);
        self.kill_from(start);
    }

    fn kill_from(&mut self, start: usize) {
        self.killed = self.text.drain(start..self.cursor).collect();
        self.cursor = start;
    }

    pub(super) fn yank(&mut self) {
        let killed = self.killed.clone();
        self.insert(&killed);
    }

    /// The line before in the history of input.
    pub(super) fn recall_older(&mut self) {
        let at = self.recalled.map_or(self.remembered.len(), |at| at);
        if at > 0 {
            self.recall(at - 1);
        }
    }

    pub(super) fn recall_newer(&mut self) {
        match self.recalled {
            Some(at) if at + 1 < self.remembered.len() => self.recall(at + 1),
            Some(_) => drop(self.take()),
            None => {}
        }
    }

    fn recall(&mut self, at: usize) {
        if let Some(line) = self.remembered.get(at) {
            self.set(line.clone());
            self.recalled = Some(at);
        }
    }

    /// The part that fits into so many columns, and the column of the cursor in it.
    pub(super) fn window(&self, columns: usize) -> (String, usize) {
        let mut start = 0;
        while self.text.get(start..self.cursor).unwrap_or_default().width() >= columns.max(1) {
            let next = self.text.get(start..).unwrap_or_default().graphemes(true).next().map_or(0, str::len);
            if next == 0 {
                break;
            }
            start += next;
        }
        let mut shown = String::new();
        for grapheme in self.text.get(start..).unwrap_or_default().graphemes(true) {
            if shown.width() + grapheme.width() > columns {
                break;
            }
            shown.push_str(grapheme);
        }
        (shown, self.text.get(start..self.cursor).unwrap_or_default().width())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn editor(text: &str) -> Editor {
        let mut editor = Editor::default();
        editor.insert(text);
        editor
    }

    #[test]
    fn the_cursor_moves_over_whole_characters() {
        let mut editor = editor("日👩‍🚀é");
        editor.left();
        editor.left();
        editor.backspace();
        assert_eq!(editor.text(), "👩‍🚀é");
        editor.delete();
        assert_eq!(editor.text(), "é");
    }

    #[test]
    fn words_are_killed_and_yanked() {
        let mut editor = editor("one two  three");
        editor.kill_word();
        assert_eq!(editor.text(), "one two  ");
        editor.word_left();
        editor.kill_to_start();
        assert_eq!(editor.text(), "two  ");
        editor.end();
        editor.yank();
        assert_eq!(editor.text(), "two  one ");
    }

    #[test]
    fn what_was_said_is_recalled() {
        let mut editor = Editor::default();
        editor.remember("one");
        editor.remember("two");
        editor.recall_older();
        editor.recall_older();
        assert_eq!(editor.text(), "one");
        editor.recall_older();
        editor.recall_newer();
        assert_eq!(editor.text(), "two");
        editor.recall_newer();
        assert_eq!(editor.text(), "");
    }

    #[test]
    fn the_window_shows_the_cursor() {
        let mut editor = editor("日本語日本語");
        assert_eq!(editor.window(6), ("本語".to_owned(), 4));
        editor.home();
        assert_eq!(editor.window(6), ("日本語".to_owned(), 0));
    }
}
