//! A line of a text listener.

/// The only way to write to a text listener: a text stays in its line, and unsafe characters are escaped.
pub(super) fn append_line(out: &mut Vec<u8>, parts: &[&str]) {
    for character in parts.iter().flat_map(|part| part.chars()) {
        append_shown(out, character);
    }
    out.extend_from_slice(b"\r\n");
}

fn append_shown(out: &mut Vec<u8>, character: char) {
    if is_unsafe_for_terminal(character) {
        out.extend(character.escape_unicode().map(|ascii| ascii as u8));
        return;
    }
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Control characters (C0, DEL and C1), line and paragraph separators, and bidirectional controls: with them a sender
/// could paint the recipient's terminal.
fn is_unsafe_for_terminal(character: char) -> bool {
    let turns_or_breaks = ['\u{61C}', '\u{200E}', '\u{200F}'].contains(&character)
        || ('\u{2028}'..='\u{202E}').contains(&character)
        || ('\u{2066}'..='\u{2069}').contains(&character);
    character.is_control() || turns_or_breaks
}
