use proptest::prelude::*;

use super::*;
use crate::limits::TELNET_ANSWER_BYTES;

const LIMIT: usize = 8;
const TOO_LONG: Line = Line::Invalid(LineError::TooLong { limit: LIMIT });

fn text(text: &str) -> Line {
    Line::Text(text.to_owned())
}

/// Feeds the chunks as reads would bring them, and checks after each that the buffer stays small.
fn lines<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Line> {
    let (mut codec, mut buffer, mut lines) = (LineCodec::new(LIMIT), BytesMut::new(), Vec::new());
    for chunk in chunks {
        buffer.extend_from_slice(chunk);
        lines.extend(std::iter::from_fn(|| codec.decode(&mut buffer).unwrap()));
        assert!(buffer.len() <= LIMIT + 1, "{} bytes are kept", buffer.len());
    }
    lines.extend(std::iter::from_fn(|| codec.decode_eof(&mut buffer).unwrap()));
    lines
}

fn assert_lines(bytes: &[u8], expected: &[Line]) {
    assert_eq!(lines([bytes]), expected, "{:?} in one piece", bytes.escape_ascii().to_string());
    assert_eq!(lines(bytes.chunks(1)), expected, "{:?} byte by byte", bytes.escape_ascii().to_string());
}

#[test]
fn a_line_ends_with_a_newline_or_with_the_stream() {
    assert_lines(b"one\ntwo\r\nthree", &[text("one"), text("two"), text("three")]);
    assert_lines(b"one\n\r\n\n", &[text("one"), text(""), text("")]);
    assert_lines(b"", &[]);
}

#[test]
fn carriage_returns_at_the_end_are_white_space() {
    assert_lines(b"one\r\r\ntwo \r\r\n", &[text("one"), text("two ")]);
    assert_lines(b"o\rne\n", &[Line::Invalid(LineError::ControlCharacter)]);
}

#[test]
fn a_line_may_be_as_long_as_the_limit() {
    assert_lines(b"12345678\n12345678\r\n12345678", &[text("12345678"), text("12345678"), text("12345678")]);
}

#[test]
fn a_longer_line_is_reported_once_and_skipped_to_its_newline() {
    assert_lines(b"123456789\nnext\n", &[TOO_LONG, text("next")]);
    assert_lines(b"12345678\r\r\nnext\n", &[TOO_LONG, text("next")]);
    assert_lines(b"12345678\rx\nnext\n", &[TOO_LONG, text("next")]);
    assert_lines(&[b'x'; 100], &[TOO_LONG]);
}

#[test]
fn a_longer_line_is_reported_before_its_newline_comes() {
    let (mut codec, mut buffer) = (LineCodec::new(LIMIT), BytesMut::from(&b"123456789"[..]));
    assert_eq!(codec.decode(&mut buffer).unwrap(), Some(TOO_LONG));
    assert_eq!(codec.decode(&mut buffer).unwrap(), None);
}

#[test]
fn only_utf_8_is_served() {
    assert_lines("góól 😀\n".as_bytes(), &[TOO_LONG]);
    assert_lines("gól\n😀".as_bytes(), &[text("gól"), text("😀")]);
    assert_lines(b"g\xC3l\nnext\n", &[Line::Invalid(LineError::NotUtf8), text("next")]);
}

#[test]
fn control_characters_except_tab_are_refused() {
    for byte in (0..b' ').chain([0x7F]).filter(|byte| !b"\t\n\r".contains(byte)) {
        assert_lines(&[b'a', byte, b'b', b'\n'], &[Line::Invalid(LineError::ControlCharacter)]);
    }
    assert_lines("a\tb\nc\u{85}d\n".as_bytes(), &[text("a\tb"), text("c\u{85}d")]);
}

#[test]
fn tls_is_told_before_any_line_ends() {
    assert_lines(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03", &[Line::Invalid(LineError::Tls)]);
    assert_lines(b"ping\n\x16\x03\x03\x00\x05\x01", &[text("ping"), Line::Invalid(LineError::Tls)]);
    assert_lines(b"\x16\x03\x01\xFF\xF1\x02\x00\x01\x00\nping\n", &[Line::Invalid(LineError::Tls), text("ping")]);
    assert_lines(b"\x16\x03\x01\n", &[Line::Invalid(LineError::ControlCharacter)]);
}

#[test]
fn telnet_sequences_are_dropped_and_do_not_count() {
    assert_lines(b"\xFF\xFB\x01\xFF\xFC\x02\xFF\xFD\x03\xFF\xFE\x0412345678\xFF\xF1\n", &[text("12345678")]);
    assert_lines(b"on\xFF\xFA\x18\x00xterm\xFF\xFF\xFF\xF0e\xFF\xFF\n", &[text("one")]);
    assert_lines(&b"\xFF\xF1".repeat(1000), &[]);
}

/// The answer to telnet after these bytes, however they are cut.
fn answers(bytes: &[u8]) -> Vec<u8> {
    let whole = answers_in_reads_of(bytes.len(), bytes);
    assert_eq!(answers_in_reads_of(1, bytes), whole);
    whole
}

fn answers_in_reads_of(length: usize, bytes: &[u8]) -> Vec<u8> {
    let (mut codec, mut buffer) = (LineCodec::new(10), BytesMut::new());
    for read in bytes.chunks(length) {
        buffer.extend_from_slice(read);
        while codec.decode(&mut buffer).unwrap().is_some() {}
    }
    codec.take_answers()
}

#[test]
fn telnet_options_are_refused() {
    for (sent, answered) in [
        (&b"\xFF\xF4\xFF\xFD\x06"[..], &b"\xFF\xFC\x06"[..]),
        (b"a\xFF\xFD\x01b\r\n\xFF\xFB\x18", b"\xFF\xFC\x01\xFF\xFE\x18"),
        (b"\xFF\xFE\x01\xFF\xFC\x01\xFF\xF6\xFF\xFF\xFD\x06", b""),
        (b"\xFF\xFA\x18\xFF\xFD\x06\xFF\xF0\n", b""),
    ] {
        assert_eq!(answers(sent), answered, "{sent:?}");
    }
}

#[test]
fn a_flood_of_telnet_options_is_answered_in_part() {
    assert_eq!(answers(&b"\xFF\xFD\x06".repeat(10_000)).len(), TELNET_ANSWER_BYTES);
}

#[test]
fn a_newline_ends_a_line_inside_a_telnet_sequence_too() {
    for unfinished in [&b"one\xFF\n"[..], b"one\xFF\xFB\n", b"one\xFF\xFAxterm\n", b"one\xFF\xFAxterm\xFF\n"] {
        assert_lines(&[unfinished, b"next\n"].concat(), &[text("one"), text("next")]);
    }
}

#[test]
fn debug_output_shows_nothing_of_a_line() {
    assert_eq!(format!("{:?}", text("auth messi secret")), "Text(17 bytes)");
}

/// Bytes of which every one means something to the codec, more often than chance would have it.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let meaningful = proptest::sample::select(b"a\xC3\xA9 \t\r\n\x00\xFF\xFA\xFB\xF0\xF1".to_vec());
    proptest::collection::vec(prop_oneof![4 => meaningful, 1 => any::<u8>()], 0..200)
}

proptest! {
    #[test]
    fn lines_do_not_depend_on_the_sizes_of_reads(bytes in bytes(), cuts in proptest::collection::vec(1usize..20, 1..40)) {
        let mut rest = &bytes[..];
        let mut chunks = Vec::new();
        for cut in cuts.iter().cycle() {
            let Some((chunk, after)) = rest.split_at_checked(*cut) else { break };
            chunks.push(chunk);
            rest = after;
        }
        chunks.push(rest);
        prop_assert_eq!(lines(chunks), lines([&bytes[..]]));
    }

    #[test]
    fn after_any_garbage_the_next_line_is_served(garbage in bytes()) {
        let stream = [&garbage[..], b"\nnext\n"].concat();
        prop_assert_eq!(lines([&stream[..]]).pop(), Some(text("next")));
    }
}
