//! A line of a text listener.

/// The only way to write to a text listener: a text stays in its line, and unsafe characters are escaped.
pub(super) fn append_line(out: &mut Vec<u8>, parts: &[&str]) {
    parts.iter().for_each(|part| append_shown(out, part));
    out.extend_from_slice(b"\r\n");
}

/// A page for a text listener is a megabyte of these: what is safe is copied as a whole.
fn append_shown(out: &mut Vec<u8>, text: &str) {
    if is_printable_ascii(text) {
        return out.extend_from_slice(text.as_bytes());
    }
    let mut shown = 0;
    for (place, character) in text.match_indices(is_unsafe_for_terminal) {
        out.extend_from_slice(text.as_bytes().get(shown..place).unwrap_or_default());
        out.extend(character.escape_unicode().map(|ascii| ascii as u8));
        shown = place + character.len();
    }
    out.extend_from_slice(text.as_bytes().get(shown..).unwrap_or_default());
}

/// Without a way out early, which lets the compiler look at many bytes at once.
fn is_printable_ascii(text: &str) -> bool {
    text.bytes().fold(true, |all, byte| all & (b' '..0x7F).contains(&byte))
}

/// Control characters (C0, DEL and C1), line and paragraph separators, and bidirectional controls: with them a sender
/// could paint the recipient's terminal.
fn is_unsafe_for_terminal(character: char) -> bool {
    let turns_or_breaks = ['\u{61C}', '\u{200E}', '\u{200F}'].contains(&character)
        || ('\u{2028}'..='\u{202E}').contains(&character)
        || ('\u{2066}'..='\u{2069}').contains(&character);
    character.is_control() || turns_or_breaks
}
