//! Received bytes to messages.

use std::io::{self, Read, Write};

use bytes::{Buf, BytesMut};
use tungstenite::Error;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, Message, Role, WebSocketConfig, WebSocketContext};

use crate::limits::WEBSOCKET_READ_BYTES;
use crate::wire::codec::{Line, LineError};
use crate::wire::format::DisconnectReason;
use crate::wire::input::Input;
use crate::wire::websocket::renderer::append_frame;

/// Cuts the bytes of one client into messages.
pub struct MessageDecoder {
    context: WebSocketContext,
    limit: usize,
    ended: Option<Ended>,
}

/// Why no more messages are read.
enum Ended {
    /// The client closed: the closing frame that answers it.
    ByClient(Vec<u8>),
    /// The client broke the rules.
    Failed(CloseCode),
}

/// The stream that tungstenite reads from and writes to.
struct Memory<'a> {
    input: &'a mut BytesMut,
    output: Vec<u8>,
}

impl MessageDecoder {
    /// A decoder for messages of at most `limit` bytes.
    pub(in crate::wire) fn new(limit: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(WEBSOCKET_READ_BYTES)
            .write_buffer_size(0)
            .max_frame_size(Some(limit))
            .max_message_size(Some(limit));
        Self { context: WebSocketContext::new(Role::Server, Some(config)), limit, ended: None }
    }

    pub(in crate::wire) fn next(&mut self, buffer: &mut BytesMut) -> Option<Input> {
        if self.ended.is_some() {
            return Some(Input::End);
        }
        let mut memory = Memory { input: buffer, output: Vec::new() };
        loop {
            match self.context.read(&mut memory) {
                Ok(Message::Text(text)) => return Some(Input::Line(line_of(text.as_str()))),
                Ok(Message::Ping(_)) => return Some(Input::Control(self.take_answer(memory))),
                Ok(Message::Pong(_) | Message::Frame(_)) => {}
                Ok(Message::Close(_)) => {
                    self.ended = Some(Ended::ByClient(self.take_answer(memory)));
                    return Some(Input::End);
                }
                Ok(Message::Binary(_)) => return Some(self.fail(CloseCode::Unsupported, Input::End)),
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(error) => return Some(self.failed(&error)),
            }
        }
    }

    /// The answer of tungstenite to the message that it just returned.
    fn take_answer(&mut self, mut memory: Memory<'_>) -> Vec<u8> {
        // Of a closing frame the result is that the connection is closed.
        let _closed = self.context.flush(&mut memory);
        memory.output
    }

    /// The error is told as on other listeners, but the connection cannot go on.
    fn failed(&mut self, error: &Error) -> Input {
        let invalid = |error| Input::Line(Line::Invalid(error));
        match error {
            Error::Capacity(_) => self.fail(CloseCode::Size, invalid(LineError::TooLong { limit: self.limit })),
            Error::Utf8(_) => self.fail(CloseCode::Invalid, invalid(LineError::NotUtf8)),
            _ => self.fail(CloseCode::Protocol, Input::End),
        }
    }

    fn fail(&mut self, code: CloseCode, input: Input) -> Input {
        self.ended = Some(Ended::Failed(code));
        input
    }

    /// The closing frame.
    pub(in crate::wire) fn end(&mut self, reason: Option<DisconnectReason>) -> Vec<u8> {
        let code = match (self.ended.take(), reason) {
            (Some(Ended::ByClient(answer)), _) => return answer,
            (Some(Ended::Failed(code)), _) => code,
            (None, Some(DisconnectReason::ShuttingDown)) => CloseCode::Restart,
            (None, Some(DisconnectReason::Kicked | DisconnectReason::Banned | DisconnectReason::AddressBanned)) => {
                CloseCode::Policy
            }
            (None, Some(_)) => CloseCode::Again,
            (None, None) => CloseCode::Normal,
        };
        let mut out = Vec::new();
        append_frame(&mut out, Frame::close(Some(CloseFrame { code, reason: "".into() })));
        out
    }
}

/// A line end in the message is not needed, and not wrong.
fn line_of(text: &str) -> Line {
    Line::of_text(text.strip_suffix('\n').unwrap_or(text))
}

impl Read for Memory<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.input.len().min(bytes.len());
        if count == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.input.copy_to_slice(bytes.get_mut(..count).unwrap_or_default());
        Ok(count)
    }
}

impl Write for Memory<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
