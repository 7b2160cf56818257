//! A node that follows: it applies the blocks of the shared log to its own store, in order.

use std::sync::Arc;

use crate::cluster::block;
use crate::cluster::error::ClusterError;
use crate::cluster::shared_log::{EncodedBlock, Following, SharedLog, Term};
use crate::id::Seq;
use crate::limits::FOLLOW_BYTES;
use crate::store::{Durability, LogPosition, ReplicaStore};

/// How far a step of a follower went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Followed {
    /// It applied blocks; there may be more.
    Some,
    /// It has all of the log.
    All,
}

/// Applies the shared log to a store.
pub struct Follower {
    log: Arc<dyn SharedLog>,
    store: Arc<dyn ReplicaStore>,
    at: LogPosition,
    /// Of the newest block that was applied. Terms never go back along the log.
    term: Term,
}

impl Follower {
    /// Goes on where the store ends. A new store is made a copy of the log, if the log reaches back to its beginning.
    ///
    /// # Errors
    /// If the store is not a copy of this log, or the log cannot be read.
    pub fn open(log: Arc<dyn SharedLog>, store: Arc<dyn ReplicaStore>) -> Result<Self, ClusterError> {
        log.head()?.ok_or(ClusterError::NotBegun)?;
        // What it committed as a leader may not be: it would be reported, and the log cut behind it.
        store.sync()?;
        let at = match store.position()? {
            Some(at) => at,
            None => begin_copy(&*log, &*store)?,
        };
        let follower = Self { log, store, at, term: Term(0) };
        follower.check_end()?;
        Ok(follower)
    }

    /// The place up to which the store has the log. Synced.
    #[must_use]
    pub fn at(&self) -> LogPosition {
        self.at
    }

    /// Applies the next blocks of the log.
    ///
    /// # Errors
    /// If the log cannot be read, or is not what this node has followed, or the store cannot be written.
    pub fn step(&mut self) -> Result<Followed, ClusterError> {
        match self.log.read(self.at.seq, FOLLOW_BYTES)? {
            Following::Gone => Err(self.gone()),
            Following::Blocks(blocks) if blocks.is_empty() => self.check_end().map(|()| Followed::All),
            Following::Blocks(blocks) => self.apply(&blocks).map(|()| Followed::Some),
        }
    }

    /// Applies all of the log.
    ///
    /// # Errors
    /// As [`Follower::step`].
    pub fn catch_up(&mut self) -> Result<(), ClusterError> {
        while self.step()? == Followed::Some {}
        Ok(())
    }

    fn apply(&mut self, blocks: &[EncodedBlock]) -> Result<(), ClusterError> {
        let (mut at, mut term, mut records) = (self.at, self.term, Vec::new());
        for encoded in blocks {
            let block = block::decode(encoded)?;
            if block.after != at || block.term < term {
                return Err(ClusterError::Diverged(at.seq));
            }
            (at, term) = (block.end, block.term);
            records.extend(block.records);
        }
        self.store.commit_up_to(&at, &records, Durability::Sync)?;
        (self.at, self.term) = (at, term);
        Ok(())
    }

    /// Checks that the log does not end before this node's copy, nor with another block.
    fn check_end(&self) -> Result<(), ClusterError> {
        let head = self.log.head()?.ok_or(ClusterError::Diverged(self.at.seq))?;
        let is_other = head.seq < self.at.seq || head.seq == self.at.seq && head.hash != self.at.hash;
        if is_other { Err(ClusterError::Diverged(self.at.seq)) } else { Ok(()) }
    }

    /// What it means that the log does not have what follows this node's copy.
    fn gone(&self) -> ClusterError {
        self.check_end().err().unwrap_or(ClusterError::Gone(self.at.seq))
    }
}

/// Makes an empty store a copy of the log.
fn begin_copy(log: &dyn SharedLog, store: &dyn ReplicaStore) -> Result<LogPosition, ClusterError> {
    if store.load()?.head != Seq(0) {
        return Err(ClusterError::NotACopy);
    }
    let at = loop {
        match log.read(Seq(0), 1)? {
            Following::Gone => return Err(ClusterError::Gone(Seq(0))),
            Following::Blocks(blocks) => match blocks.first() {
                Some(first) => break block::decode(first)?.after,
                None => match log.head()?.ok_or(ClusterError::NotBegun)? {
                    head if head.seq == Seq(0) => break head,
                    _first_block_came_meanwhile => {}
                },
            },
        }
    };
    if at.seq != Seq(0) {
        return Err(ClusterError::Gone(Seq(0)));
    }
    store.begin_replica(&at)?;
    Ok(at)
}
