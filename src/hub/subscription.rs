//! From what was said before to what is being said, with no gap and no repeat in between (PROTOCOL §7).

use std::sync::Arc;

use crate::chat::{TimelineQuery, Topics};
use crate::hub::presence::Presence;
use crate::hub::send_queue::SendQueue;
use crate::hub::shared::{Hub, Shared};
use crate::id::{Seq, UserId};
use crate::limits::{REPLAY_PAGE, SEAM_TRIES};
use crate::store::{Page, StoreError};

/// A replay under way: everything said to or by a user after a message.
#[derive(Clone, Copy, Debug)]
pub struct Replay {
    user: UserId,
    after: Seq,
    topics: Topics,
    tries: usize,
    /// The reader was told that retention has removed messages up to this one.
    told: Seq,
}

impl Replay {
    /// A replay of what comes after `after`, for a connection that is then told of the topics too.
    #[must_use]
    pub fn new(user: UserId, after: Seq, topics: Topics) -> Self {
        Self { user, after, topics, tries: 0, told: Seq(0) }
    }

    /// Puts the next page into the connection's queue, and lets it listen once everything before is there.
    ///
    /// Returns whether it listens. Waits for the disk: not for a thread that serves traffic.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn step(&mut self, hub: &Hub, send_queue: &Arc<SendQueue>) -> Result<bool, StoreError> {
        let shared = &*hub.0;
        self.tries += 1;
        let state = shared.read_state();
        let view = state.conversation_since(self.user, self.after);
        let head = state.head();
        // Where others say so much that no page is new enough, what is delivered waits for this one.
        let seam = (self.tries >= SEAM_TRIES).then(|| shared.presence());
        drop(state);
        if let Some(view) = view {
            self.replay_page(shared, send_queue, &view, head)?;
        }
        Ok(match seam {
            Some(mut presence) => self.listen(&mut presence, send_queue),
            None => self.listen(&mut shared.presence(), send_queue),
        })
    }

    fn replay_page(
        &mut self,
        shared: &Shared,
        send_queue: &SendQueue,
        view: &TimelineQuery,
        head: Seq,
    ) -> Result<(), StoreError> {
        let Page { messages, upto, more } = shared.store.page(view, REPLAY_PAGE)?;
        // Asked after the page was read: what was removed just before is told, and not left out silently.
        let removed = shared.store.removed_upto(view)?;
        if removed > self.told {
            self.told = removed;
            send_queue.tell_truncated(removed.next());
        }
        messages.iter().for_each(|message| send_queue.replay(message));
        if more {
            self.tries = 0;
        }
        self.after = self.after.max(upto.min(head));
        Ok(())
    }

    fn listen(&self, presence: &mut Presence, send_queue: &Arc<SendQueue>) -> bool {
        // A queue that is nearly full with what was replayed would run over at once.
        let goes_live = presence.delivered <= self.after && send_queue.has_room();
        if goes_live {
            listen(presence, self.user, send_queue, self.after, self.topics);
        }
        goes_live
    }
}

impl Hub {
    /// Pushes to the connection from now on.
    pub fn listen(&self, user: UserId, send_queue: &Arc<SendQueue>, topics: Topics) {
        let mut presence = self.0.presence();
        let delivered = presence.delivered;
        listen(&mut presence, user, send_queue, delivered, topics);
    }
}

fn listen(presence: &mut Presence, user: UserId, send_queue: &Arc<SendQueue>, after: Seq, topics: Topics) {
    let is_attached = presence.connections(user).iter().any(|attached| Arc::ptr_eq(&attached.send_queue, send_queue));
    if !is_attached {
        return;
    }
    send_queue.listen(after, topics);
    if topics.presence {
        presence.add_watcher(send_queue);
    }
}
