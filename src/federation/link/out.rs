//! What waits to leave on a link. Answers go before messages, and a frame that was begun is finished first.

use bytes::BytesMut;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::federation::link::End;
use crate::limits::{LINK_ANSWERS_BYTES, LINK_OUT_BYTES};

#[derive(Default)]
pub(super) struct Out {
    /// What is being written.
    leaving: BytesMut,
    /// Answers to what the other server said.
    pub(super) answers: BytesMut,
    /// From the outbox.
    pub(super) messages: BytesMut,
    /// Something was written and may still be on its way through the channel.
    unflushed: bool,
}

impl Out {
    /// Nothing waits to be written.
    pub(super) fn is_empty(&self) -> bool {
        self.leaving.is_empty() && self.answers.is_empty() && self.messages.is_empty()
    }

    /// Nothing waits to be written or to leave the channel.
    pub(super) fn has_left(&self) -> bool {
        self.is_empty() && !self.unflushed
    }

    /// Whether the other server takes its answers. One that does not is not listened to: what it says would only make
    /// more of them.
    pub(super) fn has_room_for_answers(&self) -> bool {
        self.answers.len() < LINK_ANSWERS_BYTES
    }

    /// Whether more is to be taken from the outbox.
    pub(super) fn has_room_for_messages(&self) -> bool {
        self.messages.len() < LINK_OUT_BYTES
    }

    /// Forgets what was not begun to be written.
    pub(super) fn drop_what_waits(&mut self) {
        self.answers.clear();
        self.messages.clear();
    }

    /// Writes what goes, and sees to it that it leaves the channel. Nothing is lost where this is not waited for to the
    /// end.
    pub(super) async fn push<W: AsyncWrite + Unpin>(&mut self, writer: &mut W) -> Result<(), End> {
        if self.leaving.is_empty() {
            let next = if self.answers.is_empty() { &mut self.messages } else { &mut self.answers };
            std::mem::swap(&mut self.leaving, next);
        }
        if self.leaving.is_empty() {
            writer.flush().await.map_err(|_| End::Broken)?;
            self.unflushed = false;
            return Ok(());
        }
        let written = writer.write_buf(&mut self.leaving).await.map_err(|_| End::Broken)?;
        self.unflushed = true;
        if written == 0 { Err(End::Broken) } else { Ok(()) }
    }
}
