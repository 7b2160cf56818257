//! Lines of a text that fit a width, as a terminal counts it: 2 for CJK and emoji.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Breaks at spaces, between words of scripts that have none, and inside a word that is wider than a line. An address stays
/// whole if it can, so that a terminal recognises it. The first line may be shorter than the others.
pub(super) fn wrap(text: &str, first: usize, width: usize) -> Vec<String> {
    let width = width.max(2);
    let mut lines = vec![String::new()];
    let mut room = first;
    for word in words(text) {
        let is_begun = lines.last().is_some_and(|line| !line.is_empty()) || lines.len() == 1 && first < width;
        if word.width() > room && is_begun {
            lines.push(String::new());
            room = width;
            if word.trim().is_empty() {
                continue;
            }
        }
        for grapheme in word.graphemes(true) {
            if grapheme.width() > room {
                lines.push(String::new());
                room = width;
            }
            if let Some(line) = lines.last_mut() {
                line.push_str(grapheme);
            }
            room = room.saturating_sub(grapheme.width());
        }
    }
    lines
}

/// Runs of white space, and what stands between them: whole, or, if it has wide characters, by words.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_space = first.is_whitespace();
        let end = rest.find(|c: char| c.is_whitespace() != is_space).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        let has_wide = run.width() > run.graphemes(true).count();
        if has_wide {
            words.extend(run.split_word_bounds())
        } else {
            words.push(run)
        }
        rest = after;
    }
    words
}

/// The beginning of a text in so many columns, with an ellipsis if that is not all.
pub(super) fn shorten(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    for grapheme in text.graphemes(true) {
        if short.width() + grapheme.width() + 1 > width {
            break;
        }
        short.push_str(grapheme);
    }
    short + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_inside_long_words() {
        assert_eq!(wrap("one two three", 8, 8), ["one two ", "three"]);
        assert_eq!(wrap("abcdefgh", 3, 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("日本語テキスト", 6, 6), ["日本語", "テキス", "ト"]);
        assert_eq!(wrap("at https://kampus.example/a/2 (b)", 22, 26), ["at ", "https://kampus.example/a/2", "(b)"]);
        assert_eq!(wrap("", 6, 6), [""]);
    }

    #[test]
    fn the_first_line_may_be_shorter() {
        assert_eq!(wrap("one two three", 4, 9), ["one ", "two three"]);
        assert_eq!(wrap("abcdef", 2, 9), ["", "abcdef"]);
    }

    #[test]
    fn a_long_name_ends_in_an_ellipsis() {
        assert_eq!((shorten("messi", 5), shorten("henderson", 5)), ("messi".to_owned(), "hend…".to_owned()));
        assert_eq!(shorten("日本語", 4), "日…");
    }
}
