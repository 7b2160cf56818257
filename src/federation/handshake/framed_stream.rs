use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::federation::frame::{self, CloseReason, Frame};
use crate::federation::handshake::error::HandshakeError;
use crate::federation::transport::ByteStream;
use crate::limits::LINK_HELLO;

/// A stream and the bytes that were read from it and not parsed yet.
pub(in crate::federation) struct FramedStream {
    pub(in crate::federation) stream: Box<dyn ByteStream>,
    pub(in crate::federation) input: BytesMut,
}

impl FramedStream {
    pub(super) fn new(stream: Box<dyn ByteStream>) -> Self {
        Self { stream, input: BytesMut::new() }
    }

    pub(super) async fn send(&mut self, frame: &Frame) -> Result<(), HandshakeError> {
        let mut out = BytesMut::new();
        frame::write(&mut out, frame).map_err(HandshakeError::Protocol)?;
        self.stream.write_all(&out).await.map_err(|_| HandshakeError::NoAnswer)?;
        self.stream.flush().await.map_err(|_| HandshakeError::NoAnswer)
    }

    pub(super) async fn receive(&mut self, expects_hello: bool) -> Result<Frame, HandshakeError> {
        loop {
            match frame::read(&mut self.input, expects_hello).map_err(HandshakeError::Protocol)? {
                Some(Frame::Close(reason)) => return Err(HandshakeError::ClosedByPeer(reason)),
                Some(frame) => return Ok(frame),
                None => {}
            }
            match self.stream.read_buf(&mut self.input).await {
                Ok(0) | Err(_) => return Err(HandshakeError::NoAnswer),
                Ok(_) => {}
            }
        }
    }

    /// Sends the reason and ends the stream, if the other server reads it within [`LINK_HELLO`].
    pub(in crate::federation) async fn close(&mut self, reason: CloseReason) {
        let close = async {
            self.send(&Frame::Close(reason)).await?;
            self.stream.shutdown().await.map_err(|_| HandshakeError::NoAnswer)
        };
        let _best_effort = timeout(LINK_HELLO, close).await;
    }
}
