//! Replies and pushes as WebSocket messages.

use bytes::Bytes;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::frame::{Frame, FrameHeader};

use crate::chat::{CommandError, Notification, Response, SessionEnd, StoredMessage};
use crate::id::Seq;
use crate::wire::format::DisconnectReason;
use crate::wire::json::{END, Json};
use crate::wire::render::Render;
use crate::wire::request::{ParseError, ReplyContext, Tag};

pub(in crate::wire) struct WebSocket;

impl Render for WebSocket {
    fn reply(&self, out: &mut Vec<u8>, context: &ReplyContext, result: Result<&Response, CommandError>) {
        append_message(out, |out| Json.reply(out, context, result));
    }

    fn reject(&self, out: &mut Vec<u8>, error: &ParseError) {
        append_message(out, |out| Json.reject(out, error));
    }

    fn fail(&self, out: &mut Vec<u8>, tag: Option<&Tag>, error: CommandError) {
        append_message(out, |out| Json.fail(out, tag, error));
    }

    fn push(&self, out: &mut Vec<u8>, message: &StoredMessage) {
        append_message(out, |out| Json.push(out, message));
    }

    fn notify(&self, out: &mut Vec<u8>, notification: &Notification) {
        append_message(out, |out| Json.notify(out, notification));
    }

    fn lagged(&self, out: &mut Vec<u8>, after: Seq) {
        append_message(out, |out| Json.lagged(out, after));
    }

    fn truncated(&self, out: &mut Vec<u8>, before: Seq) {
        append_message(out, |out| Json.truncated(out, before));
    }

    fn reset(&self, out: &mut Vec<u8>, after: Seq) {
        append_message(out, |out| Json.reset(out, after));
    }

    fn session_ended(&self, out: &mut Vec<u8>, end: SessionEnd) {
        append_message(out, |out| Json.session_ended(out, end));
    }

    fn unfinished_line(&self, _: &mut Vec<u8>) {}

    fn disconnect(&self, out: &mut Vec<u8>, reason: DisconnectReason) {
        append_message(out, |out| Json.disconnect(out, reason));
    }

    fn keep_alive(&self, out: &mut Vec<u8>) {
        append_frame(out, Frame::ping(Bytes::new()));
    }
}

/// Appends the one JSON frame that `write` appends as a text message.
fn append_message(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    write(out);
    out.truncate(out.len() - END.len());
    let header = FrameHeader { opcode: OpCode::Data(Data::Text), ..FrameHeader::default() };
    let length = (out.len() - start) as u64;
    let mut bytes = Vec::with_capacity(header.len(length));
    if header.format(length, &mut bytes).is_ok() {
        out.splice(start..start, bytes);
    }
}

/// Writing to memory cannot fail.
pub(super) fn append_frame(out: &mut Vec<u8>, frame: Frame) {
    let _infallible = frame.format(out);
}
