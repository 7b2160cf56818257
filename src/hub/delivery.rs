//! From a durable batch into the queues of those who listen.

use std::sync::Arc;

use crate::chat::{Audience, Event, Message, Notice, Record, StoredMessage};
use crate::hub::Batch;
use crate::hub::outbox::Outbox;
use crate::hub::presence::Presence;
use crate::id::UserId;
use crate::wire::Style;

/// Something of a batch that is to be pushed.
pub(super) struct Delivery {
    pub(super) what: Pushed,
    pub(super) audience: Audience,
    /// Those of the audience, in order, who blocked its sender.
    pub(super) deaf: Option<Arc<Vec<UserId>>>,
    /// Who brought it: that connection gets a reply, not a push.
    pub(super) origin: Option<Arc<Outbox>>,
}

/// What is pushed.
pub(super) enum Pushed {
    /// The message at this place in the batch.
    Message(usize),
    /// What is told beside messages.
    Notice(Notice),
}

/// Takes what is to be pushed to whom it concerns.
#[derive(Default)]
pub(super) struct Courier {
    /// The frames of the message being delivered: each style's is made once, where somebody wants it.
    json: Vec<u8>,
    text: Vec<u8>,
    /// Who has something new in the queue.
    flushing: Vec<Arc<Outbox>>,
}

impl Courier {
    /// Puts what a batch has for those who listen into their queues.
    pub(super) fn deliver(&mut self, batch: &Batch, presence: &Presence) {
        for delivery in &batch.deliveries {
            match &delivery.what {
                Pushed::Notice(notice) => self.notify(presence, delivery, notice),
                Pushed::Message(place) => {
                    if let Some(record) = batch.records.get(*place) {
                        self.push(presence, delivery, record);
                    }
                }
            }
        }
    }

    /// Writes what the sockets take.
    pub(super) fn flush(&mut self) {
        for outbox in self.flushing.drain(..) {
            outbox.flush();
        }
    }

    fn push(&mut self, presence: &Presence, delivery: &Delivery, record: &Record) {
        let Event::MessageSent(message) = &record.event else { return };
        let stored = StoredMessage { seq: record.seq, time: record.time, body: message.body.clone() };
        if let Some(feed) = message.to.remote_realm().and_then(|realm| presence.feeds.get(&realm)) {
            feed.push(stored.clone());
        }
        self.json.clear();
        self.text.clear();
        presence.each_of(&delivery.audience, |user, outbox| {
            if !delivery.is_heard_by(user, outbox, message) {
                return;
            }
            let style = outbox.style();
            let frame = if style == Style::Json { &mut self.json } else { &mut self.text };
            if frame.is_empty() {
                style.push(frame, &stored);
            }
            if outbox.push(record.seq, frame) {
                self.flushing.push(outbox.clone());
            }
        });
    }

    fn notify(&mut self, presence: &Presence, delivery: &Delivery, notice: &Notice) {
        presence.each_of(&delivery.audience, |_, outbox| {
            if !delivery.is_from(outbox) && outbox.notify(notice) {
                self.flushing.push(outbox.clone());
            }
        });
    }
}

impl Delivery {
    /// Whether a connection of the audience is to hear the message. The one that brought it has its reply; a person at
    /// a terminal knows what was typed at another. What one says to oneself is heard everywhere.
    fn is_heard_by(&self, user: UserId, outbox: &Arc<Outbox>, message: &Message) -> bool {
        let is_deaf = self.deaf.as_ref().is_some_and(|deaf| deaf.binary_search(&user).is_ok());
        if is_deaf || !outbox.is_listening() {
            return false;
        }
        let is_own = self.is_from(outbox) || (outbox.style() == Style::Text && message.is_from(user));
        !is_own || message.is_to(user)
    }

    fn is_from(&self, outbox: &Arc<Outbox>) -> bool {
        self.origin.as_ref().is_some_and(|origin| Arc::ptr_eq(origin, outbox))
    }
}
