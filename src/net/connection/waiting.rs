//! The waits of a connection. It gives its place away as soon as the server ends it, and notices meanwhile if its peer has
//! reset it: nothing more is done for a peer that is gone.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Poll, ready};

use tokio::time::timeout_at;

use crate::hub::{Backlog, ConnectionEnd, QueueStatus, SendQueue};
use crate::net::client_stream::ClientStream;
use crate::net::connection::Connection;
use crate::net::session::Flow;
use crate::wire::Line;

impl Connection {
    /// Answers a line, which may wait for a core, for the disk or for another server.
    pub(super) async fn answer(&mut self, line: Line) -> Flow {
        let (flow, has_waited) = {
            let mut answer = pin!(self.session.answer(line));
            match poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await {
                Poll::Ready(flow) => (flow, false),
                Poll::Pending => {
                    self.turn.held = None;
                    // Boxed, and only now: most requests wait for nothing.
                    (Box::pin(watching(&self.stream, &self.send_queue, answer)).await, true)
                }
            }
        };
        if has_waited {
            // A request that waits is costly. Its reply leaves at once, and finds out whether the peer is there for the next.
            self.session.send_replies();
            self.close_if_reset();
        }
        flow
    }

    pub(super) async fn wait_for_the_hub(&mut self) {
        // Boxed so that what is rare does not enlarge an idle connection's task.
        if self.session.must_wait_for_the_hub() {
            self.turn.held = None;
            let (stream, send_queue) = (self.stream.clone(), self.send_queue.clone());
            Box::pin(unless_over(&stream, &send_queue, self.session.wait_for_the_hub())).await;
        }
    }

    /// Waits while the connection's owner has used its share of the batch. `None` if the connection is over meanwhile.
    pub(super) async fn wait_for_share(&mut self) -> Option<()> {
        let (stream, send_queue) = (self.stream.clone(), self.send_queue.clone());
        Box::pin(unless_over(&stream, &send_queue, self.session.wait_for_share())).await
    }

    /// Waits for something that others bring about, unless the connection is over meanwhile.
    pub(super) async fn unless_over<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        Box::pin(unless_over(&self.stream, &self.send_queue, wait)).await
    }

    /// Waits until less is queued than `limit`. Returns false if the socket is gone, or if the server ends the connection
    /// and the deadline passed.
    pub(super) async fn wait_until_below(&mut self, limit: Backlog) -> bool {
        let is_below = |status: QueueStatus| status.is_gone || status.backlog.is_below(limit);
        self.wait_until(|status| is_below(status) || status.is_closing).await;
        if !is_below(self.send_queue.status()) {
            let deadline = self.deadline();
            // When it is late the status tells.
            let _in_time = timeout_at(deadline, self.wait_until(is_below)).await;
        }
        let status = self.send_queue.status();
        !status.is_gone && status.backlog.is_below(limit)
    }

    /// Waits until the send queue's status is as wanted, and writes on while the socket takes something.
    pub(super) async fn wait_until(&self, is_reached: impl Fn(QueueStatus) -> bool) {
        poll_fn(|context| {
            loop {
                if self.send_queue.poll_until(&is_reached, context).is_ready() {
                    return Poll::Ready(());
                }
                if !self.send_queue.status().is_blocked {
                    return Poll::Pending;
                }
                ready!(self.poll_write_on(context));
            }
        })
        .await;
    }
}

/// Waits for something that others bring about, unless the server ends the connection or its peer is gone: then it must give
/// its place away at once.
pub(super) async fn unless_over<T>(
    stream: &ClientStream,
    send_queue: &SendQueue,
    wait: impl Future<Output = T>,
) -> Option<T> {
    let ending = poll_fn(|context| send_queue.poll_until(|status| status.is_closing, context));
    tokio::select! {
        biased;
        done = wait => Some(done),
        () = ending => None,
        () = stream.reset() => {
            send_queue.close(ConnectionEnd::Gone);
            None
        }
    }
}

/// Waits for an answer, and closes the send queue meanwhile if the peer resets the connection: an answer that waits for a
/// core ends then.
async fn watching(
    stream: &ClientStream,
    send_queue: &SendQueue,
    mut answer: Pin<&mut impl Future<Output = Flow>>,
) -> Flow {
    tokio::select! {
        biased;
        flow = &mut answer => return flow,
        () = stream.reset() => send_queue.close(ConnectionEnd::Gone),
    }
    answer.await
}
