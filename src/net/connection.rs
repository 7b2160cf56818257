//! One connection's life: read what came, serve it line by line, wait, end well.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Shutdown};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio_util::codec::Decoder;
use tracing::debug;

use crate::hub::{Backlog, ConnectionEnd, Replay, SendQueue, SocketWriter};
use crate::limits::{LAST_READS, LAST_WORDS, REPLY_BYTES, REQUESTS_IN_FLIGHT};
use crate::net::admission::Permit;
use crate::net::context::ServerContext;
use crate::net::read_buffer::ReadBuffer;
use crate::net::session::{Flow, Session};
use crate::net::upgrade;
use crate::wire::{Line, LineCodec};

impl SocketWriter for TcpStream {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.try_write(bytes)
    }
}

/// Lives the connection's life; its place is given back at the end.
pub(super) async fn run(
    stream: Arc<TcpStream>,
    send_queue: Arc<SendQueue>,
    address: IpAddr,
    permit: Permit,
    services: Arc<ServerContext>,
) {
    debug!("connected");
    let codec = LineCodec::new(services.policy.line_bytes);
    let session = Session::new(services.clone(), send_queue.clone(), address);
    let mut connection = Connection { stream, send_queue, codec, read_buffer: ReadBuffer::default(), session };
    let goodbye = connection.serve().await;
    connection.session.end();
    // Boxed: what comes at the end, or seldom, takes no room of a connection that is idle.
    if goodbye == Goodbye::Link {
        Box::pin(connection.upgrade_to_link(&services)).await;
    } else {
        Box::pin(connection.leave(goodbye)).await;
    }
    drop(permit);
    debug!("disconnected");
}

struct Connection {
    stream: Arc<TcpStream>,
    send_queue: Arc<SendQueue>,
    codec: LineCodec,
    read_buffer: ReadBuffer,
    session: Session,
}

/// How the serving of a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goodbye {
    /// What was answered still leaves.
    InOrder,
    /// Nothing leaves any more.
    AtOnce,
    /// What was answered still leaves; then the connection is a link.
    Link,
}

impl Connection {
    async fn serve(&mut self) -> Goodbye {
        loop {
            let taken = self.wait().await;
            self.session.resume_pushes_if_drained();
            match self.send_queue.ending() {
                Some(ConnectionEnd::Gone) => return Goodbye::AtOnce,
                Some(ConnectionEnd::Disconnected(_)) => return Box::pin(self.drain_received(taken)).await,
                None => {}
            }
            let goodbye = match taken {
                None => None,
                Some(taken) => self.serve_what_came(taken).await,
            };
            if let Some(goodbye) = goodbye {
                return goodbye;
            }
        }
    }

    async fn serve_what_came(&mut self, taken: io::Result<usize>) -> Option<Goodbye> {
        match taken {
            Ok(0) => Some(self.serve_last_line().await),
            Ok(_) => self.serve_lines().await,
            Err(error) => {
                debug!(%error, "the connection broke");
                Some(Goodbye::AtOnce)
            }
        }
    }

    /// The server is to end this connection: what was received is still served, but not what keeps coming.
    async fn drain_received(&mut self, mut taken: Option<io::Result<usize>>) -> Goodbye {
        for _ in 0..LAST_READS {
            match taken.take().unwrap_or_else(|| self.read_buffer.take(&self.stream)) {
                Ok(0) => return self.serve_last_line().await,
                Ok(_) => {}
                Err(_) => break,
            }
            if let Some(goodbye) = self.serve_lines().await {
                return goodbye;
            }
        }
        Goodbye::InOrder
    }

    /// Waits until there is something to read, which is taken, or to look after.
    async fn wait(&mut self) -> Option<io::Result<usize>> {
        poll_fn(|context| {
            if self.poll_woken(context).is_ready() {
                return Poll::Ready(None);
            }
            self.read_buffer.poll_take(&self.stream, context).map(Some)
        })
        .await
    }

    /// Waits until the outbox has something to look after, and writes on when the socket was full.
    fn poll_woken(&self, context: &mut Context<'_>) -> Poll<()> {
        let woken = self.send_queue.poll_woken(context);
        if woken.is_pending() && self.send_queue.is_blocked() {
            return self.stream.poll_write_ready(context).map(|_| self.send_queue.unblock());
        }
        woken
    }

    async fn serve_lines(&mut self) -> Option<Goodbye> {
        self.send_queue.touch();
        // One read holds no more requests than a connection may have in flight, so once a read is often enough.
        self.session.wait_for_the_hub().await;
        let mut goodbye = None;
        while goodbye.is_none() {
            let Ok(Some(line)) = self.codec.decode(&mut self.read_buffer) else { break };
            self.wait_for_room().await;
            goodbye = self.serve_line(line).await;
        }
        self.read_buffer.give_back();
        self.session.send_replies();
        goodbye
    }

    async fn serve_last_line(&mut self) -> Goodbye {
        let mut goodbye = None;
        if let Ok(Some(line)) = self.codec.decode_eof(&mut self.read_buffer) {
            goodbye = self.serve_line(line).await;
        }
        self.session.send_replies();
        goodbye.unwrap_or(Goodbye::InOrder)
    }

    async fn serve_line(&mut self, line: Line) -> Option<Goodbye> {
        match self.session.answer(line).await {
            Flow::Continue => None,
            Flow::Replay(replay) => {
                Box::pin(self.replay(replay)).await;
                None
            }
            Flow::Link => Some(Goodbye::Link),
            Flow::Close => Some(Goodbye::InOrder),
            Flow::Drop => Some(Goodbye::AtOnce),
        }
    }

    /// Replays page by page, each once the reader has taken the one before.
    async fn replay(&self, replay: Replay) {
        let mut going_on = Some(replay);
        while let Some(replay) = going_on {
            self.until(|waiting| waiting.bytes < REPLY_BYTES).await;
            if self.send_queue.ending().is_some() {
                return;
            }
            going_on = self.session.replay_on(replay).await;
        }
    }

    /// Holds the next request back while too many are unanswered or too much is unread.
    async fn wait_for_room(&self) {
        let fits = |waiting: Backlog| waiting.requests < REQUESTS_IN_FLIGHT && waiting.bytes < REPLY_BYTES;
        if !self.send_queue.has_left(fits) {
            self.session.send_replies();
            self.until(fits).await;
        }
    }

    /// Waits until what waits to leave is little enough, or the connection is to end.
    async fn until(&self, little_enough: impl Fn(Backlog) -> bool) {
        self.until_or(little_enough, |ending| ending.is_some()).await;
    }

    async fn until_or(
        &self,
        little_enough: impl Fn(Backlog) -> bool,
        given_up: impl Fn(Option<ConnectionEnd>) -> bool,
    ) {
        while !self.send_queue.has_left(&little_enough) && !given_up(self.send_queue.ending()) {
            poll_fn(|context| self.poll_woken(context)).await;
        }
    }

    /// Whoever asked for a link says nothing more before the answer.
    async fn upgrade_to_link(self, services: &ServerContext) {
        let has_left = self.until(|waiting| waiting == Backlog::default());
        if tokio::time::timeout(LAST_WORDS, has_left).await.is_err() || !self.read_buffer.is_empty() {
            debug!("a link began with something else");
            return;
        }
        let Self { stream, send_queue, session, .. } = self;
        drop(session);
        send_queue.set_authenticated(true);
        Box::pin(upgrade::serve(stream, services)).await;
    }

    /// Lets what was answered leave, with the last words where there are any.
    async fn leave(&mut self, goodbye: Goodbye) {
        if goodbye == Goodbye::AtOnce {
            return;
        }
        if let Some(ConnectionEnd::Disconnected(why)) = self.send_queue.ending() {
            self.session.send_disconnect_reason(why);
        }
        // A reader who takes something has time for the rest, and so has the disk; but not while the server stops.
        let begun = Instant::now();
        let mut before = Backlog::default();
        while self.send_queue.ending() != Some(ConnectionEnd::Gone) {
            let now = self.send_queue.waiting();
            if now == Backlog::default() || (now == before && now.requests == 0) {
                break;
            }
            before = now;
            let less_waits = |waiting: Backlog| waiting != now;
            let is_gone = |ending| ending == Some(ConnectionEnd::Gone);
            let some_left = tokio::time::timeout(LAST_WORDS, self.until_or(less_waits, is_gone)).await;
            let is_late = some_left.is_err() || begun.elapsed() > LAST_WORDS;
            if is_late && self.send_queue.ending().is_some() {
                break;
            }
        }
        if let Err(error) = SockRef::from(&*self.stream).shutdown(Shutdown::Write) {
            debug!(%error, "the connection was gone before its end");
        }
    }
}
