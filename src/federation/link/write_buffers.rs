//! The bytes that a link has to write. Replies go before messages; a frame that was begun is finished first.

use std::mem::swap;

use bytes::BytesMut;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::federation::link::end::LinkEnd;
use crate::limits::{LINK_OUT_BYTES, LINK_REPLIES_BYTES};

#[derive(Default)]
pub(super) struct WriteBuffers {
    writing: BytesMut,
    /// Acknowledgements and heartbeats.
    pub(super) replies: BytesMut,
    /// From the outbox.
    pub(super) messages: BytesMut,
    needs_flush: bool,
}

impl WriteBuffers {
    pub(super) fn is_empty(&self) -> bool {
        self.writing.is_empty() && self.replies.is_empty() && self.messages.is_empty()
    }

    pub(super) fn is_flushed(&self) -> bool {
        self.is_empty() && !self.needs_flush
    }

    /// If `false`, the link reads no further: each frame of the other server could add another reply.
    pub(super) fn has_room_for_replies(&self) -> bool {
        self.replies.len() < LINK_REPLIES_BYTES
    }

    pub(super) fn has_room_for_messages(&self) -> bool {
        self.messages.len() < LINK_OUT_BYTES
    }

    /// Drops everything except a frame that was begun.
    pub(super) fn clear_unwritten(&mut self) {
        self.replies.clear();
        self.messages.clear();
    }

    /// Writes once, or flushes if nothing is left to write. Cancel safe.
    pub(super) async fn write<W: AsyncWrite + Unpin>(&mut self, writer: &mut W) -> Result<(), LinkEnd> {
        if self.writing.is_empty() {
            let next = if self.replies.is_empty() { &mut self.messages } else { &mut self.replies };
            swap(&mut self.writing, next);
        }
        if self.writing.is_empty() {
            writer.flush().await.map_err(|_| LinkEnd::ConnectionLost)?;
            self.needs_flush = false;
            return Ok(());
        }
        let written = writer.write_buf(&mut self.writing).await.map_err(|_| LinkEnd::ConnectionLost)?;
        self.needs_flush = true;
        if written == 0 { Err(LinkEnd::ConnectionLost) } else { Ok(()) }
    }
}
