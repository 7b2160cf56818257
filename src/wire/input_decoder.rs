//! Decodes the input of a connection, in the form of its listener.

use bytes::BytesMut;
use tokio_util::codec::Decoder;

use crate::wire::codec::{Line, LineCodec};
use crate::wire::format::{DisconnectReason, ReplyFormat};
use crate::wire::input::Input;
use crate::wire::websocket::MessageDecoder;

/// Cuts received bytes into requests.
pub enum InputDecoder {
    /// Of a json or text listener.
    Lines(LineCodec),
    /// Boxed, so that other connections stay small.
    Messages(Box<MessageDecoder>),
}

impl InputDecoder {
    /// A decoder for lines of at most `limit` bytes.
    #[must_use]
    pub fn new(format: ReplyFormat, limit: usize) -> Self {
        match format {
            ReplyFormat::Json | ReplyFormat::Text(_) => Self::Lines(LineCodec::new(limit)),
            ReplyFormat::WebSocket => Self::Messages(Box::new(MessageDecoder::new(limit))),
        }
    }

    /// The next input, or `None` if it is not complete.
    pub fn next(&mut self, buffer: &mut BytesMut) -> Option<Input> {
        match self {
            Self::Lines(codec) => codec.decode(buffer).ok().flatten().map(Input::Line),
            Self::Messages(decoder) => decoder.next(buffer),
        }
    }

    /// The line that was begun when the client closed its side. A message that was begun is none.
    pub fn last(&mut self, buffer: &mut BytesMut) -> Option<Line> {
        match self {
            Self::Lines(codec) => codec.decode_eof(buffer).ok().flatten(),
            Self::Messages(_) => None,
        }
    }

    /// The answer to telnet.
    pub fn take_telnet_answers(&mut self) -> Vec<u8> {
        match self {
            Self::Lines(codec) => codec.take_answers(),
            Self::Messages(_) => Vec::new(),
        }
    }

    /// The last bytes before the server closes its side, after all replies.
    #[must_use]
    pub fn end(&mut self, reason: Option<DisconnectReason>) -> Vec<u8> {
        match self {
            Self::Lines(_) => Vec::new(),
            Self::Messages(decoder) => decoder.end(reason),
        }
    }
}
