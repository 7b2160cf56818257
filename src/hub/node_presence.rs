//! What the nodes of a cluster tell each other of who is online.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Notify;

use crate::chat::State;
use crate::hub::attach::notify_watchers;
use crate::hub::elsewhere::{FeedScope, PresenceStates};
use crate::hub::shared::{Hub, Shared};
use crate::id::UserId;

impl Hub {
    /// A channel to another node begins: that node names all its users again. Returns what wakes who is to tell it of the
    /// others.
    pub(crate) fn begin_presence_of(&self, node: u64, scope: FeedScope) -> Arc<Notify> {
        let mut presence = self.0.presence();
        presence.elsewhere().begin(node);
        presence.open_feed(node, scope)
    }

    /// The channel to another node is over. Its users stay for a while: they are connecting to another node.
    /// Nothing ends if another one to it has begun meanwhile. `news` is what [`Hub::begin_presence_of`] has returned.
    pub(crate) fn end_presence_of(&self, node: u64, news: &Arc<Notify>) {
        let mut presence = self.0.presence();
        if presence.elsewhere().close_feed(node, news) {
            presence.elsewhere().end(node, Instant::now());
        }
    }

    /// Whether users are online, by the word of another node.
    pub(crate) fn note_presence(&self, node: u64, states: &PresenceStates) {
        let state = self.0.read_state();
        for (user, is_online) in states {
            self.0.set_elsewhere(&state, node, *user, *is_online);
        }
    }

    /// The node has named all its users.
    pub(crate) fn complete_presence_of(&self, node: u64) {
        let state = self.0.read_state();
        let gone = self.0.presence().elsewhere().take_unconfirmed(node);
        gone.into_iter().for_each(|user| self.0.set_elsewhere(&state, node, user, false));
    }

    /// What another node is to be told next; nothing if there is nothing new.
    pub(crate) fn presence_news(&self, node: u64) -> PresenceStates {
        self.0.presence().take_news(node)
    }
}

impl Shared {
    /// Has the users of nodes that were silent for too long go offline.
    pub(super) fn expire_silent_nodes(&self) {
        let silent = self.presence().elsewhere().take_silent(Instant::now());
        if silent.is_empty() {
            return;
        }
        let state = self.read_state();
        for (node, users) in silent {
            users.into_iter().for_each(|user| self.set_elsewhere(&state, node, user, false));
            self.presence().elsewhere().forget(node);
        }
    }

    fn set_elsewhere(&self, state: &State, node: u64, user: UserId, is_online: bool) {
        let mut presence = self.presence();
        let was_online = presence.is_online(user);
        presence.set_elsewhere(node, user, is_online);
        let is_online = presence.is_online(user);
        let changes = was_online != is_online;
        let watchers = if changes { notify_watchers(&mut presence, state, user, is_online) } else { Vec::new() };
        drop(presence);
        watchers.iter().for_each(|watcher| watcher.flush());
    }
}
