//! The committer: commits batch after batch to the store, then sends the replies and pushes of each.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tracing::{error, info};

use crate::chat::{CommandError, State};
use crate::hub::batch::Batch;
use crate::hub::fanout::{Fanout, Progress};
use crate::hub::forward::ToTell;
use crate::hub::shared::{Hub, Shared};
use crate::hub::tickets::Ticket;
use crate::limits::{PUSH_TURN, STORE_RETRY};
use crate::name::Name;
use crate::store::{CommitError, Store, StoreError};

/// Commits batches to the store. [`Committer::step`] does one batch, so that a test or a simulation can drive it;
/// [`Committer::run`] loops on a thread of its own.
pub struct Committer {
    pub(super) hub: Hub,
    /// The epoch of this start could not be begun yet. Before it nothing is committed.
    needs_epoch: bool,
    /// The last batch failed: it was logged.
    is_failing: bool,
    batch: Arc<Batch>,
    /// Of the batch.
    to_tell: Vec<ToTell>,
    /// An empty one, with room.
    spare: Batch,
    /// The last batch that was stored: how many commands it had, and how long it took.
    pub(super) stored: (usize, Duration),
    fanout: Fanout,
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing was pending.
    Idle,
    /// A batch was stored, and its replies and pushes were sent.
    Stored,
    /// A batch could not be stored; its replies were replaced by errors.
    Failed,
}

impl Committer {
    pub(super) fn new(hub: Hub) -> Self {
        Self {
            hub,
            needs_epoch: false,
            is_failing: false,
            batch: Arc::default(),
            to_tell: Vec::new(),
            spare: Batch::default(),
            stored: (0, Duration::ZERO),
            fanout: Fanout::new(),
        }
    }

    /// Stores the pending batch, then sends its replies and pushes. Blocks for one sync.
    pub(crate) fn step(&mut self) -> Step {
        match self.try_step() {
            Ok(true) => Step::Stored,
            Ok(false) => Step::Idle,
            Err(error) => {
                self.fail(&error);
                Step::Failed
            }
        }
    }

    /// As [`Committer::step`]; a batch that was not stored is left to [`Committer::fail`]. False if nothing was pending.
    pub(super) fn try_step(&mut self) -> Result<bool, CommitError> {
        if !self.take_batch() {
            return Ok(false);
        }
        let begun = Instant::now();
        if let Err(error) = self.commit_batch() {
            self.hub.0.metrics.record_failure();
            return Err(error);
        }
        self.stored = (self.batch.commands.len(), begun.elapsed());
        self.hub.0.metrics.record(self.batch.records.len(), self.stored.1);
        if std::mem::take(&mut self.is_failing) {
            info!("the store takes changes again");
        }
        self.collect_pushes();
        let ticket = Ticket(self.batch.ticket);
        self.hub.0.waiters.tickets.settle(ticket);
        self.hub.0.settle_deliveries(&self.batch.records);
        self.release(ticket);
        Ok(true)
    }

    /// Begins the epoch of this start, before anything else is committed. If the store cannot be written, changes are
    /// refused until it can; returns whether it could.
    pub(crate) fn begin_epoch(&mut self) -> bool {
        self.needs_epoch = self.hub.begin_epoch().is_err() || self.step() != Step::Stored;
        !self.needs_epoch
    }

    /// Steps until the hub is closed and everything is stored.
    pub(crate) fn run(mut self) {
        while self.needs_epoch && !self.hub.0.pending().closing {
            std::thread::sleep(STORE_RETRY);
            self.hub.0.metrics.record_step();
            if self.begin_epoch() {
                self.hub.0.set_poisoned(None);
            }
        }
        self.begin_turns();
        loop {
            self.hub.0.metrics.record_step();
            let begun = Instant::now();
            match self.step() {
                Step::Stored => {}
                Step::Failed => self.retry_writes(),
                Step::Idle if self.fanout.has_deliveries() => {}
                Step::Idle => {
                    if !self.hub.0.wait_for_work() {
                        break;
                    }
                }
            }
            // Pushes get as much time as batches, so that neither waits for long.
            self.write_turn(begun.elapsed().max(PUSH_TURN));
        }
        self.close();
    }

    /// Closes the store.
    pub(crate) fn close(self) {
        match self.hub.0.store.close() {
            Ok(()) => info!("store closed"),
            Err(error) => error!(%error, "the store could not be closed in order; the next start takes longer"),
        }
    }

    /// Has pushes to large audiences wait for turns from now on.
    pub(crate) fn begin_turns(&mut self) {
        self.fanout.begin_turns();
    }

    /// Whether pushes to large audiences wait for a turn.
    pub(super) fn has_deliveries(&self) -> bool {
        self.fanout.has_deliveries()
    }

    /// Writes pushes to large audiences for some time.
    pub(super) fn write_turn(&mut self, turn: Duration) {
        self.fanout.write_turn(self.hub.0.progress(), turn);
    }

    pub(super) fn take_batch(&mut self) -> bool {
        let shared = &*self.hub.0;
        let mut pending = shared.pending();
        if pending.records.is_empty() {
            return false;
        }
        self.spare.ticket = pending.ticket + 1;
        self.spare.closing = pending.closing;
        self.spare.wanted = 0;
        std::mem::swap(&mut *pending, &mut self.spare);
        drop(pending);
        self.to_tell = std::mem::take(&mut self.spare.to_tell);
        self.batch = Arc::new(std::mem::take(&mut self.spare));
        shared.capacity.notify_waiters();
        true
    }

    /// Commits the batch. If only a part of it was stored, nobody is told which.
    fn commit_batch(&self) -> Result<(), CommitError> {
        let store = &self.hub.0.store;
        let mut parts = self.batch.parts(store.batch_bytes());
        parts.next().map_or(Ok(()), |first| store.commit_part(first))?;
        parts.try_for_each(|part| store.commit_part(part)).map_err(|error| CommitError::Unknown(error.into_cause()))
    }

    /// Collects the pushes of the batch for each connection.
    fn collect_pushes(&mut self) {
        let mut presence = self.hub.0.presence();
        let shared = &*self.hub.0;
        self.fanout.collect(&self.batch, &mut presence, shared.progress());
        if let Some(last) = self.batch.records.last() {
            presence.delivered = last.seq;
        }
        drop(presence);
        for (user, range) in std::mem::take(&mut self.fanout.read_ranges) {
            self.hub.note_read(user, range);
        }
    }

    fn release(&mut self, ticket: Ticket) {
        let shared = &*self.hub.0;
        shared.waiters.release(ticket);
        // Told before they are pushed: the replies of a connection leave with its pushes, in one write.
        let told = shared.note_told(ticket, std::mem::take(&mut self.to_tell));
        self.fanout.flush(shared.progress());
        told.iter().for_each(|send_queue| shared.waiters.send_replies(send_queue));
        // The deliveries may hold it on.
        if let Ok(mut batch) = Arc::try_unwrap(std::mem::take(&mut self.batch)) {
            batch.clear();
            self.spare = batch;
        }
    }

    /// The batch did not become durable, nor will the changes that were decided upon it: reloads the state from the
    /// store and fails all tickets since.
    pub(super) fn fail(&mut self, cause: &CommitError) {
        let shared = &*self.hub.0;
        let first = Ticket(self.batch.ticket);
        // They are still outstanding: the next leader gets them, unless the log has them.
        self.to_tell.clear();
        let error = match cause {
            CommitError::RolledBack(StoreError::NotLeading) => CommandError::Unavailable,
            CommitError::RolledBack(_) => CommandError::StorageFailed,
            CommitError::Unknown(_) => CommandError::UnknownOutcome,
        };
        let is_expected = error == CommandError::Unavailable;
        if !is_expected && !std::mem::replace(&mut self.is_failing, true) {
            error!(error = %cause, "the store failed: changes are refused, reading goes on");
        }
        shared.set_poisoned(Some(error));
        let last = self.reload_state();
        shared.waiters.tickets.fail(first, last, error);
        shared.waiters.tickets.settle(last.next());
        self.release(last.next());
    }

    /// Reloads the state, however long that takes: until then no reply that shows a lost change may leave. Returns the
    /// newest ticket that was lost; the one after it stands for the reloaded state.
    fn reload_state(&self) -> Ticket {
        let shared = &*self.hub.0;
        loop {
            shared.metrics.record_step();
            let mut state = shared.write_state();
            match shared.store.load() {
                Ok(kept) => {
                    let before = std::mem::replace(&mut *state, State::restore(shared.home.clone(), kept));
                    state.keep_unstored_sessions(before);
                    let mut pending = shared.pending();
                    let last = Ticket(pending.ticket);
                    pending.clear();
                    shared.inboxes.clear();
                    shared.uncounted.begin(state.head());
                    pending.ticket = last.next().next().0;
                    shared.issued.store(last.next().0, Ordering::Release);
                    drop(pending);
                    shared.presence().detach_lost_sessions(&state);
                    shared.capacity.notify_waiters();
                    return last;
                }
                Err(error) => error!(%error, "the store cannot be read either; trying again"),
            }
            drop(state);
            std::thread::sleep(STORE_RETRY);
        }
    }

    /// Accepts changes again after a pause, if the store is intact. One that may not be written again stays poisoned.
    fn retry_writes(&self) {
        let shared = &*self.hub.0;
        if shared.poisoned() == Some(CommandError::StorageFailed) {
            std::thread::sleep(STORE_RETRY);
            shared.set_poisoned(None);
        }
    }
}

impl Shared {
    fn progress(&self) -> Progress<'_> {
        Progress { tickets: &self.waiters.tickets, backlog: &self.push_backlog }
    }

    /// Waits for a record to store. Returns false if the hub is closed and none is left.
    fn wait_for_work(&self) -> bool {
        let mut pending = self.pending();
        while pending.records.is_empty() {
            if pending.closing {
                return false;
            }
            // Not a poll: the time-out bounds the cost of a lost wake-up, and shows that this thread lives.
            self.metrics.record_step();
            let waited = self.work.wait_timeout(pending, Duration::from_secs(1));
            pending = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Hub {
    /// Opens the hub on a store, and its committer, which must be run for any reply to leave.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(crate) fn open(store: Box<dyn Store>, home: Name) -> Result<(Self, Committer), StoreError> {
        let hub = Self(Arc::new(Shared::open(store, home)?));
        let committer = Committer::new(hub.clone());
        Ok((hub, committer))
    }

    /// Whether the committer is to end.
    #[must_use]
    pub(crate) fn is_closing(&self) -> bool {
        self.0.pending().closing
    }

    /// Ends the committer once everything is stored.
    pub(crate) fn close(&self) {
        self.0.pending().closing = true;
        self.0.work.notify_one();
    }
}
