//! Lines of a text that fit a width, as a terminal counts it: 2 for CJK and emoji.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Breaks at spaces, and inside a word that is wider than a line. The first line may be shorter than the others.
pub(super) fn wrap(text: &str, first: usize, width: usize) -> Vec<String> {
    let width = width.max(2);
    let mut lines = vec![String::new()];
    let mut room = first;
    for word in text.split_word_bounds() {
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
