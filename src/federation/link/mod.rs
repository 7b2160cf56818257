//! A link that is up: one task that reads, writes and waits for both disks.
//!
//! Messages leave from the outbox in the order of their numbers, so many at a time, each once it is on this server's
//! disk; they are acknowledged once they are on the other's. Nothing here grows with what the other server does: what
//! leaves waits in a buffer that is bounded, and what comes in is not read on while too much waits for the disk.

mod out;
mod pace;
mod receiving;
mod sending;

use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::federation::carrier::Stream;
use crate::federation::frame::{self, Frame, Reason};
use crate::federation::meeting::{Channel, Met};
use crate::hub::{Hub, OutboxTail};
use crate::id::{Incarnation, RealmId, Seq};
use crate::limits::{LINK_DEAD, LINK_FRAME_BYTES, LINK_HEARTBEAT, LINK_HELLO, LINK_READ_BYTES};
use out::Out;
use receiving::Receiving;
use sending::Sending;

/// How a link that was up came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum End {
    /// The other server ended it.
    #[error("the other server ended it: {0}")]
    Theirs(Reason),
    /// This server ended it.
    #[error("ended here ({0:?})")]
    Ours(Reason),
    /// The channel broke.
    #[error("the connection broke")]
    Broken,
    /// The other server was not heard for too long.
    #[error("the other server was not heard for too long")]
    Unresponsive,
    /// Another link to the same server has taken its place.
    #[error("another link has taken its place")]
    Replaced,
}

/// What others may do to a link that is up.
#[derive(Clone)]
pub(super) struct Handle {
    pub(super) is_dialler: bool,
    /// Ends it: another link takes its place, or the server stops.
    pub(super) ended: CancellationToken,
    pub(super) reason: Arc<std::sync::OnceLock<End>>,
    /// Has it ask the other server for a sign of life; answered through `alive`.
    pub(super) ask: Arc<Notify>,
    pub(super) alive: Arc<Notify>,
}

impl Handle {
    pub(super) fn new(is_dialler: bool) -> Self {
        Self {
            is_dialler,
            ended: CancellationToken::new(),
            reason: Arc::default(),
            ask: Arc::default(),
            alive: Arc::default(),
        }
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.reason, &other.reason)
    }

    pub(super) fn end(&self, reason: End) {
        let _first_reason_counts = self.reason.set(reason);
        self.ended.cancel();
    }
}

/// A link that is up.
pub(super) struct Link {
    hub: Hub,
    handle: Handle,
    reader: ReadHalf<Box<dyn Stream>>,
    writer: WriteHalf<Box<dyn Stream>>,
    input: BytesMut,
    out: Out,
    heard: Instant,
    said: Instant,
    sending: Sending,
    receiving: Receiving,
}

impl Link {
    /// A link to a server that was met; its messages leave once it is run.
    pub(super) fn new(hub: Hub, feed: Arc<OutboxTail>, met: Met, handle: Handle, text_bytes: usize) -> Self {
        let Met { channel: Channel { stream, input }, realm, heads, .. } = met;
        let (reader, writer) = tokio::io::split(stream);
        let now = Instant::now();
        Self {
            sending: Sending::new(&hub, feed, realm, &heads),
            receiving: Receiving::new(realm, text_bytes),
            hub,
            handle,
            reader,
            writer,
            input,
            out: Out::default(),
            heard: now,
            said: now,
        }
    }

    /// Serves the link until it ends, and says why it did.
    pub(super) async fn run(mut self) -> End {
        let end = match self.serve().await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        self.sending.save(&self.hub);
        if let End::Ours(reason) = end {
            // Who does not listen any more misses nothing.
            let _heard = timeout(LINK_HELLO, self.bid_farewell(reason)).await;
        }
        end
    }

    /// Ends the channel with a reason.
    async fn bid_farewell(&mut self, reason: Reason) -> Result<(), End> {
        self.out.drop_what_waits();
        self.say(&Frame::Bye(reason))?;
        while !self.out.has_left() {
            self.out.push(&mut self.writer).await?;
        }
        self.writer.shutdown().await.map_err(|_| End::Broken)
    }

    async fn serve(&mut self) -> Result<std::convert::Infallible, End> {
        // What came with the last words of the meeting.
        self.take_frames()?;
        loop {
            // Asked for before the look, so that nothing that settles in between is missed.
            let hub = self.hub.clone();
            let settled = hub.settled();
            self.receiving.acknowledge(&self.hub, &mut self.out.answers)?;
            self.sending.confirm(&self.hub, &mut self.out.answers)?;
            self.sending.fill(&self.hub, &mut self.out).await?;
            let now = Instant::now();
            self.keep_alive(now)?;
            let has_room = self.receiving.has_room(&self.hub, now);
            if !has_room {
                // It is this server that does not listen.
                self.heard = now;
            }
            let reads = has_room && self.out.has_room_for_answers();
            let wakes_at = self.next_deadline(now);
            self.input.reserve(LINK_READ_BYTES);
            tokio::select! {
                biased;
                () = self.handle.ended.cancelled() => {
                    return Err(self.handle.reason.get().copied().unwrap_or(End::Ours(Reason::Stopping)));
                }
                written = self.out.push(&mut self.writer), if !self.out.has_left() => written?,
                read = self.reader.read_buf(&mut self.input), if reads => {
                    if read.map_err(|_| End::Broken)? == 0 {
                        return Err(End::Broken);
                    }
                    self.take_frames()?;
                }
                () = self.sending.feed().notified() => {}
                () = settled, if self.waits_for_the_disk() => {}
                () = hub.wait_for_capacity(), if !reads && !hub.has_capacity() => {}
                () = self.handle.ask.notified() => self.say(&Frame::Ping)?,
                () = sleep_until(wakes_at) => {}
            }
            if self.sending.feed().is_closed() {
                return Err(End::Replaced);
            }
            self.sending.feed_the_impatient(&self.hub);
        }
    }

    fn waits_for_the_disk(&self) -> bool {
        self.receiving.waits() || self.sending.waits()
    }

    fn say(&mut self, frame: &Frame) -> Result<(), End> {
        frame::write(&mut self.out.answers, frame).map_err(End::Ours)
    }

    /// Says something where nothing was said for a while, and gives up where nothing was heard.
    fn keep_alive(&mut self, now: Instant) -> Result<(), End> {
        if now.duration_since(self.heard) >= LINK_DEAD {
            return Err(End::Unresponsive);
        }
        if now.duration_since(self.said) >= LINK_HEARTBEAT && self.out.is_empty() {
            self.said = now;
            self.say(&Frame::Ping)?;
        }
        Ok(())
    }

    fn next_deadline(&self, now: Instant) -> Instant {
        let heartbeat = if self.out.is_empty() { self.said + LINK_HEARTBEAT } else { now + LINK_HEARTBEAT };
        let deadlines =
            [Some(heartbeat), Some(self.heard + LINK_DEAD), self.sending.deadline(), self.receiving.deadline()];
        deadlines.into_iter().flatten().min().unwrap_or(heartbeat)
    }

    fn take_frames(&mut self) -> Result<(), End> {
        while let Some(frame) = frame::read(&mut self.input, false).map_err(End::Ours)? {
            self.heard = Instant::now();
            self.handle.alive.notify_waiters();
            self.receiving.count_frame(self.heard);
            self.take(frame)?;
        }
        debug_assert!(self.input.len() <= LINK_FRAME_BYTES * 2, "a frame that is read is taken");
        Ok(())
    }

    fn take(&mut self, frame: Frame) -> Result<(), End> {
        match frame {
            Frame::Letters { incarnation, letters } => self.receiving.take(&self.hub, incarnation, letters),
            Frame::Acknowledged { incarnation, upto, refused } => {
                self.sending.acknowledged(&self.hub, incarnation, upto, &refused)
            }
            Frame::Noted { incarnation, upto } => self.receiving.noted(&self.hub, incarnation, upto),
            Frame::Ping => self.say(&Frame::Pong),
            Frame::Pong => Ok(()),
            Frame::Bye(reason) => Err(End::Theirs(reason)),
            Frame::Hello(_) | Frame::Welcome => Err(End::Ours(Reason::Malformed)),
        }
    }
}

/// A number that another server knows: of one of the giver's incarnations.
type Number = (Incarnation, Seq);

/// Whose link it is.
fn is_gone(hub: &Hub, realm: RealmId) -> bool {
    hub.read(|state| state.peer(realm).is_none()).0
}
