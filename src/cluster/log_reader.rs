//! Reads the shared log block by block, and checks that it is the one that this node has followed.

use std::sync::Arc;

use crate::chat::{CommandMark, Record};
use crate::cluster::block;
use crate::cluster::error::ClusterError;
use crate::cluster::shared_log::{EncodedBlock, Following, SharedLog, Term};
use crate::id::Seq;
use crate::limits::FOLLOW_BYTES;
use crate::store::{LogPosition, ReplicaStore};

/// The records of the next blocks of the shared log.
#[derive(Clone, Debug)]
pub struct Followed {
    /// The place behind them.
    pub end: LogPosition,
    /// Of the newest block.
    pub term: Term,
    pub records: Vec<Record>,
    pub commands: Vec<CommandMark>,
}

/// Reads the shared log from where a node's store ends.
pub struct LogReader {
    log: Arc<dyn SharedLog>,
    at: LogPosition,
    /// Of the newest block that was taken over. Terms never go back along the log.
    term: Term,
}

impl LogReader {
    /// Goes on where the store ends. A new store is made a copy of the log, if the log reaches back to its beginning.
    ///
    /// # Errors
    /// If the store is not a copy of this log, or the log cannot be read.
    pub fn open(log: Arc<dyn SharedLog>, store: &dyn ReplicaStore) -> Result<Self, ClusterError> {
        log.head()?.ok_or(ClusterError::NotBegun)?;
        let at = match store.position()? {
            Some(at) => at,
            None => begin_copy(&*log, store)?,
        };
        let reader = Self::after(log, at)?;
        // Found out now: nothing has been made of the store yet, which another one may replace.
        match reader.log.read(at.seq, 1)? {
            Following::Gone => Err(reader.gone()),
            Following::Blocks(_) => Ok(reader),
        }
    }

    fn after(log: Arc<dyn SharedLog>, at: LogPosition) -> Result<Self, ClusterError> {
        let reader = Self { log, at, term: Term(0) };
        reader.check_end()?;
        Ok(reader)
    }

    /// The place up to which the node has the log.
    #[must_use]
    pub fn at(&self) -> LogPosition {
        self.at
    }

    /// The next blocks of the log; `None` at its end.
    ///
    /// # Errors
    /// If the log cannot be read, or is not what this node has followed.
    pub fn read(&self) -> Result<Option<Followed>, ClusterError> {
        match self.log.read(self.at.seq, FOLLOW_BYTES)? {
            Following::Gone => Err(self.gone()),
            Following::Blocks(blocks) if blocks.is_empty() => self.check_end().map(|()| None),
            Following::Blocks(blocks) => self.decode(&blocks).map(Some),
        }
    }

    /// The records of a block that the leader has sent; `None` if it is not the next one.
    ///
    /// # Errors
    /// As [`LogReader::read`].
    pub fn read_sent(&self, block: &EncodedBlock) -> Result<Option<Followed>, ClusterError> {
        if block.after != self.at.seq { Ok(None) } else { self.decode(std::slice::from_ref(block)).map(Some) }
    }

    /// The node has taken over what was read, up to a place.
    pub fn advance(&mut self, end: LogPosition, term: Term) {
        (self.at, self.term) = (end, term);
    }

    fn decode(&self, blocks: &[EncodedBlock]) -> Result<Followed, ClusterError> {
        let mut followed = Followed { end: self.at, term: self.term, records: Vec::new(), commands: Vec::new() };
        for encoded in blocks {
            let block = block::decode(encoded)?;
            if block.after != followed.end || block.term < followed.term {
                return Err(ClusterError::Diverged(followed.end.seq));
            }
            (followed.end, followed.term) = (block.end, block.term);
            followed.records.extend(block.records);
            followed.commands.extend(block.commands);
        }
        Ok(followed)
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

/// Returns an error unless a store that has the log up to a place can follow it from there.
///
/// # Errors
/// If the log cannot be read, was cut behind the position, or has another history.
pub fn check_position(log: Arc<dyn SharedLog>, at: LogPosition) -> Result<(), ClusterError> {
    LogReader::after(log, at)?.read().map(drop)
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
