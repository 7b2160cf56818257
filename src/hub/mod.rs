//! The hub: the one owner of the state, the one order of changes, and who is connected.
//!
//! A change is decided and applied at once, on the thread that brings it, under the state's write lock; its records
//! join the pending batch. The [`Committer`] puts batch after batch on stable storage, each with one sync, and only
//! then lets the answers and pushes of a batch leave. While one batch is being synced the next is being decided.
//!
//! Locks are taken in the order state, pending, presence, outbox; none is held over an await.

mod attach;
mod committer;
mod deferred_reply;
mod delivery_status;
mod execute;
mod fanout;
mod outbox_tail;
mod presence;
mod push_state;
mod queue_state;
mod send_queue;
mod socket_writer;
mod subscription;
#[cfg(test)]
mod tests;
mod tickets;
mod user_bitset;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::chat::{CommandError, Record, State, TimelineQuery};
use crate::hub::fanout::Push;
use crate::hub::presence::Presence;
use crate::id::UserId;
use crate::limits::{PENDING_BYTES, PENDING_CHANGES};
use crate::name::Name;
use crate::store::{NewestPage, Page, Store, StoreError, Sweep, Swept};
use crate::time::Time;

pub use committer::{Committer, Step};
pub use deferred_reply::DeferredReply;
pub use delivery_status::{DeliveryHandle, DeliveryStatus};
pub use execute::Executed;
pub use outbox_tail::{OutboxTail, TailRead};
pub use send_queue::{Backlog, SendQueue};
pub use socket_writer::{ConnectionEnd, SocketWriter};
pub use subscription::Replay;
pub use tickets::{CommitStatus, Ticket, Tickets};

/// A handle to the hub. Clones share it.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

struct Shared {
    home: Name,
    state: Arc<RwLock<State>>,
    store: Box<dyn Store>,
    pending: Mutex<Batch>,
    /// The newest batch that has records. Changes only under the state's write lock.
    issued: AtomicU64,
    tickets: Tickets,
    waiting: Mutex<Vec<(Ticket, Arc<SendQueue>)>>,
    presence: Mutex<Presence>,
    /// Set while the store refuses to be written; then changes are refused for this reason.
    poison: Mutex<Option<CommandError>>,
    is_poisoned: AtomicBool,
    work: Condvar,
    room: Notify,
}

/// Records decided together, to be stored together.
#[derive(Default)]
struct Batch {
    ticket: u64,
    records: Vec<Record>,
    deliveries: Vec<Push>,
    bytes: usize,
    closing: bool,
}

impl Hub {
    /// Opens the hub on what the store holds, and the committer that has to be driven for anything to be answered.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn open(store: Box<dyn Store>, home: Name) -> Result<(Self, Committer), StoreError> {
        let state = State::restore(home.clone(), store.load()?);
        let presence = Presence::new(state.head());
        let hub = Self(Arc::new(Shared {
            home,
            state: Arc::new(RwLock::new(state)),
            store,
            pending: Mutex::new(Batch { ticket: 1, ..Batch::default() }),
            issued: AtomicU64::new(0),
            tickets: Tickets::default(),
            waiting: Mutex::default(),
            presence: Mutex::new(presence),
            poison: Mutex::default(),
            is_poisoned: AtomicBool::new(false),
            work: Condvar::new(),
            room: Notify::new(),
        }));
        let committer = Committer::new(hub.clone());
        Ok((hub, committer))
    }

    /// Reads the state. What is shown of it may be told once the ticket is durable.
    pub fn read<T>(&self, read: impl FnOnce(&State) -> T) -> (T, Ticket) {
        let state = self.0.read_state();
        (read(&state), self.0.newest_ticket())
    }

    /// Reads a page of a view from the store. Waits for the disk: not for a thread that serves traffic.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn page(&self, view: &TimelineQuery, limit: usize) -> Result<Page, StoreError> {
        self.0.store.page(view, limit)
    }

    /// Reads the newest page of a view from the store, like [`Hub::page`].
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn newest_page(&self, view: &TimelineQuery, limit: usize) -> Result<NewestPage, StoreError> {
        self.0.store.newest_page(view, limit)
    }

    /// Does one step of a sweep of retention. Waits for the disk: not for a thread that serves traffic.
    ///
    /// # Errors
    /// Where the store cannot be read or written.
    pub fn sweep(&self, sweep: &mut Sweep) -> Result<Swept, StoreError> {
        self.0.store.sweep(sweep)
    }

    /// Reads from the store, off the threads that serve traffic where it waits for a disk.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn read_store<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if !self.0.store.waits() {
            return read(self);
        }
        let hub = self.clone();
        tokio::task::spawn_blocking(move || read(&hub)).await.unwrap_or(Err(StoreError::Failed))
    }

    /// Lets the connection's settled replies leave, and sees to it that the others do once they are.
    pub fn send_replies(&self, send_queue: &Arc<SendQueue>) {
        let shared = &*self.0;
        let Some(ticket) = send_queue.leave(&shared.tickets) else { return };
        shared.waiting().push((ticket, send_queue.clone()));
        let settled_meanwhile = shared.tickets.verdict(ticket) != CommitStatus::Pending;
        if settled_meanwhile {
            // The committer may have looked at the list before this outbox was on it.
            let _nothing_open = send_queue.leave(&shared.tickets);
        }
    }

    /// Whether the changes that wait for the disk leave room for more.
    #[must_use]
    pub fn has_room(&self) -> bool {
        let pending = self.0.pending();
        pending.records.len() < PENDING_CHANGES && pending.bytes < PENDING_BYTES
    }

    /// What became of the batch of a ticket.
    #[must_use]
    pub fn verdict(&self, ticket: Ticket) -> CommitStatus {
        self.0.tickets.verdict(ticket)
    }

    /// Waits until a batch is settled, from before this is called to whenever it is awaited.
    pub fn settled(&self) -> Notified<'_> {
        self.0.tickets.settled()
    }

    /// Waits until the committer has taken a batch.
    pub async fn room(&self) {
        let room = self.0.room.notified();
        if !self.has_room() {
            room.await;
        }
    }

    /// Whether the user has an open connection.
    #[must_use]
    pub fn is_online(&self, user: UserId) -> bool {
        self.0.presence().is_online(user)
    }

    /// When the user's last connection ended, since this server started.
    #[must_use]
    pub fn last_seen(&self, user: UserId) -> Option<Time> {
        self.0.presence().last_seen(user)
    }

    /// Who is online, in the order of coming online; the first `limit`.
    #[must_use]
    pub fn online(&self, limit: usize) -> Vec<UserId> {
        self.0.presence().online().take(limit).collect()
    }
}

impl Shared {
    fn read_state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_state(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn pending(&self) -> MutexGuard<'_, Batch> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn presence(&self) -> MutexGuard<'_, Presence> {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<(Ticket, Arc<SendQueue>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poisoned(&self) -> Option<CommandError> {
        if !self.is_poisoned.load(Ordering::Acquire) {
            return None;
        }
        *self.poison.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_poisoned(&self, error: Option<CommandError>) {
        *self.poison.lock().unwrap_or_else(PoisonError::into_inner) = error;
        self.is_poisoned.store(error.is_some(), Ordering::Release);
    }

    /// The ticket of all that the state shows. Stable only under a lock of the state.
    fn newest_ticket(&self) -> Ticket {
        Ticket(self.issued.load(Ordering::Acquire))
    }
}
