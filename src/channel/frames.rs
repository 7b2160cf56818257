//! Frames: a length of four bytes, the least significant first, then the postcard encoding.

#[cfg(test)]
mod tests;

use std::io;

use bytes::{Buf, BufMut, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use crate::channel::error::ChannelError;
use crate::limits::{CHANNEL_FRAME_BYTES, CHANNEL_READ_BYTES, CHANNEL_WRITE};

/// The bytes of the length.
const HEAD: usize = size_of::<u32>();

/// The receiving direction of a channel.
pub struct FrameReader {
    from: Box<dyn AsyncRead + Send + Unpin>,
    /// What was received and not returned yet: the rest of a frame, or several frames.
    received: BytesMut,
    /// The longest frame that is taken.
    longest: usize,
}

impl FrameReader {
    pub(super) fn new(from: impl AsyncRead + Send + Unpin + 'static) -> Self {
        Self { from: Box::new(from), received: BytesMut::new(), longest: CHANNEL_FRAME_BYTES }
    }

    /// Takes shorter frames only: the other end is not a node.
    pub(super) fn limit(mut self, longest: usize) -> Self {
        self.longest = longest;
        self
    }

    /// The next frame; `None` if the other end has closed the channel in order. Dropping the future loses nothing: the next
    /// call goes on with what was received.
    ///
    /// # Errors
    /// If the channel broke, or a frame is too long, torn or not a `T`. Nothing more can be read after it.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, ChannelError> {
        loop {
            if let Some(frame) = take(&mut self.received, self.longest)? {
                return Ok(Some(frame));
            }
            self.received.reserve(CHANNEL_READ_BYTES);
            if self.from.read_buf(&mut self.received).await? == 0 {
                return if self.received.is_empty() { Ok(None) } else { Err(ChannelError::Torn) };
            }
        }
    }

    /// The bytes that were received beyond the frames, and the stream that brings the rest.
    pub(super) fn into_parts(self) -> (BytesMut, Box<dyn AsyncRead + Send + Unpin>) {
        (self.received, self.from)
    }
}

/// Takes the next frame off the input, or `None` if it is not complete.
fn take<T: DeserializeOwned>(input: &mut BytesMut, longest: usize) -> Result<Option<T>, ChannelError> {
    let Some(head) = input.first_chunk::<HEAD>() else { return Ok(None) };
    let length = u32::from_le_bytes(*head) as usize;
    if length > longest {
        return Err(ChannelError::TooLong(length));
    }
    if input.len() < HEAD + length {
        return Ok(None);
    }
    input.advance(HEAD);
    let body = input.split_to(length);
    match postcard::take_from_bytes(&body)? {
        (frame, []) => Ok(Some(frame)),
        // The other end means another type.
        _ => Err(postcard::Error::DeserializeBadEncoding.into()),
    }
}

/// The sending direction of a channel.
pub struct FrameWriter {
    to: Box<dyn AsyncWrite + Send + Unpin>,
    queued: BytesMut,
    /// By then the other end must take something of what is queued. Kept while a flush is interrupted.
    deadline: Option<Instant>,
}

impl FrameWriter {
    pub(super) fn new(to: impl AsyncWrite + Send + Unpin + 'static) -> Self {
        Self { to: Box::new(to), queued: BytesMut::new(), deadline: None }
    }

    /// Encodes a frame behind those that are queued. It is sent by the next [`Self::flush`].
    ///
    /// # Errors
    /// If the frame is too long, or cannot be encoded. Then it is not queued, and the channel may go on without it.
    pub fn queue<T: Serialize>(&mut self, frame: &T) -> Result<(), ChannelError> {
        let start = self.queued.len();
        let queued = append(&mut self.queued, start, frame);
        if queued.is_err() {
            self.queued.truncate(start);
        }
        queued
    }

    /// Bytes that are queued and not written yet.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.queued.len()
    }

    /// Writes all that is queued. If the future is dropped, the next call goes on from there.
    ///
    /// # Errors
    /// If the channel broke, or the other end reads nothing for [`CHANNEL_WRITE`].
    pub async fn flush(&mut self) -> Result<(), ChannelError> {
        while self.queued.has_remaining() {
            let deadline = self.deadline();
            let written = timeout_at(deadline, self.to.write_buf(&mut self.queued)).await;
            if written.map_err(|_| ChannelError::Stalled)?? == 0 {
                return Err(io::Error::from(io::ErrorKind::WriteZero).into());
            }
            self.deadline = None;
        }
        let deadline = self.deadline();
        timeout_at(deadline, self.to.flush()).await.map_err(|_| ChannelError::Stalled)??;
        self.deadline = None;
        Ok(())
    }

    /// Writes all that is queued, and ends the channel in order: the other end reads `None`. A writer that is dropped instead
    /// is an error there.
    ///
    /// # Errors
    /// As [`Self::flush`].
    pub async fn close(mut self) -> Result<(), ChannelError> {
        self.flush().await?;
        let deadline = self.deadline();
        Ok(timeout_at(deadline, self.to.shutdown()).await.map_err(|_| ChannelError::Stalled)??)
    }

    /// The stream, once all frames are flushed.
    pub(super) fn into_inner(self) -> Box<dyn AsyncWrite + Send + Unpin> {
        self.to
    }

    fn deadline(&mut self) -> Instant {
        *self.deadline.get_or_insert_with(|| Instant::now() + CHANNEL_WRITE)
    }
}

fn append<T: Serialize>(queue: &mut BytesMut, start: usize, frame: &T) -> Result<(), ChannelError> {
    queue.put_u32_le(0);
    postcard::to_io(frame, queue.writer())?;
    let length = queue.len() - start - HEAD;
    let head = u32::try_from(length).ok().filter(|_| length <= CHANNEL_FRAME_BYTES);
    let head = head.ok_or(ChannelError::TooLong(length))?.to_le_bytes();
    if let Some(place) = queue.get_mut(start..start + HEAD) {
        place.copy_from_slice(&head);
    }
    Ok(())
}
