//! Turns: the threads that serve requests are shared between users, however many connections one has.
//!
//! A connection serves a few requests whenever it has any, and reads no more than it takes to have them. For more it needs its
//! owner's turn, which goes from one connection of the owner to the next: so a user with 256 full pipelines, or with pipelines
//! that come and go, gets as much of the threads' time as one with a single full pipeline. A connection gives the turn back
//! before it waits for anything.
//!
//! As many owners have their turns at a time as there are threads, one after the other: so however many send without end, a
//! request of somebody who was idle waits for a turn or two, and not for one of each.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::hub::Ticket;
use crate::id::UserId;
use crate::limits::{BATCH_COST, BATCH_COST_FREE, OWNERS_REMEMBERED};
use crate::net::pruned_map::PrunedMap;

/// The owner of a connection's work. Turns are shared between owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    User(UserId),
    /// Of a connection that has not logged in.
    Address(IpAddr),
}

/// The turns of all owners, and what they have put into the batch of changes that is being gathered.
pub(crate) struct Turns {
    owners: Mutex<PrunedMap<Owner, Arc<Semaphore>>>,
    /// One for each thread that serves requests.
    threads: Arc<Semaphore>,
    batch: Mutex<BatchCosts>,
    /// Some owner has used its share of the batch.
    any_has_used_share: AtomicBool,
}

/// The cost of a batch's changes, by owner.
#[derive(Default)]
struct BatchCosts {
    batch: Ticket,
    costs: HashMap<Owner, u64>,
    /// Owners whose changes cost more than [`BATCH_COST_FREE`].
    large: u64,
}

/// An owner's turn, for one connection, and a thread to have it on. To be boxed: most connections have none.
#[derive(Debug)]
pub(super) struct OwnersTurn {
    pub(super) owner: Owner,
    pub(super) begun: Instant,
    _permits: [OwnedSemaphorePermit; 2],
}

/// A turn that has to be waited for.
#[derive(Debug)]
pub(super) struct AwaitedTurn {
    owner: Owner,
    /// The owner's turn, or who gives it away.
    turn: Result<OwnedSemaphorePermit, Arc<Semaphore>>,
    threads: Arc<Semaphore>,
}

impl OwnersTurn {
    fn new(owner: Owner, turn: OwnedSemaphorePermit, thread: OwnedSemaphorePermit) -> Self {
        Self { owner, begun: Instant::now(), _permits: [turn, thread] }
    }
}

impl AwaitedTurn {
    /// Waits for the turn, after those who waited before.
    pub(super) async fn take(self) -> Option<OwnersTurn> {
        let turn = match self.turn {
            Ok(turn) => turn,
            Err(turn) => turn.acquire_owned().await.ok()?,
        };
        Some(OwnersTurn::new(self.owner, turn, self.threads.acquire_owned().await.ok()?))
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self::new(std::thread::available_parallelism().map_or(1, Into::into))
    }
}

impl Turns {
    fn new(threads: usize) -> Self {
        let owners = Mutex::new(PrunedMap::new(OWNERS_REMEMBERED));
        Self {
            owners,
            threads: Arc::new(Semaphore::new(threads)),
            batch: Mutex::default(),
            any_has_used_share: AtomicBool::new(false),
        }
    }

    /// The turn of an owner, if no other connection has it, and a thread is free.
    pub(super) fn try_take(&self, owner: Owner) -> Result<OwnersTurn, AwaitedTurn> {
        let (turn, threads) = (self.of(owner), self.threads.clone());
        let Ok(turn) = turn.clone().try_acquire_owned() else {
            return Err(AwaitedTurn { owner, turn: Err(turn), threads });
        };
        match threads.clone().try_acquire_owned() {
            Ok(thread) => Ok(OwnersTurn::new(owner, turn, thread)),
            Err(_) => Err(AwaitedTurn { owner, turn: Ok(turn), threads }),
        }
    }

    fn of(&self, owner: Owner) -> Arc<Semaphore> {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || Arc::new(Semaphore::new(1));
        owners.entry(owner, made, |turn| Arc::strong_count(turn) > 1).clone()
    }

    /// Adds the cost of an owner's changes to the batch that is being gathered. Returns whether they cost the owner's share:
    /// then its connections wait for the next batch.
    pub(super) fn add_cost(&self, owner: Owner, cost: u64, batch: Ticket) -> bool {
        let mut costs = self.costs();
        if costs.batch != batch {
            self.begin_batch(&mut costs, batch);
        }
        let own = costs.costs.entry(owner).or_default();
        let was_large = *own > BATCH_COST_FREE;
        *own += cost;
        let own = *own;
        if own > BATCH_COST_FREE && !was_large {
            costs.large += 1;
        }
        let is_used = own > BATCH_COST_FREE && own * costs.large > BATCH_COST;
        if is_used {
            self.any_has_used_share.store(true, Ordering::Relaxed);
        }
        is_used
    }

    /// Forgets what a batch has cost up to now: nothing of it waits to be stored.
    pub(super) fn forget_costs(&self, batch: Ticket) {
        let mut costs = self.costs();
        if costs.batch == batch {
            self.begin_batch(&mut costs, batch);
        }
    }

    fn begin_batch(&self, costs: &mut BatchCosts, batch: Ticket) {
        costs.batch = batch;
        costs.costs.clear();
        costs.large = 0;
        self.any_has_used_share.store(false, Ordering::Relaxed);
    }

    fn costs(&self) -> MutexGuard<'_, BatchCosts> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether some owner may have used its share of the batch. Costs no lock.
    pub(super) fn any_has_used_share(&self) -> bool {
        self.any_has_used_share.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: Owner = Owner::User(UserId(1));
    const OTHER: Owner = Owner::User(UserId(2));

    #[test]
    fn one_connection_of_an_owner_has_the_turn_at_a_time() {
        let turns = Turns::new(2);
        let first = turns.try_take(MANY).unwrap();
        assert!(turns.try_take(MANY).is_err());
        assert!(turns.try_take(OTHER).is_ok());
        drop(first);
        assert!(turns.try_take(MANY).is_ok());
    }

    #[tokio::test]
    async fn no_more_owners_have_their_turns_than_there_are_threads_and_others_get_them_in_order() {
        let turns = Turns::new(2);
        let owner = |number| Owner::User(UserId(number));
        let mut held: Vec<_> = (0..2).map(|number| turns.try_take(owner(number)).ok()).collect();
        let mut awaited: Vec<_> = (2..5)
            .map(|number| {
                let awaited = turns.try_take(owner(number)).map(drop).unwrap_err();
                waits(awaited)
            })
            .collect();
        for next in 0..3 {
            assert!(awaited.iter_mut().skip(next).all(is_waiting));
            held.remove(0);
            let (first, others) = awaited[next..].split_first_mut().unwrap();
            held.push(first.await);
            assert!(held.iter().all(Option::is_some) && others.iter_mut().all(is_waiting));
        }
        assert!(turns.try_take(owner(0)).is_err(), "there is no thread for another turn");
        held.remove(0);
        assert!(turns.try_take(owner(4)).is_err() && turns.try_take(owner(0)).is_ok());
    }

    type Waiting = std::pin::Pin<Box<dyn Future<Output = Option<OwnersTurn>>>>;

    fn waits(awaited: AwaitedTurn) -> Waiting {
        let mut waiting: Waiting = Box::pin(awaited.take());
        assert!(is_waiting(&mut waiting));
        waiting
    }

    /// Polls once.
    fn is_waiting(waiting: &mut Waiting) -> bool {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        waiting.as_mut().poll(&mut context).is_pending()
    }

    #[test]
    fn an_owner_that_has_its_share_of_a_batch_waits_for_the_next() {
        let turns = Turns::default();
        assert!(!turns.add_cost(MANY, BATCH_COST, Ticket::FIRST), "alone it may have all");
        assert!(turns.add_cost(MANY, 1, Ticket::FIRST));
        assert!(!turns.add_cost(OTHER, BATCH_COST_FREE, Ticket::FIRST), "what is little is free");
        assert!(turns.add_cost(OTHER, BATCH_COST / 2, Ticket::FIRST), "two share it");
        assert!(!turns.add_cost(MANY, 1, Ticket::NONE), "another batch");
    }

    #[test]
    fn only_turns_that_somebody_has_are_remembered() {
        let turns = Turns::default();
        let held = turns.try_take(MANY).unwrap();
        (0..OWNERS_REMEMBERED as u64 + 9).for_each(|user| drop(turns.try_take(Owner::User(UserId(100 + user)))));
        assert!(turns.try_take(MANY).is_err(), "it was forgotten");
        assert!(turns.owners.lock().unwrap().len() <= OWNERS_REMEMBERED);
        drop(held);
    }
}
