//! Tagged requests in flight, over all connections of a user: no more may be in flight than are remembered, so that none is
//! forgotten that a client may have to send again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::chat::CommandError;
use crate::hub::SendQueue;
use crate::limits::TAGS_PER_USER;

/// The tagged requests of a user whose replies the clients may not have yet.
#[derive(Default)]
pub(in crate::net) struct TagsInFlight(Mutex<Vec<OfConnection>>);

struct OfConnection {
    send_queue: Weak<SendQueue>,
    count: usize,
}

impl OfConnection {
    fn is_of(&self, send_queue: &Arc<SendQueue>) -> bool {
        std::ptr::eq(self.send_queue.as_ptr(), Arc::as_ptr(send_queue))
    }
}

impl TagsInFlight {
    /// Counts a tagged request of a connection.
    ///
    /// # Errors
    /// [`CommandError::SlowDown`] if as many are in flight as are remembered.
    pub(in crate::net) fn take(&self, send_queue: &Arc<SendQueue>) -> Result<(), CommandError> {
        let mut connections = self.lock();
        if total(&connections) >= TAGS_PER_USER {
            forget_answered(&mut connections, send_queue);
        }
        if total(&connections) >= TAGS_PER_USER {
            return Err(CommandError::SlowDown(1));
        }
        match connections.iter_mut().find(|connection| connection.is_of(send_queue)) {
            Some(connection) => connection.count += 1,
            None => connections.push(OfConnection { send_queue: Arc::downgrade(send_queue), count: 1 }),
        }
        Ok(())
    }

    /// The connection has received something: it was sent before the replies to it could be read, and so only those that
    /// left before count as read.
    pub(in crate::net) fn settle(&self, send_queue: &Arc<SendQueue>) {
        let mut connections = self.lock();
        let Some(place) = connections.iter().position(|connection| connection.is_of(send_queue)) else { return };
        let held = send_queue.held_replies();
        let Some(connection) = connections.get_mut(place) else { return };
        connection.count = connection.count.min(held);
        if connection.count == 0 {
            connections.swap_remove(place);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<OfConnection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn total(connections: &[OfConnection]) -> usize {
    connections.iter().map(|connection| connection.count).sum()
}

/// Forgets the requests of other connections whose replies have left.
fn forget_answered(connections: &mut Vec<OfConnection>, asking: &Arc<SendQueue>) {
    connections.retain_mut(|connection| {
        if connection.is_of(asking) {
            return true;
        }
        let held = connection.send_queue.upgrade().map_or(0, |send_queue| send_queue.held_replies());
        connection.count = connection.count.min(held);
        connection.count > 0
    });
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::hub::{SocketWriter, Ticket};
    use crate::wire::ReplyFormat;

    struct Discard;

    impl SocketWriter for Discard {
        fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }
    }

    fn connection() -> Arc<SendQueue> {
        Arc::new(SendQueue::new(Arc::new(Discard), ReplyFormat::Json))
    }

    fn hold(send_queue: &SendQueue, count: usize) {
        (0..count).for_each(|_| send_queue.reply(Ticket::FIRST, None, |out| out.push(b' ')));
    }

    #[test]
    fn connections_of_a_user_have_no_more_in_flight_together_than_are_remembered() {
        let (tags, one, other) = (TagsInFlight::default(), connection(), connection());
        [&one, &other].iter().for_each(|send_queue| hold(send_queue, 200));
        (0..200).for_each(|_| tags.take(&one).unwrap());
        let taken = (0..200).filter(|_| tags.take(&other).is_ok()).count();
        assert_eq!(taken, TAGS_PER_USER - 200);
        assert_eq!(tags.take(&one), Err(CommandError::SlowDown(1)));
    }

    #[test]
    fn requests_whose_replies_have_left_make_room_for_other_connections() {
        let (tags, one, other) = (TagsInFlight::default(), connection(), connection());
        (0..TAGS_PER_USER).for_each(|_| tags.take(&one).unwrap());
        assert_eq!(tags.take(&one), Err(CommandError::SlowDown(1)), "it has not shown that it has them");
        assert_eq!(tags.take(&other), Ok(()));
    }

    #[test]
    fn a_connection_that_goes_on_has_what_left_before() {
        let (tags, one) = (TagsInFlight::default(), connection());
        hold(&one, 10);
        (0..TAGS_PER_USER).for_each(|_| tags.take(&one).unwrap());
        tags.settle(&one);
        assert_eq!((0..TAGS_PER_USER).filter(|_| tags.take(&one).is_ok()).count(), TAGS_PER_USER - 10);
    }

    #[test]
    fn a_connection_that_is_gone_has_nothing_in_flight() {
        let (tags, gone, other) = (TagsInFlight::default(), connection(), connection());
        hold(&gone, TAGS_PER_USER);
        (0..TAGS_PER_USER).for_each(|_| tags.take(&gone).unwrap());
        drop(gone);
        assert_eq!(tags.take(&other), Ok(()));
    }
}
