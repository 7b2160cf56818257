//! Fuzz targets: what clients send (`fuzz/README.md`).

use bytes::BytesMut;
use serde_json::Value;
use tokio_util::codec::Decoder;

use crate::chat::CommandError;
use crate::settings::Language;
use crate::wire::codec::{Line, LineCodec, LineError};
use crate::wire::format::ReplyFormat;
use crate::wire::input::Input;
use crate::wire::input_decoder::InputDecoder;
use crate::wire::json::END;
use crate::wire::parse::{audited_words, parse};
use crate::wire::request::{Parsed, Tag};

/// The longest message of the WebSocket target.
const MESSAGE_BYTES: usize = 64;

/// Lines are the same however the reads cut them, and so is what telnet is answered, except in what is dropped of a line
/// that is too long, or the hello of TLS. Of an unfinished line no more is kept than the limit. The first byte is the limit,
/// with which the hello of TLS can be told, the second the length of the reads.
pub fn codec(bytes: &[u8]) {
    let [limit, read, stream @ ..] = bytes else { return };
    let limit = usize::from(*limit).max(6);
    let (whole, answers) = lines(limit, stream, stream.len().max(1));
    let dropped = [LineError::TooLong { limit }, LineError::Tls].map(Line::Invalid);
    let is_dropped = whole.iter().any(|line| dropped.contains(line));
    for read in [1, usize::from(*read) + 1] {
        let (cut, answers_to_cut) = lines(limit, stream, read);
        assert_eq!(cut, whole);
        assert!(is_dropped || answers_to_cut == answers);
    }
}

/// The lines, and what telnet is answered.
fn lines(limit: usize, stream: &[u8], read: usize) -> (Vec<Line>, Vec<u8>) {
    let (mut codec, mut buffer, mut lines) = (LineCodec::new(limit), BytesMut::new(), Vec::new());
    for chunk in stream.chunks(read) {
        buffer.extend_from_slice(chunk);
        lines.extend(std::iter::from_fn(|| codec.decode(&mut buffer).unwrap()));
        assert!(buffer.len() <= limit + 1, "{} bytes are kept", buffer.len());
    }
    let answers = codec.take_answers();
    lines.extend(std::iter::from_fn(|| codec.decode_eof(&mut buffer).unwrap()));
    for line in &lines {
        let Line::Text(text) = line else { continue };
        assert!(
            text.len() <= limit && !text.contains(|character: char| character.is_ascii_control() && character != '\t')
        );
    }
    (lines, answers)
}

/// Messages of a WebSocket are the same however the reads cut them. The first byte is the length of the reads.
pub fn websocket(bytes: &[u8]) {
    let [read, stream @ ..] = bytes else { return };
    let whole = messages(stream, stream.len().max(1));
    assert_eq!(messages(stream, 1), whole);
    assert_eq!(messages(stream, usize::from(*read) + 1), whole);
}

fn messages(stream: &[u8], read: usize) -> Vec<Input> {
    let (mut decoder, mut buffer) = (InputDecoder::new(ReplyFormat::WebSocket, MESSAGE_BYTES), BytesMut::new());
    let mut messages = Vec::new();
    for chunk in stream.chunks(read) {
        buffer.extend_from_slice(chunk);
        while let Some(input) = decoder.next(&mut buffer) {
            let is_end = input == Input::End;
            messages.push(input);
            if is_end {
                messages.push(Input::Control(decoder.end(None)));
                return messages;
            }
        }
        assert!(buffer.is_empty(), "{} bytes were not read", buffer.len());
    }
    messages
}

/// Any line has a reply that is one frame in each format, and has the line's tag.
pub fn parser(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Line::Text(line) = Line::of_text(text) else { return };
    match parse(&line) {
        Parsed::Blank => assert!(line.trim().is_empty()),
        Parsed::Http => {}
        Parsed::Rejected(error) => {
            assert_frames(error.tag.as_ref(), |format, out| format.reject(out, &error));
        }
        Parsed::Request(request) => {
            let words = audited_words(&request, &line);
            assert!(words.is_none_or(|words| words.starts_with(request.spec.word)));
            let context = request.context();
            let error = CommandError::NoSession;
            assert_frames(request.tag.as_ref(), |format, out| format.reply(out, &context, Err(error)));
        }
    }
}

fn assert_frames(tag: Option<&Tag>, render: impl Fn(ReplyFormat, &mut Vec<u8>)) {
    let rendered = |format| {
        let mut out = Vec::new();
        render(format, &mut out);
        out
    };
    let json = rendered(ReplyFormat::Json);
    let object = json.strip_suffix(END).unwrap();
    assert!(object.iter().all(|byte| (b' '..=b'~').contains(byte)));
    let object: Value = serde_json::from_slice(object).unwrap();
    assert_eq!(object["tag"].as_str(), tag.map(Tag::as_str));
    for language in [Language::Documents, Language::English, Language::Indonesian] {
        let text = String::from_utf8(rendered(ReplyFormat::Text(language))).unwrap();
        assert!(
            text.ends_with('\n')
                && !text.contains(|character: char| character.is_control() && !"\r\n\t".contains(character))
        );
    }
    assert!(!rendered(ReplyFormat::WebSocket).is_empty());
}
