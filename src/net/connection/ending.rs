//! How a connection ends: its last replies, the reason, or a link on its socket.

use std::net::SocketAddr;
use std::sync::PoisonError;

use tokio::time::{Instant, timeout, timeout_at};
use tracing::debug;

use crate::hub::{Backlog, ConnectionEnd, QueueStatus};
use crate::limits::{LAST_BYTES, LAST_WORDS, READ_BYTES};
use crate::net::client_stream::SharedStream;
use crate::net::connection::Connection;
use crate::net::link_carrier::HalfLink;
use crate::net::upgrade;
use crate::wire::DisconnectReason;

impl Connection {
    /// Until when replies may leave, from the moment that the server ends the connection.
    pub(super) fn deadline(&mut self) -> Instant {
        *self.deadline.get_or_insert_with(|| Instant::now() + LAST_WORDS)
    }

    pub(super) fn is_late(&mut self) -> bool {
        self.send_queue.status().is_closing && Instant::now() >= self.deadline()
    }

    /// Whether the server ends the connection, and serves no more of its requests. Only a server that stops serves on: a
    /// connection that has to make room, or was put out, makes room at once.
    pub(super) fn ends_at_once(&self) -> bool {
        let served = ConnectionEnd::Disconnected(DisconnectReason::ShuttingDown);
        self.send_queue.ending().is_some_and(|end| end != served)
    }

    /// Hands the socket to a link. The other server sends nothing more before the answer.
    pub(super) async fn upgrade_to_link(self) {
        let is_sent = self.wait_until(|status| status.is_closing || status.backlog == Backlog::default());
        if timeout(LAST_WORDS, is_sent).await.is_err() || !self.read_buffer.is_empty() {
            debug!("a link began with something else");
            return;
        }
        let Self { stream, mut session, .. } = self;
        let (half_link, server, client) = (session.half_link.take(), session.server(), session.address);
        drop(session);
        let (Some(half_link), Ok(address)) = (half_link, stream.peer_addr()) else { return };
        let HalfLink { handshake, carrier } = *half_link;
        let stream = SharedStream(stream);
        match carrier {
            None => {
                let address = SocketAddr::new(client, address.port());
                Box::pin(upgrade::serve(Box::new(stream), address, handshake, &server)).await;
            }
            Some(carrier) => {
                let carrier = carrier.into_inner().unwrap_or_else(PoisonError::into_inner);
                tokio::select! {
                    () = Box::pin(carrier.carry(stream, handshake)) => {}
                    () = server.stopping.cancelled() => {}
                }
            }
        }
    }

    /// Waits until the replies were sent, and the reason for the end if the server ends the connection.
    pub(super) async fn finish(&mut self, end: ConnectionEnd) {
        if end == ConnectionEnd::Gone {
            return;
        }
        let reason = match self.send_queue.ending() {
            Some(ConnectionEnd::Disconnected(reason)) => Some(reason),
            _ => None,
        };
        if let Some(reason) = reason {
            self.session.send_disconnect_reason(reason);
        }
        self.session.send_control(&self.decoder.end(reason));
        loop {
            let QueueStatus { backlog, is_gone, is_closing, .. } = self.send_queue.status();
            if is_gone || backlog == Backlog::default() {
                break;
            }
            if is_closing {
                let deadline = self.deadline();
                let is_sent = self.wait_until(|status| status.is_gone || status.backlog == Backlog::default());
                let _in_time = timeout_at(deadline, is_sent).await;
                break;
            }
            // A reader that takes something gets more time, and so does the disk.
            let some_left = self.wait_until(|status| status.is_closing || status.backlog != backlog);
            if timeout(LAST_WORDS, some_left).await.is_err() && backlog.requests == 0 {
                break;
            }
        }
        if let Err(error) = self.stream.shutdown_write() {
            debug!(%error, "the connection was gone before its end");
        }
        self.discard_received();
    }

    /// Reads what has come and is not served any more: a socket that is closed with unread bytes resets the connection, and a
    /// reset may overtake the last reply.
    fn discard_received(&mut self) {
        let mut left = LAST_BYTES;
        while left > 0 {
            self.read_buffer.clear();
            let Ok(bytes @ 1..) = self.read_buffer.take(&self.stream, READ_BYTES) else { return };
            left = left.saturating_sub(bytes);
        }
    }
}
