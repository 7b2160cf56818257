//! The committer of a node of a cluster: it takes over what the log has, or leads.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use crate::chat::{CommandMark, Record};
use crate::hub::committer::Committer;
use crate::limits::{FOLLOW_INTERVAL, GATHER_MAX, GATHER_SHARE, PUSH_TURN};
use crate::store::{CommitError, StoreError};

impl Committer {
    /// Takes over records of the shared log: into the state and the store, and to their receivers.
    ///
    /// # Errors
    /// If the store does not take them. Then this process is of no use any more.
    pub(crate) fn take_over(&mut self, records: Vec<Record>, commands: &[CommandMark]) -> Result<(), CommitError> {
        let begun = Instant::now();
        self.hub.0.append_followed(records, commands);
        self.try_step()?;
        self.rest(begun.elapsed().max(PUSH_TURN));
        Ok(())
    }

    /// Does what is left to do between two batches. False if nothing is left.
    pub(crate) fn rest(&mut self, turn: Duration) -> bool {
        self.hub.0.metrics.record_step();
        self.hub.0.tell_answers();
        self.hub.0.expire_silent_nodes();
        self.write_turn(turn);
        self.has_deliveries()
    }

    /// Leads until `is_over`, or the hub is closed and everything is stored. Calls `begun` once commands are decided here.
    pub(crate) fn lead(&mut self, begun: impl FnOnce(), is_over: impl Fn() -> bool) {
        let led = self.begin_to_lead().and_then(|()| {
            begun();
            self.commit_until(is_over)
        });
        self.end_leading(led);
    }

    /// Begins the epoch of this term, which must be durable before any client or other server is told a number. Then commands
    /// that clients of this node have forwarded are decided, and from then on all others.
    ///
    /// # Errors
    /// If the log does not take it.
    pub(crate) fn begin_to_lead(&mut self) -> Result<(), CommitError> {
        let hub = self.hub.clone();
        hub.begin_epoch_of_term().map_err(|_| CommitError::RolledBack(StoreError::NotLeading))?;
        self.try_step()?;
        hub.decide_own_forwards();
        Ok(())
    }

    /// Commits what is pending. False if nothing was, and nothing is left to do.
    ///
    /// # Errors
    /// If the log does not take it.
    pub(crate) fn commit_next(&mut self) -> Result<bool, CommitError> {
        let begun = Instant::now();
        let is_busy = self.try_step()?;
        Ok(self.rest(begun.elapsed().max(PUSH_TURN)) || is_busy)
    }

    /// Leads no more, and forwards commands. What could not be stored is not done, unless the log has it all the same.
    pub(crate) fn end_leading(&mut self, led: Result<(), CommitError>) {
        self.hub.follow();
        let led = match led {
            Ok(()) if self.take_batch() => Err(CommitError::RolledBack(StoreError::NotLeading)),
            led => led,
        };
        if let Err(error) = led {
            self.fail(&error);
            self.hub.0.set_poisoned(None);
        }
    }

    fn commit_until(&mut self, is_over: impl Fn() -> bool) -> Result<(), CommitError> {
        while !is_over() && !self.hub.is_closing() {
            if !self.commit_next()? {
                self.wait_for_batch();
            } else if !self.has_deliveries() {
                self.gather();
            }
        }
        // From here on nothing comes in between: what other nodes forward is for the next leader.
        self.hub.follow();
        self.try_step().map(drop)
    }

    /// Waits a moment until the clients that were just answered have sent their next commands. The log takes one block at a
    /// time, and a command that comes meanwhile waits for the next one: so clients that wait for their answers would fall into
    /// two halves, and fill two half blocks by turns, each of which takes as long as a full one.
    fn gather(&mut self) {
        let (answered, taken) = std::mem::take(&mut self.stored);
        let until = Instant::now() + (taken / GATHER_SHARE).min(GATHER_MAX);
        let shared = &*self.hub.0;
        let mut pending = shared.pending();
        pending.wanted = pending.commands.len() + answered;
        while pending.commands.len() < pending.wanted && !pending.closing {
            let patience = until.saturating_duration_since(Instant::now());
            if patience.is_zero() {
                return;
            }
            pending = shared.work.wait_timeout(pending, patience).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for a record to store, or for a while: the end of the term is to be noticed, too.
    fn wait_for_batch(&self) {
        let shared = &*self.hub.0;
        let pending = shared.pending();
        if pending.records.is_empty() && !pending.closing {
            let _waited = shared.work.wait_timeout(pending, FOLLOW_INTERVAL).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
