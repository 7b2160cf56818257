//! Values and texts as JSON in ASCII.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

/// Appends `value` to `out`, everything outside ASCII as `\uXXXX`.
///
/// `value` must be of types whose serialisation cannot fail: structs, sequences, strings, numbers, maps with text keys.
pub fn append<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let mut serializer = serde_json::Serializer::with_formatter(out, Ascii);
    let written = value.serialize(&mut serializer);
    debug_assert!(written.is_ok(), "a value that JSON cannot hold: {written:?}");
}

/// Appends a text, as [`append`] does. Most need no escape and are copied as they are.
pub fn append_text(out: &mut Vec<u8>, text: &str) {
    if !is_plain(text) {
        return append(out, text);
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// Whether a text needs no escape.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    // Without a way out early, which lets the compiler look at many bytes at once. As a signed number a byte outside ASCII
    // is less than a space too.
    let is_special = |byte: u8| (byte.cast_signed() < 0x20) | (byte == b'"') | (byte == b'\\');
    !text.bytes().fold(false, |found, byte| found | is_special(byte))
}

struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.is_ascii() {
            return writer.write_all(fragment.as_bytes());
        }
        let mut units = [0; 2];
        for character in fragment.chars() {
            if character.is_ascii() {
                writer.write_all(&[character as u8])?;
                continue;
            }
            for unit in character.encode_utf16(&mut units) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        append(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn everything_outside_ascii_is_escaped() {
        assert_eq!(written("halo \"é\" 😀"), r#""halo \"\u00e9\" \ud83d\ude00""#);
    }

    proptest! {
        #[test]
        fn any_text_is_ascii_and_reads_back(text in ".*") {
            let json = written(&text);
            prop_assert!(json.is_ascii());
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }

        #[test]
        fn a_text_is_written_as_any_value_is(text in "[ -~]*|.*|\\PC*\"|[\\x00-\\x80]*") {
            let mut out = Vec::new();
            append_text(&mut out, &text);
            prop_assert_eq!(String::from_utf8(out).unwrap(), written(&text));
        }
    }
}
