//! Counts the replies of a load, so that a test acts in the middle of it: after so many, and not after so long.

use std::sync::{Condvar, Mutex};

use super::client::PATIENCE;

#[derive(Default)]
pub(crate) struct ReplyCounter {
    count: Mutex<usize>,
    changed: Condvar,
}

impl ReplyCounter {
    pub(crate) fn add_one(&self) {
        *self.count.lock().unwrap() += 1;
        self.changed.notify_all();
    }

    pub(crate) fn count(&self) -> usize {
        *self.count.lock().unwrap()
    }

    /// Waits until so many replies were counted in all. Gives up after [`PATIENCE`] without a panic, for that would leave
    /// the threads of the load behind: the tests check at their end that there was a load.
    pub(crate) fn wait_for(&self, count: usize) {
        let too_few = |counted: &mut usize| *counted < count;
        drop(self.changed.wait_timeout_while(self.count.lock().unwrap(), PATIENCE, too_few).unwrap());
    }

    /// Waits for so many more replies.
    pub(crate) fn wait_for_more(&self, count: usize) {
        self.wait_for(self.count() + count);
    }
}
