//! From a durable batch to those who listen: what each is to get is noted first, then handed over all at once.

use std::iter::successors;
use std::sync::Arc;

use crate::chat::{Audience, Event, Message, Notice, Record, StoredMessage};
use crate::hub::Batch;
use crate::hub::outbox::{Outbox, Receiver};
use crate::hub::presence::Presence;
use crate::hub::tickets::Tickets;
use crate::id::UserId;
use crate::limits::{FRAME_BYTES, PUSH_BYTES, PUSHES_AT_ONCE};
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

/// Takes what is to be pushed to whom it concerns: to each connection once a batch, however much that is.
#[derive(Default)]
pub(super) struct Courier {
    rounds: Vec<Round>,
    stops: Vec<Stop>,
    frames: Frames,
    /// Lent to one connection after the other for what it gets, so that none needs much room of its own.
    room: Vec<u8>,
}

/// What is pushed of a batch, as each style writes it: made once, where somebody wants it.
#[derive(Default)]
struct Frames {
    bytes: Vec<u8>,
    /// Where in `bytes` the frames of each delivery stand: of the JSON style and of the text style.
    made: Vec<[Option<(usize, usize)>; 2]>,
}

/// What of a batch is for one connection: a chain of stops.
struct Round {
    outbox: Arc<Outbox>,
    first: usize,
    last: usize,
}

struct Stop {
    /// The place of a delivery in the batch.
    delivery: usize,
    next: Option<usize>,
}

impl Courier {
    /// Notes who is to get what of a batch, and feeds the links. Where that is very much, some is handed over already.
    pub(super) fn address(&mut self, batch: &Batch, presence: &Presence, tickets: &Tickets) {
        for (place, delivery) in batch.deliveries.iter().enumerate() {
            let message = delivery.message(batch);
            if let Some((record, message)) = message
                && let Some(feed) = message.to.remote_realm().and_then(|realm| presence.feeds.get(&realm))
            {
                feed.push(stored(record, message));
            }
            presence.each_of(&delivery.audience, |user, outbox| {
                if delivery.is_for(user, outbox, message.map(|(_, message)| message)) {
                    self.note(outbox, place);
                }
            });
            if self.stops.len() >= PUSHES_AT_ONCE {
                self.hand_over(batch, tickets);
            }
        }
    }

    fn note(&mut self, outbox: &Arc<Outbox>, delivery: usize) {
        let place = self.stops.len();
        self.stops.push(Stop { delivery, next: None });
        let Some(round) = outbox.round().and_then(|round| self.rounds.get_mut(round)) else {
            outbox.expect(self.rounds.len());
            self.rounds.push(Round { outbox: outbox.clone(), first: place, last: place });
            return;
        };
        if let Some(last) = self.stops.get_mut(round.last) {
            last.next = Some(place);
        }
        round.last = place;
    }

    /// Hands over what was noted, with the replies that are settled, and writes what the sockets take.
    pub(super) fn hand_over(&mut self, batch: &Batch, tickets: &Tickets) {
        let Self { rounds, stops, frames, room } = self;
        for Round { outbox, first, .. } in rounds.drain(..) {
            let chain = successors(stops.get(first), |stop| stops.get(stop.next?));
            outbox.receive(room, tickets, |receiver| {
                chain.for_each(|stop| frames.hand_over(batch, stop.delivery, receiver));
            });
        }
        stops.clear();
        frames.clear();
        room.shrink_to(PUSH_BYTES);
    }
}

impl Frames {
    fn hand_over(&mut self, batch: &Batch, place: usize, receiver: &mut Receiver<'_>) {
        let Some(delivery) = batch.deliveries.get(place) else { return };
        match &delivery.what {
            Pushed::Notice(notice) => receiver.notify(notice),
            Pushed::Message(_) => {
                let Some((record, message)) = delivery.message(batch) else { return };
                if receiver.wants(record.seq) {
                    receiver.push(record.seq, self.frame(place, receiver.style(), record, message));
                }
            }
        }
    }

    fn frame(&mut self, place: usize, style: Style, record: &Record, message: &Message) -> &[u8] {
        if self.bytes.len() > FRAME_BYTES {
            self.clear();
        }
        if self.made.len() <= place {
            self.made.resize(place + 1, [None; 2]);
        }
        let made = &mut self.made[place][usize::from(style == Style::Text)];
        let (start, end) = *made.get_or_insert_with(|| {
            let start = self.bytes.len();
            style.push(&mut self.bytes, &stored(record, message));
            (start, self.bytes.len())
        });
        &self.bytes[start..end]
    }

    fn clear(&mut self) {
        self.made.clear();
        self.bytes.clear();
        self.bytes.shrink_to(PUSH_BYTES);
    }
}

fn stored(record: &Record, message: &Message) -> StoredMessage {
    StoredMessage { seq: record.seq, time: record.time, body: message.body.clone() }
}

impl Delivery {
    /// The message that is pushed, where it is one.
    fn message<'a>(&self, batch: &'a Batch) -> Option<(&'a Record, &'a Message)> {
        let Pushed::Message(place) = self.what else { return None };
        let record = batch.records.get(place)?;
        let Event::MessageSent(message) = &record.event else { return None };
        Some((record, message))
    }

    /// Whether a connection of the audience is to be told. The one that brought it has its reply; a person at a
    /// terminal knows what was typed at another. What one says to oneself is heard everywhere.
    fn is_for(&self, user: UserId, outbox: &Arc<Outbox>, message: Option<&Message>) -> bool {
        let is_from = self.origin.as_ref().is_some_and(|origin| Arc::ptr_eq(origin, outbox));
        let Some(message) = message else { return !is_from };
        let is_deaf = self.deaf.as_ref().is_some_and(|deaf| deaf.binary_search(&user).is_ok());
        let is_own = is_from || (outbox.style() == Style::Text && message.is_from(user));
        !is_deaf && (!is_own || message.is_to(user))
    }
}
