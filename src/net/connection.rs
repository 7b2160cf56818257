//! One connection: reads what was received, serves it line by line within a budget, waits, and ends in order.
//!
//! Two bounds hold for every line. It is served only while the peer is there and takes the replies: a connection whose
//! socket is gone loses its remaining requests, one that the server ends has until a deadline to take its replies. And
//! a task that has had its turn ([`REQUESTS_PER_TURN`], [`READ_BYTES`]) yields to the others, however much there is to
//! read.

mod ending;
#[cfg(test)]
mod tests;
mod waiting;

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, timeout};
use tracing::debug;

use crate::hub::{Backlog, ConnectionEnd, Replay, SendQueue, Ticket};
use crate::limits::{
    LAST_BYTES, PUSH_BYTES, READ_BYTES, READ_BYTES_WITHOUT_TURN, REPLY_BYTES, REQUESTS_IN_FLIGHT, REQUESTS_PER_TURN,
    REQUESTS_WITHOUT_TURN, TURN_TIME, UNFINISHED_LINE,
};
use crate::net::accepted::Accepted;
use crate::net::client_stream::ClientStream;
use crate::net::context::ServerContext;
use crate::net::read_buffer::ReadBuffer;
use crate::net::session::{Flow, Session};
use crate::net::turns::OwnersTurn;
use crate::wire::{Input, InputDecoder, Line};

/// The backlog at which the next request is held back.
const FULL: Backlog = Backlog { requests: REQUESTS_IN_FLIGHT, bytes: REPLY_BYTES };
/// The backlog at which the next page of a replay is held back: live pushes will need the rest of the room.
const FULL_FOR_REPLAY: Backlog = Backlog { requests: usize::MAX, bytes: PUSH_BYTES / 2 };

/// A read of so many bytes is worth the question whether the peer is still there.
const MANY_BYTES: usize = 1024;

/// Serves a connection until it ends.
pub(crate) fn run(accepted: Accepted, context: Arc<ServerContext>) -> impl Future<Output = ()> + Send {
    let Accepted { stream, send_queue, address, permit, received } = accepted;
    let decoder = InputDecoder::new(send_queue.format(), context.policy.load().line_bytes);
    let session = Session::new(context, send_queue.clone(), address, permit.number());
    let (read_buffer, turn) = (ReadBuffer::of(&received), Turn::default());
    // Made here: a future that makes it holds its parts beside the whole as long as it lives.
    let mut connection =
        Connection { stream, send_queue, decoder, read_buffer, session, turn, deadline: None, is_hinted: false };
    async move {
        debug!("connected");
        connection.session.greet();
        let end = connection.serve().await;
        connection.turn = Turn::default();
        connection.session.end();
        // Boxed so that rarely used futures do not enlarge an idle connection's task.
        if end == ConnectionEnd::Upgraded && connection.send_queue.ending().is_none() {
            Box::pin(connection.upgrade_to_link()).await;
        } else {
            Box::pin(connection.finish(end)).await;
        }
        drop(permit);
        debug!("disconnected");
    }
}

struct Connection {
    stream: Arc<ClientStream>,
    send_queue: Arc<SendQueue>,
    decoder: InputDecoder,
    read_buffer: ReadBuffer,
    session: Session,
    turn: Turn,
    /// Until when the replies may leave of a connection that the server ends.
    deadline: Option<Instant>,
    /// The person at a text listener was told that lines end with Enter.
    is_hinted: bool,
}

/// The work of the task since it last yielded.
#[derive(Default)]
struct Turn {
    /// Blank and rejected lines count as well.
    requests: usize,
    bytes: usize,
    /// The turn of the connection's owner, if the connection has it.
    held: Option<Box<OwnersTurn>>,
    /// The connection was at work for long already, or has much to do: it needs the owner's turn at once.
    is_long: bool,
}

impl Turn {
    /// However few requests there were: some cost a hundred times as much as others.
    fn is_over(&self) -> bool {
        self.held.as_ref().is_some_and(|turn| turn.begun.elapsed() >= TURN_TIME)
    }
}

impl Connection {
    async fn serve(&mut self) -> ConnectionEnd {
        poll_fn(|context| {
            self.send_queue.set_task(context.waker());
            Poll::Ready(())
        })
        .await;
        if !self.read_buffer.is_empty()
            && let Some(end) = Box::pin(self.serve_inputs()).await
        {
            return end;
        }
        loop {
            let received = self.wait_and_hint().await;
            self.session.resume_pushes_if_drained();
            if self.send_queue.status().is_closing {
                return Box::pin(self.drain_received(received)).await;
            }
            if let Some(received) = received
                && let Some(end) = self.serve_received(received).await
            {
                return end;
            }
        }
    }

    async fn serve_received(&mut self, received: io::Result<usize>) -> Option<ConnectionEnd> {
        match received {
            Ok(0) => {
                self.send_queue.hear();
                if self.stream.is_truncated() {
                    self.read_buffer.clear();
                }
                Some(Box::pin(self.serve_last_line()).await)
            }
            Ok(bytes) => {
                self.send_queue.hear();
                self.turn.bytes += bytes;
                self.turn.is_long |= bytes >= READ_BYTES_WITHOUT_TURN;
                if bytes >= MANY_BYTES {
                    self.close_if_reset();
                }
                // Boxed, as is what is rare: an idle connection's task would have room for it all.
                let end = Box::pin(self.serve_inputs()).await;
                if end.is_none() && self.turn.bytes >= READ_BYTES {
                    self.end_turn().await;
                }
                end
            }
            Err(error) => {
                debug!(%error, "the connection broke");
                Some(ConnectionEnd::Gone)
            }
        }
    }

    /// The server ends this connection: serves what was received so far, but not what keeps coming.
    async fn drain_received(&mut self, mut received: Option<io::Result<usize>>) -> ConnectionEnd {
        let mut left = LAST_BYTES;
        while left > 0 {
            if self.ends_at_once() {
                break;
            }
            let received = received.take().unwrap_or_else(|| self.read_buffer.take(&self.stream, self.read_limit()));
            if matches!(&received, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
                break;
            }
            left = left.saturating_sub(*received.as_ref().unwrap_or(&0));
            if let Some(end) = self.serve_received(received).await {
                return end;
            }
        }
        self.send_queue.ending().unwrap_or(ConnectionEnd::Finished)
    }

    /// Waits for the rest of a line. A person at a terminal who stops in the middle of one is told once how lines end.
    async fn wait_and_hint(&mut self) -> Option<io::Result<usize>> {
        let is_person = self.send_queue.format().is_text();
        if !is_person || self.is_hinted || self.read_buffer.is_empty() {
            return self.wait().await;
        }
        // Boxed so that the timer does not enlarge an idle connection's task.
        let received = Box::pin(timeout(UNFINISHED_LINE, self.wait())).await;
        received.unwrap_or_else(|_| {
            self.is_hinted = true;
            self.session.send_unfinished_line();
            None
        })
    }

    /// Waits until something was received, which is read, or `None` if the connection has to act on something else.
    async fn wait(&mut self) -> Option<io::Result<usize>> {
        poll_fn(|context| {
            let polled = self.poll_received(context);
            if polled.is_pending() {
                self.turn = Turn::default();
            }
            polled
        })
        .await
    }

    fn poll_received(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<usize>>> {
        loop {
            let status = self.send_queue.status();
            if status.is_closing || status.is_drained_after_lag {
                return Poll::Ready(None);
            }
            if !status.is_blocked || self.poll_write_on(context).is_pending() {
                let limit = self.read_limit();
                return self.read_buffer.poll_take(&self.stream, limit, context).map(Some);
            }
        }
    }

    /// How many bytes to read at the most. What is read and waits for a turn is in memory.
    fn read_limit(&self) -> usize {
        if self.turn.held.is_some() { READ_BYTES } else { READ_BYTES_WITHOUT_TURN }
    }

    /// Writes on once the socket is writable again.
    fn poll_write_on(&self, context: &mut Context<'_>) -> Poll<()> {
        // An error shows again in the write, which then ends the connection.
        let _writable = ready!(self.stream.poll_write_ready(context));
        self.send_queue.unblock();
        Poll::Ready(())
    }

    async fn serve_inputs(&mut self) -> Option<ConnectionEnd> {
        self.session.begin_read();
        // Bytes that make no line, such as options of telnet or pieces of a WebSocket's message, are work as well.
        if self.turn.is_long {
            self.take_turn().await;
        }
        // One read holds no more changes than may wait for the disk, so once a read is often enough.
        self.wait_for_the_hub().await;
        let mut end = None;
        while end.is_none()
            && let Some(input) = self.decoder.next(&mut self.read_buffer)
        {
            end = match input {
                Input::Line(line) => self.serve_line(line).await,
                Input::Control(answer) => self.answer_control(&answer).await,
                Input::End => Some(ConnectionEnd::Finished),
            };
        }
        self.read_buffer.shrink();
        self.answer_telnet();
        self.session.send_replies();
        end
    }

    /// A peer that asks and does not read what it is answered is not answered any more.
    fn answer_telnet(&mut self) {
        let answers = self.decoder.take_telnet_answers();
        let is_telnet = self.send_queue.format().is_text() && !answers.is_empty();
        if is_telnet && self.send_queue.status().backlog.is_below(FULL) {
            self.send_queue.reply(Ticket::NONE, None, |out| out.extend_from_slice(&answers));
        }
    }

    async fn serve_last_line(&mut self) -> ConnectionEnd {
        let mut end = None;
        if let Some(line) = self.decoder.last(&mut self.read_buffer) {
            end = self.serve_line(line).await;
        }
        self.session.send_replies();
        end.unwrap_or(ConnectionEnd::Finished)
    }

    async fn answer_control(&mut self, answer: &[u8]) -> Option<ConnectionEnd> {
        let end = self.admit().await;
        if end.is_none() {
            self.session.send_control(answer);
        }
        end
    }

    /// Serves a line once there is room for its reply. Returns how the connection ends, if it does.
    async fn serve_line(&mut self, line: Line) -> Option<ConnectionEnd> {
        if let Some(end) = self.admit().await {
            return Some(end);
        }
        let flow = self.answer(line).await;
        match flow {
            Flow::Continue => None,
            Flow::Replay(replay) => {
                // The reader may be slow: the owner's other connections must not wait for it.
                self.turn.held = None;
                Box::pin(self.replay(replay)).await;
                None
            }
            Flow::Link => Some(ConnectionEnd::Upgraded),
            Flow::Close => Some(ConnectionEnd::Finished),
            Flow::Drop => Some(ConnectionEnd::Gone),
        }
    }

    /// Waits until the next request may be served. Returns how the connection ends if it may not.
    async fn admit(&mut self) -> Option<ConnectionEnd> {
        self.turn.requests += 1;
        if self.turn.requests >= REQUESTS_PER_TURN || self.turn.is_over() {
            self.session.send_replies();
            self.end_turn().await;
            self.close_if_reset();
        }
        if self.session.is_costly() {
            self.wait_for_the_hub().await;
        }
        // After a log-in the connection needs the turn of its user: that of its address is another owner's.
        self.turn.held.take_if(|turn| turn.owner != self.session.owner());
        if self.turn.is_long || self.turn.requests > REQUESTS_WITHOUT_TURN {
            self.take_turn().await;
        } else if self.session.must_wait_for_share() {
            // Hundreds of connections of one user, each with a few sends, would fill a batch that takes a tenth of a second.
            let _is_over = self.wait_for_share().await;
        }
        let status = self.send_queue.status();
        if status.backlog.is_below(FULL) && !status.is_closing {
            return None;
        }
        // Long replies are work, too: for a reader that takes them at once there would be no end to it.
        self.session.send_replies();
        self.end_turn().await;
        if self.ends_at_once() {
            return self.send_queue.ending();
        }
        let is_admitted = Box::pin(self.wait_until_below(FULL)).await && !self.is_late();
        if is_admitted { None } else { Some(self.send_queue.ending().unwrap_or(ConnectionEnd::Gone)) }
    }

    /// Waits for the turn of the connection's owner, and for the next batch if other connections of the owner have used its
    /// share of this one meanwhile.
    async fn take_turn(&mut self) {
        while self.turn.held.is_none() {
            let Some(turn) = self.turn_of_owner().await else { return };
            if !self.session.has_used_share() {
                self.turn.held = Some(Box::new(turn));
                return;
            }
            drop(turn);
            if self.wait_for_share().await.is_none() {
                return;
            }
        }
    }

    async fn turn_of_owner(&self) -> Option<OwnersTurn> {
        let awaited = match self.session.try_take_turn() {
            Ok(turn) => return Some(turn),
            Err(awaited) => awaited,
        };
        let turn = self.unless_over(awaited.take()).await.flatten();
        // Tokio polls a task that was just woken before the tasks in its queue, which have waited for longer.
        tokio::task::yield_now().await;
        turn
    }

    /// Lets other tasks run, and other connections of the same owner have its turn.
    async fn end_turn(&mut self) {
        self.turn = Turn { is_long: true, ..Turn::default() };
        tokio::task::yield_now().await;
    }

    /// Notices a reset that no read or write has come across yet.
    fn close_if_reset(&self) {
        if !matches!(self.stream.tcp().take_error(), Ok(None)) {
            self.send_queue.close(ConnectionEnd::Gone);
        }
    }

    /// Queues page after page, each once the reader has taken the one before.
    async fn replay(&mut self, replay: Replay) {
        let mut next = Some(replay);
        while let Some(replay) = next {
            if !self.wait_until_below(FULL_FOR_REPLAY).await || self.send_queue.status().is_closing {
                return;
            }
            next = self.session.replay_on(replay).await;
        }
    }
}
