use bytes::BytesMut;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::wire::codec::Line;
use crate::wire::format::ReplyFormat;
use crate::wire::input::Input;
use crate::wire::input_decoder::InputDecoder;

/// A client's message, masked with zeros.
fn message(text: &str) -> Vec<u8> {
    let mut frame = Frame::message(text.as_bytes().to_vec(), OpCode::Data(Data::Text), true);
    frame.header_mut().mask = Some([0; 4]);
    let mut bytes = Vec::new();
    frame.format(&mut bytes).unwrap();
    bytes
}

fn decoder() -> InputDecoder {
    InputDecoder::new(ReplyFormat::WebSocket, 4_096)
}

#[test]
fn messages_are_cut_in_the_same_way_however_the_reads_cut_them() {
    let texts = ["ping", "", "send bob halo", "send bob é😀"];
    let bytes: Vec<u8> = texts.iter().flat_map(|text| message(text)).collect();
    let expected: Vec<_> = texts.iter().map(|text| Input::Line(Line::Text((*text).to_owned()))).collect();
    for piece in 1..=bytes.len() {
        let (mut decoder, mut buffer, mut found) = (decoder(), BytesMut::new(), Vec::new());
        for part in bytes.chunks(piece) {
            buffer.extend_from_slice(part);
            found.extend(std::iter::from_fn(|| decoder.next(&mut buffer)));
        }
        assert_eq!(found, expected, "in pieces of {piece}");
    }
}

#[test]
fn nothing_is_read_after_the_end() {
    let (mut decoder, mut buffer) = (decoder(), BytesMut::from(&[0x82, 0x80, 0, 0, 0, 0][..]));
    buffer.extend_from_slice(&message("ping"));
    assert_eq!(decoder.next(&mut buffer), Some(Input::End));
    assert_eq!(decoder.next(&mut buffer), Some(Input::End));
}

#[test]
fn a_message_that_was_begun_is_no_request() {
    let (mut decoder, mut buffer) = (decoder(), BytesMut::from(&message("ping")[..5]));
    assert_eq!(decoder.next(&mut buffer), None);
    assert_eq!(decoder.last(&mut buffer), None);
}
