//! One task per link: it reads, writes, and waits for the disks of both servers.
//!
//! Messages leave from the outbox in the order of their numbers, within a window, each once it is durable here. They are
//! acknowledged once they are durable at the other server. Nothing here grows with what the other server does: the write
//! buffers are bounded, and the link reads no further while too many received messages wait for the disk.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::{Instant, sleep_until, timeout};

use crate::federation::frame::{self, CloseReason, Frame};
use crate::federation::handshake::{FramedStream, Handshaken};
use crate::federation::link::end::LinkEnd;
use crate::federation::link::handle::LinkHandle;
use crate::federation::link::receiver::Receiver;
use crate::federation::link::sender::Sender;
use crate::federation::link::write_buffers::WriteBuffers;
use crate::federation::transport::ByteStream;
use crate::hub::{Hub, OutboxTail};
use crate::limits::{LINK_DEAD, LINK_FRAME_BYTES, LINK_HEARTBEAT, LINK_HELLO, LINK_READ_BYTES};

pub(in crate::federation) struct Link {
    hub: Hub,
    handle: LinkHandle,
    reader: ReadHalf<Box<dyn ByteStream>>,
    writer: WriteHalf<Box<dyn ByteStream>>,
    input: BytesMut,
    out: WriteBuffers,
    last_received: Instant,
    last_sent: Instant,
    sender: Sender,
    receiver: Receiver,
}

impl Link {
    pub(in crate::federation) fn new(
        hub: Hub,
        outbox: Arc<OutboxTail>,
        handshaken: Handshaken,
        handle: LinkHandle,
        text_bytes: usize,
    ) -> Self {
        let Handshaken { stream: FramedStream { stream, input }, realm, heads, .. } = handshaken;
        let (reader, writer) = tokio::io::split(stream);
        let now = Instant::now();
        Self {
            sender: Sender::new(&hub, outbox, realm, &heads),
            receiver: Receiver::new(realm, text_bytes),
            hub,
            handle,
            reader,
            writer,
            input,
            out: WriteBuffers::default(),
            last_received: now,
            last_sent: now,
        }
    }

    /// Runs the link until it ends.
    pub(in crate::federation) async fn run(mut self) -> LinkEnd {
        let Err(end) = self.serve().await;
        self.sender.persist_ack(&self.hub);
        if let LinkEnd::ClosedHere(reason) = end {
            let _best_effort = timeout(LINK_HELLO, self.close(reason)).await;
        }
        end
    }

    async fn close(&mut self, reason: CloseReason) -> Result<(), LinkEnd> {
        self.out.clear_unwritten();
        self.reply(&Frame::Close(reason))?;
        while !self.out.is_flushed() {
            self.out.write(&mut self.writer).await?;
        }
        self.writer.shutdown().await.map_err(|_| LinkEnd::ConnectionLost)
    }

    async fn serve(&mut self) -> Result<Infallible, LinkEnd> {
        // The handshake may have read frames that follow it.
        self.handle_frames()?;
        loop {
            // Created before the commit status is read, so that no commit in between is missed.
            let hub = self.hub.clone();
            let settled = hub.settled();
            self.receiver.acknowledge(&self.hub, &mut self.out.replies)?;
            self.sender.send_confirmations(&self.hub, &mut self.out.replies)?;
            self.sender.send_pending(&self.hub, &mut self.out).await?;
            let now = Instant::now();
            self.keep_alive(now)?;
            let has_room = self.receiver.has_room(&self.hub, now);
            if !has_room {
                // This server stopped reading: the silence is not the other server's.
                self.last_received = now;
            }
            let reads = has_room && self.out.has_room_for_replies();
            let wakes_at = self.next_deadline(now);
            self.input.reserve(LINK_READ_BYTES);
            tokio::select! {
                biased;
                end = self.handle.ended() => {
                    return Err(end.unwrap_or(LinkEnd::ClosedHere(CloseReason::Stopping)));
                }
                written = self.out.write(&mut self.writer), if !self.out.is_flushed() => written?,
                read = self.reader.read_buf(&mut self.input), if reads => {
                    if read.map_err(|_| LinkEnd::ConnectionLost)? == 0 {
                        return Err(LinkEnd::ConnectionLost);
                    }
                    self.handle_frames()?;
                }
                () = self.sender.outbox().notified() => {}
                () = settled, if self.waits_for_commit() => {}
                () = hub.wait_for_capacity(), if !reads && !hub.has_capacity() => {}
                () = self.handle.ping_requested() => self.reply(&Frame::Ping)?,
                () = sleep_until(wakes_at) => {}
            }
            if self.sender.outbox().is_closed() {
                return Err(LinkEnd::Replaced);
            }
            self.sender.handle_timeouts(&self.hub);
        }
    }

    fn waits_for_commit(&self) -> bool {
        self.receiver.waits_for_commit() || self.sender.waits_for_commit()
    }

    fn reply(&mut self, frame: &Frame) -> Result<(), LinkEnd> {
        frame::write(&mut self.out.replies, frame).map_err(LinkEnd::ClosedHere)
    }

    /// Queues a heartbeat if nothing was sent for [`LINK_HEARTBEAT`]; fails if nothing was received for [`LINK_DEAD`].
    fn keep_alive(&mut self, now: Instant) -> Result<(), LinkEnd> {
        if now.duration_since(self.last_received) >= LINK_DEAD {
            return Err(LinkEnd::Unresponsive);
        }
        if now.duration_since(self.last_sent) >= LINK_HEARTBEAT && self.out.is_empty() {
            self.last_sent = now;
            self.reply(&Frame::Ping)?;
        }
        Ok(())
    }

    fn next_deadline(&self, now: Instant) -> Instant {
        let heartbeat = if self.out.is_empty() { self.last_sent + LINK_HEARTBEAT } else { now + LINK_HEARTBEAT };
        let deadlines =
            [Some(heartbeat), Some(self.last_received + LINK_DEAD), self.sender.deadline(), self.receiver.deadline()];
        deadlines.into_iter().flatten().min().unwrap_or(heartbeat)
    }

    fn handle_frames(&mut self) -> Result<(), LinkEnd> {
        while let Some(frame) = frame::read(&mut self.input, false).map_err(LinkEnd::ClosedHere)? {
            self.last_received = Instant::now();
            self.handle.record_received();
            self.receiver.count_frame(self.last_received);
            self.handle_frame(frame)?;
        }
        debug_assert!(self.input.len() <= LINK_FRAME_BYTES * 2, "all complete frames were parsed");
        Ok(())
    }

    fn handle_frame(&mut self, frame: Frame) -> Result<(), LinkEnd> {
        match frame {
            Frame::Messages { epoch, messages } => self.receiver.receive(&self.hub, epoch, messages),
            Frame::Acknowledged { epoch, upto, refused } => {
                self.sender.acknowledged(&self.hub, (epoch, upto), &refused)
            }
            Frame::RefusalsConfirmed { epoch, upto } => self.receiver.forget_refusals(&self.hub, epoch, upto),
            Frame::Ping => self.reply(&Frame::Pong),
            Frame::Pong => Ok(()),
            Frame::Close(reason) => Err(LinkEnd::ClosedByPeer(reason)),
            Frame::Hello(_) | Frame::Accepted => Err(LinkEnd::ClosedHere(CloseReason::Malformed)),
        }
    }
}
