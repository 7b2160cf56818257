//! A simulated client: it sends one message after the other, each with a tag, and sends one again until it is acknowledged.

use std::sync::Arc;

use crate::chat::{Command, Context, IdempotencyKey};
use crate::cluster::simulation::node::Leading;
use crate::hub::{CommitStatus, Origin};
use crate::id::{Hash64, UserId};
use crate::time::Time;

pub(super) struct Client {
    user: UserId,
    /// Messages that were acknowledged: 0, 1, and so on.
    pub(super) acknowledged: u64,
}

impl Client {
    pub(super) fn new(user: u64) -> Self {
        Self { user: UserId(user), acknowledged: 0 }
    }

    /// Sends the next messages to a node that leads, without waiting for a reply in between, and reads the replies.
    pub(super) fn send(&mut self, leading: &mut Leading, count: u64) {
        let sent: Vec<_> = (self.acknowledged..self.acknowledged + count)
            .map(|number| {
                let key = IdempotencyKey { user: self.user, tag: Hash64(number), request: Hash64(number) };
                let origin = Origin { send_queue: None, key: Some(&key) };
                let command = Command::Broadcast { text: text(self.user, number).as_str().into() };
                leading.hub.execute_for(&Context::on_behalf_of(self.user, Time::now()), &command, origin)
            })
            .collect();
        leading.committer.step();
        for executed in sent {
            let is_stored = leading.hub.commit_status(executed.ticket) == CommitStatus::Durable;
            if executed.result.is_err() || !is_stored {
                return;
            }
            self.acknowledged += 1;
        }
    }

    /// The texts that must be in the log, in this order.
    pub(super) fn texts(&self) -> impl Iterator<Item = Arc<str>> {
        (0..self.acknowledged).map(|number| text(self.user, number).into())
    }

    /// Whether a text is of this client.
    pub(super) fn is_author(&self, text: &str) -> bool {
        text.split_once(' ').is_some_and(|(user, _)| user == self.user.to_string())
    }
}

fn text(user: UserId, number: u64) -> String {
    format!("{user} {number}")
}
