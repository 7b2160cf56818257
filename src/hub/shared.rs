//! The state of the hub, shared by all its handles, and how it is read.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError,
};

use arc_swap::ArcSwap;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::chat::{
    CommandError, ConversationPage, ConversationQuery, InboxLimits, InboxShares, NewSession, PasswordHash, Policy,
    State, TimelineQuery,
};
use crate::hub::batch::Batch;
use crate::hub::commit_metrics::CommitMetrics;
use crate::hub::commit_waiters::CommitWaiters;
use crate::hub::dials::Dials;
use crate::hub::forwards::Forwards;
use crate::hub::presence::Presence;
use crate::hub::push_backlog::PushBacklog;
use crate::hub::send_queue::SendQueue;
use crate::hub::tickets::{CommitStatus, Ticket};
use crate::hub::uncounted_inboxes::UncountedInboxes;
use crate::id::UserId;
use crate::limits::{PENDING_BYTES, PENDING_CHANGES};
use crate::name::Name;
use crate::store::{NewestPage, Page, Store, StoreError, Sweep, Swept};
use crate::time::Time;

/// The locked presence. It can be given to those who wait in the middle of something long.
pub(super) type PresenceGuard<'a> = parking_lot::MutexGuard<'a, Presence>;

/// A handle to the hub. Clones share it.
#[derive(Clone)]
pub struct Hub(pub(super) Arc<Shared>);

pub(super) struct Shared {
    pub(super) home: Name,
    pub(super) state: Arc<RwLock<State>>,
    pub(super) store: Box<dyn Store>,
    pub(super) pending: Mutex<Batch>,
    /// The newest batch that has records. Changes only under the state's write lock.
    pub(super) issued: AtomicU64,
    pub(super) waiters: CommitWaiters,
    pub(super) push_backlog: PushBacklog,
    presence: parking_lot::Mutex<Presence>,
    pub(super) inboxes: InboxShares,
    pub(super) uncounted: UncountedInboxes,
    pub(super) forwards: Forwards,
    pub(super) dials: Dials,
    /// For forwarded commands.
    pub(super) policy: ArcSwap<Policy>,
    /// Somebody was banned, or a realm was removed.
    pub(super) restricted: Notify,
    /// Set while the store cannot be written: the error that changes are refused with.
    pub(super) poison: Mutex<Option<CommandError>>,
    pub(super) is_poisoned: AtomicBool,
    /// The disk is nearly full.
    pub(super) is_disk_low: AtomicBool,
    /// The data directory was deleted or replaced.
    pub(super) is_misplaced: AtomicBool,
    pub(super) work: Condvar,
    pub(super) capacity: Notify,
    pub(super) metrics: CommitMetrics,
}

impl Hub {
    /// Reads the state. A reply that shows any of it must be held for the ticket.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> (T, Ticket) {
        let state = self.0.read_state();
        (read(&state), self.0.newest_ticket())
    }

    /// Reads a page from the store. Waits for the disk: not for a thread that serves traffic.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(crate) fn page(&self, view: &TimelineQuery, limit: usize) -> Result<Page, StoreError> {
        self.0.store.page(view, limit)
    }

    /// Reads the newest page from the store, like [`Hub::page`].
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(crate) fn newest_page(&self, view: &TimelineQuery, limit: usize) -> Result<NewestPage, StoreError> {
        self.0.store.newest_page(view, limit)
    }

    /// Reads the list of a user's conversations, like [`Hub::page`].
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(crate) fn conversations(&self, query: &ConversationQuery) -> Result<ConversationPage, StoreError> {
        self.0.store.conversations(query)
    }

    /// Does one step of a sweep of retention. Waits for the disk: not for a thread that serves traffic.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub(crate) fn sweep(&self, sweep: &mut Sweep) -> Result<Swept, StoreError> {
        self.0.store.sweep(sweep)
    }

    /// Reads from the store; on a blocking thread if the store waits for a disk.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(crate) async fn read_store<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if !self.0.store.waits() {
            return read(self);
        }
        let hub = self.clone();
        tokio::task::spawn_blocking(move || read(&hub)).await.unwrap_or(Err(StoreError::Failed))
    }

    /// Sets whether the disk is nearly full: then nothing that takes room is done. Returns whether that is new.
    pub(crate) fn set_disk_low(&self, is_low: bool) -> bool {
        self.0.is_disk_low.swap(is_low, Ordering::Relaxed) != is_low
    }

    /// Looks whether the store is still in its place: if it is not, changes are refused. Returns the error if that is new.
    pub(crate) fn check_place(&self) -> Option<StoreError> {
        let checked = self.0.store.check_place();
        let was_misplaced = self.0.is_misplaced.swap(checked.is_err(), Ordering::Relaxed);
        checked.err().filter(|_| !was_misplaced)
    }

    /// Waits until what has a ticket is durable.
    ///
    /// # Errors
    /// If it was not stored, or nobody knows.
    pub(crate) async fn stored(&self, ticket: Ticket) -> Result<(), CommandError> {
        loop {
            let settled = self.settled();
            match self.commit_status(ticket) {
                CommitStatus::Pending => settled.await,
                CommitStatus::Durable => return Ok(()),
                CommitStatus::Failed(error) => return Err(error),
            }
        }
    }

    /// Opens a session in memory only, for a user whose password was verified while the store takes no session.
    ///
    /// # Errors
    /// If the password changed meanwhile, or the user has too many sessions.
    pub(crate) fn open_unstored_session(
        &self,
        user: UserId,
        verified: &PasswordHash,
        session: NewSession,
    ) -> Result<(), CommandError> {
        let now = Time::now();
        self.0.write_state().open_unstored_session(user, verified, session, (now, now.paced()))
    }

    /// Flushes the connection's durable replies, and registers it so that the others are flushed once they are durable.
    pub(crate) fn send_replies(&self, send_queue: &Arc<SendQueue>) {
        self.0.waiters.send_replies(send_queue);
    }

    /// Sets what one sender may leave unread in an inbox.
    pub(crate) fn set_inbox_limits(&self, limits: InboxLimits) {
        self.0.inboxes.set_limits(limits);
    }

    /// Whether too many pushes of a user's messages wait to be written.
    #[must_use]
    pub(crate) fn is_far_ahead(&self, author: UserId) -> bool {
        self.0.push_backlog.is_far_ahead(author)
    }

    /// Waits while too many pushes of a user's messages wait to be written.
    pub(crate) async fn wait_for_pushes(&self, author: UserId) {
        self.0.push_backlog.wait_for(author).await;
    }

    /// The batch of changes that is being gathered.
    #[must_use]
    pub(crate) fn gathered_batch(&self) -> Ticket {
        Ticket(self.0.pending().ticket)
    }

    /// Waits until the committer has taken the batch.
    pub(crate) async fn wait_for_batch(&self, batch: Ticket) {
        let taken = self.0.capacity.notified();
        if self.is_gathered(batch) {
            taken.await;
        }
    }

    fn is_gathered(&self, batch: Ticket) -> bool {
        let pending = self.0.pending();
        pending.ticket == batch.0 && !pending.records.is_empty()
    }

    /// Whether fewer changes wait for a commit than may.
    #[must_use]
    pub(crate) fn has_capacity(&self) -> bool {
        let pending = self.0.pending();
        let is_below = pending.records.len() < PENDING_CHANGES && pending.bytes < PENDING_BYTES;
        drop(pending);
        is_below && self.0.forwards.has_capacity()
    }

    #[must_use]
    pub(crate) fn commit_status(&self, ticket: Ticket) -> CommitStatus {
        self.0.waiters.tickets.status(ticket)
    }

    /// Waits until somebody was banned, or a realm was removed, since the last call.
    pub(crate) async fn restricted(&self) {
        self.0.restricted.notified().await;
    }

    /// Metrics of commits.
    #[must_use]
    pub(crate) fn commit_metrics(&self) -> &CommitMetrics {
        &self.0.metrics
    }

    /// Records, and bytes of message bodies, that wait for a commit.
    #[must_use]
    pub(crate) fn pending(&self) -> (usize, usize) {
        let pending = self.0.pending();
        (pending.records.len(), pending.bytes)
    }

    /// The error that changes are refused with at the moment, if they are.
    #[must_use]
    pub(crate) fn refusing(&self) -> Option<CommandError> {
        let is_disk_low = self.0.is_disk_low.load(Ordering::Relaxed);
        let is_misplaced = self.0.is_misplaced.load(Ordering::Relaxed);
        let poisoned = self.0.poisoned().or(is_misplaced.then_some(CommandError::StorageFailed));
        poisoned.or(is_disk_low.then_some(CommandError::DiskReserve))
    }

    /// Whether the lock of the state can be had at this moment.
    #[must_use]
    pub(crate) fn is_unlocked(&self) -> bool {
        !matches!(self.0.state.try_read(), Err(TryLockError::WouldBlock))
    }

    /// Waits until a batch is settled. One that is settled between this call and the await counts.
    pub(crate) fn settled(&self) -> Notified<'_> {
        self.0.waiters.tickets.settled()
    }

    /// Waits until the committer has taken a batch.
    pub(crate) async fn wait_for_capacity(&self) {
        let room = self.0.capacity.notified();
        if !self.has_capacity() {
            room.await;
        }
    }

    #[must_use]
    pub(crate) fn is_online(&self, user: UserId) -> bool {
        self.0.presence().is_online(user)
    }

    /// When the user's last connection ended, since this server started.
    #[must_use]
    pub(crate) fn last_seen(&self, user: UserId) -> Option<Time> {
        self.0.presence().last_seen(user)
    }

    /// How many users are online.
    #[must_use]
    pub(crate) fn online_count(&self) -> usize {
        self.0.presence().online_count()
    }

    /// Users who are online, in the order of coming online; the first `limit`.
    #[must_use]
    pub(crate) fn online(&self, limit: usize) -> Vec<UserId> {
        self.0.presence().online().take(limit).collect()
    }
}

impl Shared {
    pub(super) fn open(store: Box<dyn Store>, home: Name) -> Result<Self, StoreError> {
        let state = State::restore(home.clone(), store.load()?);
        let presence = Presence::new(state.head());
        let uncounted = UncountedInboxes::default();
        uncounted.begin(state.head());
        Ok(Self {
            home,
            state: Arc::new(RwLock::new(state)),
            store,
            pending: Mutex::new(Batch { ticket: 1, ..Batch::default() }),
            issued: AtomicU64::new(0),
            waiters: CommitWaiters::default(),
            push_backlog: PushBacklog::default(),
            presence: parking_lot::Mutex::new(presence),
            inboxes: InboxShares::default(),
            uncounted,
            forwards: Forwards::default(),
            dials: Dials::default(),
            policy: ArcSwap::default(),
            restricted: Notify::new(),
            poison: Mutex::default(),
            is_poisoned: AtomicBool::new(false),
            is_disk_low: AtomicBool::new(false),
            is_misplaced: AtomicBool::new(false),
            work: Condvar::new(),
            capacity: Notify::new(),
            metrics: CommitMetrics::default(),
        })
    }

    pub(super) fn read_state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write_state(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn pending(&self) -> MutexGuard<'_, Batch> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn presence(&self) -> PresenceGuard<'_> {
        self.presence.lock()
    }

    pub(super) fn poisoned(&self) -> Option<CommandError> {
        if !self.is_poisoned.load(Ordering::Acquire) {
            return None;
        }
        *self.poison.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_poisoned(&self, error: Option<CommandError>) {
        *self.poison.lock().unwrap_or_else(PoisonError::into_inner) = error;
        self.is_poisoned.store(error.is_some(), Ordering::Release);
    }

    /// The ticket of everything that the state shows. Stable only under a lock of the state.
    pub(super) fn newest_ticket(&self) -> Ticket {
        Ticket(self.issued.load(Ordering::Acquire))
    }
}
