//! The committer: batch after batch onto stable storage, then whatever waited for it.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tracing::{error, info};

use crate::chat::{Event, Message, Refusal, State, StoredMessage};
use crate::hub::outbox::Outbox;
use crate::hub::tickets::Ticket;
use crate::hub::{Batch, Delivery, Hub};
use crate::id::UserId;
use crate::limits::STORE_RETRY;
use crate::store::CommitError;
use crate::wire::Style;

/// Puts batches on stable storage. [`Committer::step`] is a plain function, so that a test or a simulation can drive it;
/// [`Committer::run`] drives it on a thread of its own.
pub struct Committer {
    hub: Hub,
    batch: Batch,
    flushing: Vec<Arc<Outbox>>,
    frames: Frames,
}

/// The frames of the message being delivered: each style's is made once, where somebody wants it.
#[derive(Default)]
struct Frames {
    json: Vec<u8>,
    text: Vec<u8>,
}

impl Frames {
    fn forget(&mut self) {
        self.json.clear();
        self.text.clear();
    }

    fn of(&mut self, style: Style, message: &StoredMessage) -> &[u8] {
        let frame = match style {
            Style::Json => &mut self.json,
            Style::Text => &mut self.text,
        };
        if frame.is_empty() {
            style.push(frame, message);
        }
        frame
    }
}

/// What a step found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing to store.
    Idle,
    /// A batch was stored, and what waited for it has left.
    Stored,
    /// A batch could not be stored; its senders were told.
    Failed,
}

impl Committer {
    pub(super) fn new(hub: Hub) -> Self {
        Self { hub, batch: Batch::default(), flushing: Vec::new(), frames: Frames::default() }
    }

    /// Stores what is pending and lets leave what waited for it. Blocks for one sync.
    pub fn step(&mut self) -> Step {
        if !self.take_batch() {
            return Step::Idle;
        }
        let ticket = Ticket(self.batch.ticket);
        let stored = self.hub.0.store.commit(&self.batch.records);
        if let Err(error) = stored {
            self.fail(ticket, &error);
            return Step::Failed;
        }
        self.deliver();
        self.hub.0.tickets.settle(ticket);
        self.release(ticket);
        Step::Stored
    }

    /// Drives the committer until the hub is closed and everything is stored.
    pub fn run(mut self) {
        loop {
            match self.step() {
                Step::Stored => {}
                Step::Failed => self.recover(),
                Step::Idle => {
                    if !self.hub.0.wait_for_work() {
                        break;
                    }
                }
            }
        }
        match self.hub.0.store.close() {
            Ok(()) => info!("store closed"),
            Err(error) => error!(%error, "the store could not be closed in order; the next start takes longer"),
        }
    }

    fn take_batch(&mut self) -> bool {
        let shared = &*self.hub.0;
        let mut pending = shared.pending();
        if pending.records.is_empty() {
            return false;
        }
        self.batch.clear();
        self.batch.ticket = pending.ticket + 1;
        self.batch.closing = pending.closing;
        std::mem::swap(&mut *pending, &mut self.batch);
        drop(pending);
        shared.room.notify_waiters();
        true
    }

    /// Pushes the batch's messages to those who listen, each serialised once for each style.
    fn deliver(&mut self) {
        let shared = &*self.hub.0;
        let mut presence = shared.presence();
        for delivery in &self.batch.deliveries {
            let Some(record) = self.batch.records.get(delivery.record) else { continue };
            let Event::MessageSent(message) = &record.event else { continue };
            let stored = StoredMessage { seq: record.seq, time: record.time, body: message.body.clone() };
            self.frames.forget();
            presence.each_of(&delivery.audience, |user, outbox| {
                if !delivery.is_heard_by(user, outbox, message) {
                    return;
                }
                let frame = self.frames.of(outbox.style(), &stored);
                if outbox.push(record.seq, frame) {
                    self.flushing.push(outbox.clone());
                }
            });
        }
        if let Some(last) = self.batch.records.last() {
            presence.delivered = last.seq;
        }
    }

    fn release(&mut self, ticket: Ticket) {
        let shared = &*self.hub.0;
        let settled: Vec<_> = shared.waiting().extract_if(.., |(waits_for, _)| *waits_for <= ticket).collect();
        for (_, outbox) in settled {
            self.hub.send_replies(&outbox);
        }
        for outbox in self.flushing.drain(..) {
            outbox.flush();
        }
        self.batch.clear();
    }

    /// The batch did not become durable, nor did what was decided upon it: the state goes back to what the store
    /// holds, and all who wait are told.
    fn fail(&mut self, first: Ticket, cause: &CommitError) {
        let shared = &*self.hub.0;
        let refusal = match cause {
            CommitError::RolledBack(_) => Refusal::StorageFailed,
            CommitError::Unknown(_) => Refusal::UnknownOutcome,
        };
        error!(error = %cause, "the store failed: changes are refused, reading goes on");
        shared.set_refusing(Some(refusal));
        let last = self.go_back();
        shared.tickets.fail(first, last, refusal);
        shared.tickets.settle(last.next());
        self.release(last.next());
    }

    /// Reloads the state, however long it takes: until then no answer that shows what was lost may leave. Gives the
    /// newest ticket that was lost; the one after it stands for the state as reloaded.
    fn go_back(&self) -> Ticket {
        let shared = &*self.hub.0;
        loop {
            let mut state = shared.write_state();
            match shared.store.load() {
                Ok(kept) => {
                    *state = State::restore(shared.home.clone(), kept);
                    let mut pending = shared.pending();
                    let last = Ticket(pending.ticket);
                    pending.clear();
                    pending.ticket = last.next().next().0;
                    shared.issued.store(last.next().0, Ordering::Release);
                    return last;
                }
                Err(error) => error!(%error, "the store cannot be read either; trying again"),
            }
            drop(state);
            std::thread::sleep(STORE_RETRY);
        }
    }

    /// Gives a store that is whole another chance after a while. One that may not be written again stays refused.
    fn recover(&self) {
        let shared = &*self.hub.0;
        if shared.refuses() == Some(Refusal::StorageFailed) {
            std::thread::sleep(STORE_RETRY);
            shared.set_refusing(None);
            info!("the store is tried again");
        }
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
        let is_origin = self.origin.as_ref().is_some_and(|origin| Arc::ptr_eq(origin, outbox));
        let is_own = is_origin || (outbox.style() == Style::Text && message.is_from(user));
        !is_own || message.is_to(user)
    }
}

impl super::Shared {
    /// Waits for something to store; false where nothing will come any more.
    fn wait_for_work(&self) -> bool {
        let mut pending = self.pending();
        while pending.records.is_empty() {
            if pending.closing {
                return false;
            }
            // The time-out is no poll: it only bounds what a lost wake-up could cost.
            let waited = self.work.wait_timeout(pending, Duration::from_secs(1));
            pending = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Hub {
    /// Lets the committer end once everything is stored.
    pub fn close(&self) {
        self.0.pending().closing = true;
        self.0.work.notify_one();
    }
}

impl Batch {
    fn clear(&mut self) {
        self.records.clear();
        self.deliveries.clear();
        self.bytes = 0;
    }
}
