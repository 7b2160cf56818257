//! The state of a send queue that can be read without its lock.
//!
//! A change of a queue publishes this before it unlocks. So a connection's task asks before each line whether it
//! may go on, and whether anything is to be flushed, for the price of a load.

use crate::hub::sync::{AtomicU64, Ordering};
use crate::hub::tickets::Ticket;

/// The backlog of a connection. As a limit, each number is the first that is too many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Replies that wait for a commit.
    pub requests: usize,
    /// Bytes that wait for a commit or for the socket.
    pub bytes: usize,
}

/// The state of a send queue when its lock was last released.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStatus {
    /// The backlog.
    pub backlog: Backlog,
    /// The socket is gone: nothing is sent any more, and replies are discarded.
    pub is_gone: bool,
    /// The connection is to end.
    pub is_closing: bool,
    /// The socket takes no more for now.
    pub is_blocked: bool,
    /// There are bytes for the socket.
    pub has_ready: bool,
    /// Pushes were left out, and the reader has taken everything before them.
    pub is_drained_after_lag: bool,
    /// It is pushed to.
    pub is_listening: bool,
}

/// [`QueueStatus`] and the tickets of the held replies, as atomics.
pub(super) struct PublishedStatus {
    packed: AtomicU64,
    oldest_held: AtomicU64,
    newest_held: AtomicU64,
}

const FLAGS: u32 = 6;
const REQUESTS_BITS: u32 = 19;
const REQUESTS_MAX: u64 = (1 << REQUESTS_BITS) - 1;
const BYTES_MAX: u64 = u64::MAX >> (FLAGS + REQUESTS_BITS);
/// The oldest held ticket of a queue that holds none.
const NONE_HELD: u64 = u64::MAX;

impl Backlog {
    /// Whether both numbers are less than those of the limit.
    #[must_use]
    pub(crate) fn is_below(self, limit: Self) -> bool {
        self.requests < limit.requests && self.bytes < limit.bytes
    }
}

impl QueueStatus {
    fn pack(self) -> u64 {
        let flags = u64::from(self.is_gone)
            | u64::from(self.is_closing) << 1
            | u64::from(self.is_blocked) << 2
            | u64::from(self.has_ready) << 3
            | u64::from(self.is_drained_after_lag) << 4
            | u64::from(self.is_listening) << 5;
        let requests = (self.backlog.requests as u64).min(REQUESTS_MAX);
        let bytes = (self.backlog.bytes as u64).min(BYTES_MAX);
        flags | requests << FLAGS | bytes << (FLAGS + REQUESTS_BITS)
    }

    fn unpack(packed: u64) -> Self {
        let flag = |bit: u32| packed >> bit & 1 == 1;
        let requests = (packed >> FLAGS & REQUESTS_MAX) as usize;
        let bytes = (packed >> (FLAGS + REQUESTS_BITS)) as usize;
        Self {
            backlog: Backlog { requests, bytes },
            is_gone: flag(0),
            is_closing: flag(1),
            is_blocked: flag(2),
            has_ready: flag(3),
            is_drained_after_lag: flag(4),
            is_listening: flag(5),
        }
    }
}

impl PublishedStatus {
    pub(super) fn new() -> Self {
        Self { packed: AtomicU64::new(0), oldest_held: AtomicU64::new(NONE_HELD), newest_held: AtomicU64::new(0) }
    }

    pub(super) fn publish(&self, status: QueueStatus, oldest_held: Option<Ticket>, newest_held: Ticket) {
        self.oldest_held.store(oldest_held.map_or(NONE_HELD, |ticket| ticket.0), Ordering::Release);
        self.newest_held.store(newest_held.0, Ordering::Release);
        self.packed.store(status.pack(), Ordering::Release);
    }

    pub(super) fn status(&self) -> QueueStatus {
        QueueStatus::unpack(self.packed.load(Ordering::Acquire))
    }

    /// The ticket of the reply that is to leave next.
    pub(super) fn oldest_held(&self) -> Option<Ticket> {
        let ticket = self.oldest_held.load(Ordering::Acquire);
        (ticket != NONE_HELD).then_some(Ticket(ticket))
    }

    /// The newest ticket that any reply was held for.
    pub(super) fn newest_held(&self) -> Ticket {
        Ticket(self.newest_held.load(Ordering::Acquire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_as_it_was_published() {
        let backlog = Backlog { requests: 1_024, bytes: 5 << 30 };
        for bit in 0..FLAGS {
            let status = QueueStatus { backlog, ..QueueStatus::unpack(1 << bit) };
            assert_eq!(QueueStatus::unpack(status.pack()), status);
        }
        let full =
            QueueStatus { backlog: Backlog { requests: usize::MAX, bytes: usize::MAX }, ..QueueStatus::default() };
        let read = QueueStatus::unpack(full.pack());
        assert_eq!(read.backlog, Backlog { requests: REQUESTS_MAX as usize, bytes: BYTES_MAX as usize });
        assert!(!read.is_gone && !read.is_listening);
    }
}
