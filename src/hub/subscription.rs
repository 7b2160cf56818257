//! Replay of past messages, and the switch from them to live pushes without a gap or a repeat (PROTOCOL §7).
//!
//! A replay reads page after page until it has come up with what is being pushed. While others send faster than pages
//! are read it never would; so once the last page was read, live pushes are collected for the connection while the
//! messages before them are read. No lock is held over a read.

use std::sync::Arc;

use crate::chat::{TimelineQuery, Topics};
use crate::hub::presence::Presence;
use crate::hub::send_queue::SendQueue;
use crate::hub::shared::{Hub, Shared};
use crate::id::{Seq, UserId};
use crate::limits::{JOIN_TRIES, REPLAY_PAGE};
use crate::store::{Page, StoreError};

/// A replay under way: messages to or from a user, after a number.
#[derive(Clone, Copy, Debug)]
pub struct Replay {
    user: UserId,
    after: Seq,
    topics: Topics,
    /// Pushes after this number are being collected; those up to it are replayed.
    joins_after: Option<Seq>,
    /// How often the collected pushes had no room.
    overflows: usize,
    /// The reader was told that retention has removed messages up to this one.
    truncated_upto: Seq,
}

impl Replay {
    /// A replay of the messages after `after`, for a connection that then listens to the topics too.
    #[must_use]
    pub(crate) fn new(user: UserId, after: Seq, topics: Topics) -> Self {
        Self { user, after, topics, joins_after: None, overflows: 0, truncated_upto: Seq(0) }
    }

    /// Queues the next page, and switches to live pushes if that was the last. Returns whether the connection is live.
    /// Reads the store: not for a thread that serves traffic.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(crate) fn step(&mut self, hub: &Hub, send_queue: &Arc<SendQueue>) -> Result<bool, StoreError> {
        let shared = &*hub.0;
        let mut is_last = true;
        if self.joins_after.is_none_or(|joins_after| self.after < joins_after) {
            let state = shared.read_state();
            let (view, head) = (state.conversation_since(self.user, self.after), state.head());
            drop(state);
            if let Some(view) = view {
                is_last = self.replay_page(shared, send_queue, &view, head)?;
            }
        }
        Ok(match self.joins_after {
            Some(joins_after) => self.after >= joins_after && self.finish_joining(send_queue),
            None => self.go_live(&mut shared.presence(), send_queue, is_last),
        })
    }

    /// Queues a page; returns whether it was the last for now.
    fn replay_page(
        &mut self,
        shared: &Shared,
        send_queue: &SendQueue,
        view: &TimelineQuery,
        head: Seq,
    ) -> Result<bool, StoreError> {
        let Page { mut messages, upto, more } = shared.store.page(view, REPLAY_PAGE)?;
        // After the page: the reader is told of what retention removed while it was read.
        let removed = shared.store.low_watermark(view)?;
        let truncated = (removed > self.truncated_upto).then(|| removed.next());
        self.truncated_upto = self.truncated_upto.max(removed);
        let end = self.joins_after.map_or(head, |joins_after| joins_after.min(head));
        messages.retain(|message| message.seq <= end);
        send_queue.replay(truncated, &messages);
        self.after = self.after.max(upto.min(end));
        Ok(!more)
    }

    /// Goes live if everything that was pushed so far was replayed. If the last page was read and more was pushed
    /// meanwhile, begins to collect pushes.
    fn go_live(&mut self, presence: &mut Presence, send_queue: &Arc<SendQueue>, is_last: bool) -> bool {
        if presence.delivered <= self.after {
            // A queue that is nearly full with the replay would overflow at once.
            let goes_live = send_queue.has_push_room();
            if goes_live {
                presence.listen(self.user, send_queue, self.topics, |queue| queue.listen(self.after, self.topics));
            }
            return goes_live;
        }
        if is_last {
            let after = presence.delivered;
            presence.listen(self.user, send_queue, self.topics, |queue| queue.begin_joining(after, self.topics));
            self.joins_after = Some(after);
        }
        false
    }

    fn finish_joining(&mut self, send_queue: &SendQueue) -> bool {
        if !send_queue.has_push_room() {
            return false;
        }
        self.joins_after = None;
        if send_queue.finish_joining() {
            return true;
        }
        self.overflows += 1;
        let gives_up = self.overflows >= JOIN_TRIES;
        if gives_up {
            send_queue.listen_lagging(self.after, self.topics);
        }
        gives_up
    }
}

impl Hub {
    /// Begins a subscription with nothing yet. Returns false, and notifies the client, if its session ended just now.
    pub(crate) fn begin_subscription(&self, user: UserId, send_queue: &Arc<SendQueue>) -> bool {
        let presence = self.0.presence();
        let is_attached = presence.is_attached(user, send_queue);
        if is_attached {
            send_queue.begin_subscription();
        } else {
            send_queue.refuse_subscription();
        }
        is_attached
    }

    /// Ends a subscription.
    pub(crate) fn end_subscription(&self, send_queue: &Arc<SendQueue>) {
        send_queue.stop_listening();
        self.0.presence().watchers.remove(send_queue);
    }

    /// The newest entry that was pushed to those who listen.
    pub(crate) fn delivered(&self) -> Seq {
        self.0.presence().delivered
    }

    /// Pushes to the connection from now on, unless something after `after` was pushed to others. Returns whether it does.
    pub(crate) fn listen(&self, user: UserId, send_queue: &Arc<SendQueue>, after: Seq, topics: Topics) -> bool {
        let mut presence = self.0.presence();
        let is_newest = presence.delivered <= after;
        if is_newest {
            presence.listen(user, send_queue, topics, |queue| queue.listen(after, topics));
        }
        is_newest
    }
}
