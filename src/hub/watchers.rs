//! The connections that watch presence (PROTOCOL §7).

use std::sync::{Arc, Weak};

use hashbrown::HashMap;

use crate::chat::Notification;
use crate::hub::send_queue::SendQueue;

/// By the address of the send queue, which no other one has while the entry keeps its allocation. So a connection that watches
/// or watches no more costs the same however many others do.
#[derive(Default)]
pub(super) struct Watchers(HashMap<usize, Weak<SendQueue>>);

impl Watchers {
    pub(super) fn add(&mut self, send_queue: &Arc<SendQueue>) {
        self.0.insert(key(send_queue), Arc::downgrade(send_queue));
    }

    pub(super) fn remove(&mut self, send_queue: &Arc<SendQueue>) {
        self.0.remove(&key(send_queue));
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Queues a notification for each. Returns the queues to flush.
    pub(super) fn notify(&mut self, notification: &Notification) -> Vec<Arc<SendQueue>> {
        let mut to_flush = Vec::new();
        self.0.retain(|_, watcher| {
            let Some(send_queue) = watcher.upgrade().filter(|send_queue| send_queue.watches_presence()) else {
                return false;
            };
            if send_queue.notify(notification) {
                to_flush.push(send_queue);
            }
            true
        });
        to_flush
    }
}

fn key(send_queue: &Arc<SendQueue>) -> usize {
    Arc::as_ptr(send_queue).addr()
}
