//! Escapes lines of the log: a value that somebody chose must not end the line, paint a terminal, or fill the disk.

use std::fmt::Write;

use crate::limits::LOG_LINE_BYTES;

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineForm {
    /// For people.
    Plain,
    /// For people at a terminal, with colours.
    Coloured,
    /// For programs: an object.
    Json,
}

impl LineForm {
    /// The line that tells how many others had no room.
    pub(super) fn left_out(self, count: u64) -> String {
        match self {
            Self::Json => {
                format!("{{\"level\":\"WARN\",\"message\":\"lines of the log were left out\",\"count\":{count}}}\n")
            }
            Self::Plain | Self::Coloured => {
                format!("WARN {count} lines of the log were left out: it was not read in time\n")
            }
        }
    }

    fn too_long(self, bytes: usize) -> String {
        match self {
            Self::Json => {
                format!("{{\"level\":\"WARN\",\"message\":\"a line of the log was too long\",\"bytes\":{bytes}}}\n")
            }
            Self::Plain | Self::Coloured => "…\n".to_owned(),
        }
    }
}

/// The line of an event, with whatever is unsafe in it escaped, and no longer than [`LOG_LINE_BYTES`].
pub(super) fn line(bytes: &[u8], form: LineForm) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let mut line = String::with_capacity(text.len() + 1);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if line.len() > LOG_LINE_BYTES {
            if form == LineForm::Json {
                line.clear();
            }
            line += &form.too_long(text.len());
            return line.into_bytes();
        }
        let colour = if form == LineForm::Coloured { colour_length(rest) } else { 0 };
        if colour > 0 {
            line += &rest[..colour];
            rest = &rest[colour..];
            continue;
        }
        append(&mut line, character, form);
        rest = &rest[character.len_utf8()..];
    }
    line.push('\n');
    line.into_bytes()
}

fn append(line: &mut String, character: char, form: LineForm) {
    if !is_unsafe(character) {
        line.push(character);
        return;
    }
    // Writing to a string cannot fail.
    let _written = match form {
        LineForm::Json => write!(line, "\\u{:04x}", u32::from(character)),
        LineForm::Plain | LineForm::Coloured => write!(line, "{}", character.escape_unicode()),
    };
}

/// The length of the escape sequence for a colour that a text starts with.
fn colour_length(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\u{1b}[") else { return 0 };
    let digits = parameters.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b';').count();
    if parameters.as_bytes().get(digits) == Some(&b'm') { digits + 3 } else { 0 }
}

/// Control characters but tab, C1 among them, line separators, and what turns the direction of a text.
fn is_unsafe(character: char) -> bool {
    let turns_or_breaks = ['\u{61C}', '\u{200E}', '\u{200F}', '\u{FEFF}'].contains(&character)
        || ('\u{2028}'..='\u{202E}').contains(&character)
        || ('\u{2066}'..='\u{2069}').contains(&character);
    (character.is_control() && character != '\t') || turns_or_breaks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, form: LineForm) -> String {
        String::from_utf8(line(text.as_bytes(), form)).unwrap()
    }

    #[test]
    fn what_is_unsafe_is_escaped() {
        let text = "host=a\u{9b}31m\u{202e}b\u{1b}[2Jc\nINFO forged\r\u{0}\u{85}\tséç\n";
        let expected = "host=a\\u{9b}31m\\u{202e}b\\u{1b}[2Jc\\u{a}INFO forged\\u{d}\\u{0}\\u{85}\tséç\n";
        assert_eq!(shown(text, LineForm::Plain), expected);
        assert_eq!(shown(text, LineForm::Coloured), expected);
    }

    #[test]
    fn colours_stay_where_there_are_colours() {
        let text = "\u{1b}[32m INFO\u{1b}[0m halo\u{1b}]0;title\n";
        assert_eq!(shown(text, LineForm::Coloured), "\u{1b}[32m INFO\u{1b}[0m halo\\u{1b}]0;title\n");
        assert!(!shown(text, LineForm::Plain).contains('\u{1b}'));
    }

    #[test]
    fn an_object_stays_an_object() {
        let text = shown("{\"host\":\"a\u{9b}\u{202e}\"}\n", LineForm::Json);
        assert_eq!(text, "{\"host\":\"a\\u009b\\u202e\"}\n");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap()["host"], "a\u{9b}\u{202e}");
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_an_object_replaced() {
        let long = "é".repeat(100_000);
        let cut = shown(&long, LineForm::Plain);
        assert!(cut.len() <= LOG_LINE_BYTES + 8 && cut.ends_with("…\n"), "{}", cut.len());
        let replaced = shown(&format!("{{\"host\":\"{long}\"}}"), LineForm::Json);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&replaced).unwrap()["bytes"], 200_011);
    }
}
