//! Messages as a terminal shows them: nobody paints another person's screen.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use kabar::client::Message;

/// A text in which control characters, and those that change the direction of writing, are shown and not obeyed.
pub(crate) fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => safe.push_str("    "),
            _ if is_unsafe(character) => safe.extend(character.escape_unicode()),
            _ => safe.push(character),
        }
    }
    safe
}

fn is_unsafe(character: char) -> bool {
    // As on the page. Joiners stay: emoji need them.
    let turns_or_hides = ['\u{61C}', '\u{200B}', '\u{200E}', '\u{200F}', '\u{FEFF}'].contains(&character)
        || ('\u{2028}'..='\u{202E}').contains(&character)
        || ('\u{2060}'..='\u{206F}').contains(&character);
    character.is_control() || turns_or_hides
}

/// The server's time in the time zone of this machine: `2026-11-21` and `14:10`.
pub(crate) fn local_time(time: &str) -> (String, String) {
    let Ok(time) = time.parse::<Timestamp>() else { return (safe(time), String::new()) };
    let local = time.to_zoned(TimeZone::system());
    (local.strftime("%Y-%m-%d").to_string(), local.strftime("%H:%M").to_string())
}

/// A message in one line.
pub(crate) fn line(message: &Message) -> String {
    let (date, time) = local_time(&message.time);
    let place = match message.kind.as_str() {
        "group" => format!("[group {}] ", safe(&message.to)),
        "broadcast" => "[broadcast] ".to_owned(),
        _ => String::new(),
    };
    format!("{date} {time} {place}{}: {}", safe(&message.from), safe(&message.msg))
}

/// The status shown while a client waits by itself.
pub(crate) fn too_fast(retry_in: Duration) -> String {
    format!("too fast for the server: sending on in {} s", retry_in.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_moves_the_cursor_or_turns_the_writing() {
        assert_eq!(safe("a\u{1b}[31mb\tc\u{202e}d\u{7f}"), "a\\u{1b}[31mb    c\\u{202e}d\\u{7f}");
        assert_eq!(safe("日本語 👩‍🚀 é"), "日本語 👩‍🚀 é");
        assert_eq!(safe("ad\u{200b}min\u{2060}"), "ad\\u{200b}min\\u{2060}", "one name looks like another");
    }
}
