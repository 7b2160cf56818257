//! Fan-out: deals the pushes of a durable batch out to connections.
//!
//! Pushes to few connections are written at once, by the committer. Those to large audiences go to the deliveries, whose
//! thread writes them.

use std::sync::{Arc, MutexGuard};

use crate::chat::{Audience, Author, Message, SessionEnd};
use crate::hub::batch::{Batch, EndedSession, Payload, Push};
use crate::hub::deliveries::{Collected, Deliveries};
use crate::hub::presence::{Attached, Presence};
use crate::hub::round::{Round, stored};
use crate::hub::send_queue::SendQueue;
use crate::hub::socket_writer::ConnectionEnd;
use crate::hub::tickets::Tickets;
use crate::id::{Seq, UserId};
use crate::limits::{LARGE_AUDIENCE, PUSHES_AT_ONCE};
use crate::wire::{DisconnectReason, ReplyFormat};

pub(super) struct Fanout {
    /// Deliveries that the committer writes itself.
    round: Round,
    /// Read positions of text connections whose sessions ended, to be recorded.
    pub(super) read_ranges: Vec<(UserId, (Seq, Seq))>,
}

impl Default for Fanout {
    fn default() -> Self {
        Self { round: Round::new(0), read_ranges: Vec::new() }
    }
}

impl Fanout {
    /// Collects the pushes of a batch for each connection, and appends to the outbox tails. Flushes early at
    /// [`PUSHES_AT_ONCE`].
    pub(super) fn collect(
        &mut self,
        batch: &Arc<Batch>,
        presence: &mut Presence,
        deliveries: &Deliveries,
        tickets: &Tickets,
    ) {
        // If nothing waits there, no connection has pushes there that its further ones must come after.
        let is_local = deliveries.is_idle() && !batch.pushes.iter().any(|push| push.is_large(presence));
        let mut shared = if is_local { None } else { deliveries.collect() };
        for (place, push) in batch.pushes.iter().enumerate() {
            if let Payload::SessionEnded(ended) = &push.what {
                if presence.is_connected(ended.user, ended.session) {
                    drop(shared.take());
                    self.flush(tickets);
                    if presence.is_pushed_to(ended.user) {
                        deliveries.drain();
                    }
                    self.end_session(ended, push.origin.as_ref(), presence);
                    shared = if is_local { None } else { deliveries.collect() };
                }
                presence.session_uses.forget(ended.session);
                continue;
            }
            let message = push.message(batch);
            if let Some((record, message)) = message
                && let Some(tail) = message.to.remote_realm().and_then(|realm| presence.outbox_tails.get(&realm))
            {
                tail.push(stored(record, message));
            }
            shared = self.collect_push((batch, place), push, presence, deliveries, shared);
            if self.round.len() >= PUSHES_AT_ONCE {
                self.flush(tickets);
            }
        }
    }

    /// Collects one push for each connection of its audience, in the round that the connection's earlier ones are in.
    fn collect_push<'a>(
        &mut self,
        (batch, place): (&Arc<Batch>, usize),
        push: &Push,
        presence: &Presence,
        deliveries: &'a Deliveries,
        mut shared: Option<MutexGuard<'a, Collected>>,
    ) -> Option<MutexGuard<'a, Collected>> {
        let message = push.message(batch).map(|(_, message)| message);
        let round = &mut self.round;
        let (mut in_round, mut in_shared) = (None, None);
        let before = shared.as_ref().map_or(0, |shared| shared.round.len());
        let is_large = shared.is_some() && push.is_large(presence);
        presence.each_of(&push.audience, |user, send_queue| {
            if !push.is_for(user, send_queue, message) {
                return;
            }
            let slot = send_queue.push_slot();
            let is_shared = slot.map_or(is_large, |slot| !round.has(slot));
            match &mut shared {
                Some(shared) if is_shared => {
                    let push = *in_shared.get_or_insert_with(|| shared.round.add(batch, place));
                    shared.round.enqueue(send_queue, push);
                }
                _ => {
                    let push = *in_round.get_or_insert_with(|| round.add(batch, place));
                    round.enqueue(send_queue, push);
                }
            }
        });
        let shared = shared?;
        let added = shared.round.len() - before;
        if added == 0 {
            return Some(shared);
        }
        Some(deliveries.added(shared, added, message.and_then(author)))
    }

    /// Detaches the connections of a session that was closed, once what was pushed to them before has left. The connection
    /// that closed it has its reply.
    fn end_session(&mut self, ended: &EndedSession, origin: Option<&Arc<SendQueue>>, presence: &mut Presence) {
        let EndedSession { session, user, name, end } = ended;
        let left = presence.detach(*user, |attached| attached.session == *session);
        for Attached { send_queue, .. } in &left {
            let is_origin = origin.is_some_and(|origin| Arc::ptr_eq(origin, send_queue));
            let read = if is_origin { send_queue.end_binding() } else { send_queue.end_session(*end) };
            self.read_ranges.extend(read.map(|range| (*user, range)));
            if let Some(reason) = disconnect_reason(*end) {
                send_queue.close(ConnectionEnd::Disconnected(reason));
            }
        }
        if !presence.is_online(*user) {
            presence.notify_watchers(name.clone(), false).iter().for_each(|watcher| watcher.flush());
        }
    }

    /// Writes what was collected here.
    pub(super) fn flush(&mut self, tickets: &Tickets) {
        self.round.flush(tickets);
        self.round.set_number(self.round.next_number());
    }
}

fn author(message: &Message) -> Option<UserId> {
    match message.from {
        Author::Local(user) => Some(user),
        _ => None,
    }
}

/// An administrator who puts somebody out means the connections, too.
fn disconnect_reason(end: SessionEnd) -> Option<DisconnectReason> {
    match end {
        SessionEnd::Kicked => Some(DisconnectReason::Kicked),
        SessionEnd::Banned => Some(DisconnectReason::Banned),
        _ => None,
    }
}

impl Push {
    /// Whether it is pushed to so many that others must not wait for it.
    fn is_large(&self, presence: &Presence) -> bool {
        let users = match &self.audience {
            Audience::Pair(..) => 2,
            Audience::Members(members) => members.len(),
            Audience::Everyone => return true,
        };
        users >= LARGE_AUDIENCE
            || users * presence.most_connections >= LARGE_AUDIENCE && presence.count(&self.audience) >= LARGE_AUDIENCE
    }

    /// Whether a connection of the audience gets this push. The connection that sent it has a reply instead, and the
    /// sender's other text connections get nothing; but a message to oneself goes everywhere.
    fn is_for(&self, user: UserId, send_queue: &Arc<SendQueue>, message: Option<&Message>) -> bool {
        let is_origin = self.origin.as_ref().is_some_and(|origin| Arc::ptr_eq(origin, send_queue));
        let Some(message) = message else { return !is_origin };
        let is_blocked = self.blocked_by.as_ref().is_some_and(|blocked_by| blocked_by.binary_search(&user).is_ok());
        let is_own = is_origin || (send_queue.format() == ReplyFormat::Text && message.is_from(user));
        !is_blocked && (!is_own || message.is_to(user))
    }
}
