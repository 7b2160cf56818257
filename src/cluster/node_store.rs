//! The store of a node: its own store, which is a copy of the shared log. While the node leads, a batch is in the shared log
//! before it is in the node's own store.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;
use tracing::{debug, warn};

use crate::chat::{ConversationPage, ConversationQuery, Record, Snapshot, TimelineQuery};
use crate::cluster::block;
use crate::cluster::leadership::{Leadership, LeadershipEnd};
use crate::cluster::shared_log::{Appended, EncodedBlock, SharedLog, Unreachable};
use crate::id::Seq;
use crate::limits::{APPEND_RETRY, BLOCK_BYTES, CHANNEL_BLOCKS, REPLICA_SYNC};
use crate::store::{
    CommitError, Durability, LogPosition, NewestPage, Page, Part, ReplicaStore, Store, StoreError, Sweep, Swept,
};

/// The store of a node. Clones share it.
#[derive(Clone)]
pub struct NodeStore(Arc<Shared>);

struct Shared {
    log: Arc<dyn SharedLog>,
    local: Arc<dyn ReplicaStore>,
    node: Box<str>,
    patience: Patience,
    role: Mutex<Role>,
    places: Mutex<Places>,
    /// Blocks that this node has appended, for those who follow it.
    appended: broadcast::Sender<EncodedBlock>,
}

#[derive(Clone)]
enum Role {
    /// The next batch is of the shared log, and ends at this place.
    Follows(LogPosition),
    Leads(Arc<Leadership>),
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
struct Places {
    /// The end of the shared log, as far as this node knows it.
    end: LogPosition,
    /// Everything up to here is synced in the node's own store.
    synced: Seq,
    synced_at: Instant,
}

impl NodeStore {
    /// A store that follows.
    pub fn new(log: Arc<dyn SharedLog>, local: Arc<dyn ReplicaStore>, node: &str, patience: Patience) -> Self {
        let places = Places { end: LogPosition::default(), synced: Seq(0), synced_at: Instant::now() };
        Self(Arc::new(Shared {
            log,
            local,
            node: node.into(),
            patience,
            role: Mutex::new(Role::Follows(LogPosition::default())),
            places: Mutex::new(places),
            appended: broadcast::channel(CHANNEL_BLOCKS).0,
        }))
    }

    /// The blocks that this node appends from now on.
    #[must_use]
    pub fn appended(&self) -> broadcast::Receiver<EncodedBlock> {
        self.0.appended.subscribe()
    }

    /// The node's own store.
    pub(super) fn local(&self) -> Arc<dyn ReplicaStore> {
        self.0.local.clone()
    }

    /// Follows the shared log from the place at which the node's own store is. What that has committed while the node led
    /// may not be synced: it would be reported, and the log cut behind it.
    pub(super) fn follow(&self, at: LogPosition) -> Result<(), StoreError> {
        self.0.local.sync()?;
        *self.places() = Places { end: at, synced: at.seq, synced_at: Instant::now() };
        *self.role() = Role::Follows(at);
        Ok(())
    }

    /// The next batch is of the shared log, and ends at this place.
    pub(super) fn expect(&self, end: LogPosition) {
        *self.role() = Role::Follows(end);
    }

    /// Appends batches to the shared log from now on, of which this node's store has everything.
    pub fn lead(&self, leadership: Arc<Leadership>) {
        *self.role() = Role::Leads(leadership);
    }

    /// The end of the shared log, as far as this node knows it.
    #[must_use]
    pub fn end(&self) -> LogPosition {
        self.places().end
    }

    /// Syncs the node's own store if that was not done for a while. Returns up to where everything is synced.
    pub(super) fn sync_if_due(&self) -> Seq {
        let mut places = self.places();
        if places.synced < places.end.seq && places.synced_at.elapsed() >= REPLICA_SYNC {
            match self.0.local.sync() {
                Ok(()) => (places.synced, places.synced_at) = (places.end.seq, Instant::now()),
                Err(error) => debug!(%error, "the node's own store could not be synced; it is tried again"),
            }
        }
        places.synced
    }

    /// Appends a batch to the shared log, then writes it to the node's own store.
    fn append_and_keep(&self, leadership: &Leadership, part: Part<'_>) -> Result<(), CommitError> {
        if leadership.end().is_some() {
            return Err(not_leading());
        }
        let after = self.end();
        let block = block::encode(after, leadership.term(), &self.0.node, part).map_err(CommitError::RolledBack)?;
        match self.append(leadership, after, &block) {
            Ok(Appended::Done) => {}
            Ok(Appended::Fenced) => {
                leadership.finish(LeadershipEnd::TermOver);
                return Err(not_leading());
            }
            Err(Unreachable(why)) => {
                leadership.finish(LeadershipEnd::Unanswered);
                return Err(CommitError::Unknown(StoreError::SharedLog(why)));
            }
        }
        self.keep(block.end, part.records).map_err(|error| {
            // The cluster has it, and this node will read it from there.
            leadership.finish(LeadershipEnd::StoreFailed);
            CommitError::Unknown(error.into_cause())
        })?;
        // Nobody may follow at the moment.
        let _followers = self.0.appended.send(block);
        Ok(())
    }

    /// Appends a block, again and again until it is known what became of it, or this node leads no more: then it is to stop.
    fn append(
        &self,
        leadership: &Leadership,
        after: LogPosition,
        block: &EncodedBlock,
    ) -> Result<Appended, Unreachable> {
        let (mut tries, begun) = (1, Instant::now());
        loop {
            let unanswered = match self.0.log.append(leadership.term(), after, block) {
                Ok(appended) => return Ok(appended),
                Err(error) => error,
            };
            if tries == 1 {
                warn!(error = %unanswered, "an append to the cluster's log was not answered: asking again");
            }
            if leadership.end().is_some() || !self.0.patience.wait(tries, begun) {
                return Err(unanswered);
            }
            tries += 1;
        }
    }

    /// Writes to the node's own store what the shared log has. It is synced now and then only: the shared log is on the
    /// disks of a quorum.
    fn keep(&self, end: LogPosition, batch: &[Record]) -> Result<(), CommitError> {
        let mut places = self.places();
        let is_due = places.synced_at.elapsed() >= REPLICA_SYNC;
        let durability = if is_due { Durability::Sync } else { Durability::Fast };
        self.0.local.commit_up_to(&end, batch, durability)?;
        places.end = end;
        if is_due {
            (places.synced, places.synced_at) = (end.seq, Instant::now());
        }
        Ok(())
    }

    fn role(&self) -> MutexGuard<'_, Role> {
        self.0.role.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_leading() -> CommitError {
    CommitError::RolledBack(StoreError::NotLeading)
}

impl Store for NodeStore {
    fn load(&self) -> Result<Snapshot, StoreError> {
        self.0.local.load()
    }

    /// Of the shared log; a node that leads has [`Store::commit_part`].
    fn commit(&self, batch: &[Record]) -> Result<(), CommitError> {
        let role = self.role().clone();
        match role {
            Role::Follows(end) => self.keep(end, batch),
            Role::Leads(_) => Err(not_leading()),
        }
    }

    fn commit_part(&self, part: Part<'_>) -> Result<(), CommitError> {
        let role = self.role().clone();
        match role {
            Role::Follows(end) => self.keep(end, part.records),
            Role::Leads(leadership) => self.append_and_keep(&leadership, part),
        }
    }

    fn page(&self, query: &TimelineQuery, limit: usize) -> Result<Page, StoreError> {
        self.0.local.page(query, limit)
    }

    fn newest_page(&self, query: &TimelineQuery, limit: usize) -> Result<NewestPage, StoreError> {
        self.0.local.newest_page(query, limit)
    }

    fn conversations(&self, query: &ConversationQuery) -> Result<ConversationPage, StoreError> {
        self.0.local.conversations(query)
    }

    fn low_watermark(&self, query: &TimelineQuery) -> Result<Seq, StoreError> {
        self.0.local.low_watermark(query)
    }

    fn sweep(&self, sweep: &mut Sweep) -> Result<Swept, StoreError> {
        self.0.local.sweep(sweep)
    }

    fn check_place(&self) -> Result<(), StoreError> {
        self.0.local.check_place()
    }

    fn batch_bytes(&self) -> usize {
        match &*self.role() {
            Role::Follows(_) => usize::MAX,
            Role::Leads(_) => BLOCK_BYTES,
        }
    }

    fn waits(&self) -> bool {
        self.0.local.waits()
    }

    fn close(&self) -> Result<(), StoreError> {
        self.0.local.close()
    }
}
