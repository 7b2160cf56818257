//! A bounded queue that serves addresses in turn: one that asks for much waits for itself.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::limits::HASHES_WAITING;

/// Jobs that wait, by address.
pub(super) struct FairQueue<T> {
    waiting: Mutex<Waiting<T>>,
    has_work: Condvar,
}

struct Waiting<T> {
    /// Of each address that has any, the oldest first. None is empty.
    jobs: HashMap<IpAddr, VecDeque<T>>,
    /// The addresses, the one whose turn is next first.
    turns: VecDeque<IpAddr>,
    count: usize,
    is_closed: bool,
}

impl<T> Default for FairQueue<T> {
    fn default() -> Self {
        let waiting = Waiting { jobs: HashMap::new(), turns: VecDeque::new(), count: 0, is_closed: false };
        Self { waiting: Mutex::new(waiting), has_work: Condvar::new() }
    }
}

impl<T> FairQueue<T> {
    /// Adds a job. If there are too many, the newest of the address with the most is dropped.
    pub(super) fn push(&self, address: IpAddr, job: T) {
        let mut waiting = self.lock();
        waiting.push(address, job);
        if waiting.count > HASHES_WAITING {
            waiting.drop_newest_of_largest();
        }
        drop(waiting);
        self.has_work.notify_one();
    }

    /// Waits for the next job; `None` once the queue is closed.
    pub(super) fn pop(&self) -> Option<T> {
        let mut waiting = self.lock();
        loop {
            if waiting.is_closed {
                return None;
            }
            if let Some(job) = waiting.pop() {
                return Some(job);
            }
            waiting = self.has_work.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// How many jobs wait.
    pub(super) fn len(&self) -> usize {
        self.lock().count
    }

    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.has_work.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Waiting<T> {
    fn push(&mut self, address: IpAddr, job: T) {
        let jobs = self.jobs.entry(address).or_default();
        if jobs.is_empty() {
            self.turns.push_back(address);
        }
        jobs.push_back(job);
        self.count += 1;
    }

    fn pop(&mut self) -> Option<T> {
        let address = self.turns.pop_front()?;
        let jobs = self.jobs.get_mut(&address)?;
        let job = jobs.pop_front()?;
        if jobs.is_empty() {
            self.jobs.remove(&address);
        } else {
            self.turns.push_back(address);
        }
        self.count -= 1;
        Some(job)
    }

    fn drop_newest_of_largest(&mut self) {
        let Some((address, jobs)) = self.jobs.iter_mut().max_by_key(|(_, jobs)| jobs.len()) else { return };
        let address = *address;
        jobs.pop_back();
        self.count -= 1;
        if jobs.is_empty() {
            self.jobs.remove(&address);
            self.turns.retain(|turn| *turn != address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn addresses_are_served_in_turn() {
        let queue = FairQueue::default();
        for job in ["1a", "1b", "1c", "2a", "3a", "3b"] {
            queue.push(address(job.as_bytes()[0] - b'0'), job);
        }
        let served: Vec<_> = (0..6).filter_map(|_| queue.pop()).collect();
        assert_eq!(served, ["1a", "2a", "3a", "1b", "3b", "1c"]);
    }

    #[test]
    fn an_address_that_asks_for_much_loses_its_newest_to_the_others() {
        let queue = FairQueue::default();
        (0..2 * HASHES_WAITING).for_each(|number| queue.push(address(1), number));
        (0..10).for_each(|other| queue.push(address(2 + other), usize::MAX - usize::from(other)));
        let served: Vec<_> = (0..HASHES_WAITING).filter_map(|_| queue.pop()).collect();
        assert_eq!(served.iter().filter(|number| **number > 2 * HASHES_WAITING).count(), 10);
        assert!(queue.lock().jobs.is_empty() && queue.lock().turns.is_empty());
    }

    #[test]
    fn a_closed_queue_ends_those_who_wait() {
        let queue = FairQueue::<u8>::default();
        queue.push(address(1), 1);
        queue.close();
        assert_eq!(queue.pop(), None);
    }
}
