//! The store of a node that leads: a batch is in the shared log before it is in the node's own store.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::warn;

use crate::chat::{ConversationPage, ConversationQuery, Record, Snapshot, TimelineQuery};
use crate::cluster::block;
use crate::cluster::leadership::{Leadership, LeadershipEnd};
use crate::cluster::shared_log::{Appended, EncodedBlock, SharedLog, Unreachable};
use crate::id::Seq;
use crate::limits::{APPEND_RETRY, BLOCK_BYTES, REPLICA_SYNC};
use crate::store::{
    CommitError, Durability, LogPosition, NewestPage, Page, ReplicaStore, Store, StoreError, Sweep, Swept,
};

/// The store of a node that leads.
pub struct LeaderStore {
    log: Arc<dyn SharedLog>,
    local: Arc<dyn ReplicaStore>,
    leadership: Arc<Leadership>,
    node: Box<str>,
    patience: Patience,
    progress: Arc<Progress>,
}

/// How long an append may stay unanswered.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub time: Duration,
    /// Between two tries.
    pub pause: Duration,
    /// The most tries.
    pub tries: usize,
}

impl Patience {
    /// For some time, however often.
    #[must_use]
    pub fn of(time: Duration) -> Self {
        Self { time, pause: APPEND_RETRY, tries: usize::MAX }
    }

    /// Waits before another try. False if there is to be none.
    fn wait(&self, tries: usize, begun: Instant) -> bool {
        let is_over = tries >= self.tries || begun.elapsed() >= self.time;
        if !is_over {
            std::thread::sleep(self.pause);
        }
        !is_over
    }
}

/// How far the shared log and the node's own store are.
pub struct Progress(Mutex<Places>);

struct Places {
    /// The end of the shared log.
    end: LogPosition,
    /// Everything up to here is synced in the node's own store.
    synced: Seq,
    synced_at: Instant,
}

impl Progress {
    /// A store that has all of the log, synced.
    #[must_use]
    pub fn new(end: LogPosition) -> Self {
        Self(Mutex::new(Places { end, synced: end.seq, synced_at: Instant::now() }))
    }

    /// The end of the shared log.
    pub(super) fn end(&self) -> LogPosition {
        self.places().end
    }

    /// Everything up to here is synced in the node's own store.
    #[must_use]
    pub fn synced(&self) -> Seq {
        self.places().synced
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LeaderStore {
    /// A store whose own copy has all of the log.
    pub fn new(
        log: Arc<dyn SharedLog>,
        local: Arc<dyn ReplicaStore>,
        leadership: Arc<Leadership>,
        (node, patience): (&str, Patience),
        progress: Arc<Progress>,
    ) -> Self {
        Self { log, local, leadership, node: node.into(), patience, progress }
    }

    /// Appends a block, again and again until it is known what became of it, or this node leads no more: then it is to stop.
    fn append(&self, after: LogPosition, block: &EncodedBlock) -> Result<Appended, Unreachable> {
        let (mut tries, begun) = (1, Instant::now());
        loop {
            let unanswered = match self.log.append(self.leadership.term(), after, block) {
                Ok(appended) => return Ok(appended),
                Err(error) => error,
            };
            if tries == 1 {
                warn!(error = %unanswered, "an append to the cluster's log was not answered: asking again");
            }
            if self.leadership.end().is_some() || !self.patience.wait(tries, begun) {
                return Err(unanswered);
            }
            tries += 1;
        }
    }

    /// Writes to the node's own store what the shared log has. It is synced now and then only: the shared log is on the
    /// disks of a quorum.
    fn keep(&self, end: LogPosition, batch: &[Record]) -> Result<(), CommitError> {
        let mut places = self.progress.places();
        let is_due = places.synced_at.elapsed() >= REPLICA_SYNC;
        let durability = if is_due { Durability::Sync } else { Durability::Fast };
        self.local.commit_up_to(&end, batch, durability)?;
        places.end = end;
        if is_due {
            (places.synced, places.synced_at) = (end.seq, Instant::now());
        }
        Ok(())
    }

    fn not_leading() -> CommitError {
        CommitError::RolledBack(StoreError::NotLeading)
    }
}

impl Store for LeaderStore {
    fn load(&self) -> Result<Snapshot, StoreError> {
        self.local.load()
    }

    fn commit(&self, batch: &[Record]) -> Result<(), CommitError> {
        if self.leadership.end().is_some() {
            return Err(Self::not_leading());
        }
        let after = self.progress.places().end;
        let block = block::encode(after, self.leadership.term(), &self.node, batch).map_err(CommitError::RolledBack)?;
        match self.append(after, &block) {
            Ok(Appended::Done) => {}
            Ok(Appended::Fenced) => {
                self.leadership.finish(LeadershipEnd::TermOver);
                return Err(Self::not_leading());
            }
            Err(Unreachable(why)) => {
                self.leadership.finish(LeadershipEnd::Unanswered);
                return Err(CommitError::Unknown(StoreError::SharedLog(why)));
            }
        }
        self.keep(block.end, batch).map_err(|error| {
            // The cluster has it, and this node will read it from there.
            self.leadership.finish(LeadershipEnd::StoreFailed);
            CommitError::Unknown(error.into_cause())
        })
    }

    fn page(&self, query: &TimelineQuery, limit: usize) -> Result<Page, StoreError> {
        self.local.page(query, limit)
    }

    fn newest_page(&self, query: &TimelineQuery, limit: usize) -> Result<NewestPage, StoreError> {
        self.local.newest_page(query, limit)
    }

    fn conversations(&self, query: &ConversationQuery) -> Result<ConversationPage, StoreError> {
        self.local.conversations(query)
    }

    fn low_watermark(&self, query: &TimelineQuery) -> Result<Seq, StoreError> {
        self.local.low_watermark(query)
    }

    fn sweep(&self, sweep: &mut Sweep) -> Result<Swept, StoreError> {
        self.local.sweep(sweep)
    }

    fn check_place(&self) -> Result<(), StoreError> {
        self.local.check_place()
    }

    fn batch_bytes(&self) -> usize {
        BLOCK_BYTES
    }

    fn waits(&self) -> bool {
        self.local.waits()
    }

    fn close(&self) -> Result<(), StoreError> {
        self.local.close()
    }
}
