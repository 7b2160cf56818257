//! Fan-out: deals the pushes of a durable batch out to connections.
//!
//! Pushes to few connections are written at once. Those to large audiences go to the deliveries, which are written in turns.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::chat::{Audience, Message, SessionEnd};
use crate::hub::batch::{Batch, EndedSession, Payload, Push};
use crate::hub::deliveries::Deliveries;
use crate::hub::presence::{Attached, Presence};
use crate::hub::push_backlog::PushBacklog;
use crate::hub::round::{Round, stored};
use crate::hub::send_queue::SendQueue;
use crate::hub::shared::PresenceGuard;
use crate::hub::socket_writer::ConnectionEnd;
use crate::hub::tickets::Tickets;
use crate::id::{Seq, UserId};
use crate::limits::{LARGE_AUDIENCE, PUSHES_AT_ONCE, PUSHES_PER_LOCK};
use crate::wire::DisconnectReason;

pub(super) struct Fanout {
    /// Pushes that are written at once.
    round: Round,
    deliveries: Deliveries,
    /// Read positions of text connections whose sessions ended, to be recorded.
    pub(super) read_ranges: Vec<(UserId, (Seq, Seq))>,
}

/// How far the replies and pushes of all connections have come.
#[derive(Clone, Copy)]
pub(super) struct Progress<'a> {
    pub(super) tickets: &'a Tickets,
    pub(super) backlog: &'a PushBacklog,
}

impl Fanout {
    pub(super) fn new() -> Self {
        Self { round: Round::new(0), deliveries: Deliveries::new(), read_ranges: Vec::new() }
    }

    /// Has pushes to large audiences wait for [`Fanout::write_turn`] from now on.
    pub(super) fn begin_turns(&mut self) {
        self.deliveries.begin_turns();
    }

    /// Collects the pushes of a batch for each connection, and appends to the outbox tails. Flushes early at
    /// [`PUSHES_AT_ONCE`]. Those who wait for the presence have it in between: what was collected up to then is
    /// [`Presence::delivered`].
    pub(super) fn collect(&mut self, batch: &Arc<Batch>, presence: &mut PresenceGuard<'_>, progress: Progress<'_>) {
        let mut seen = 0;
        for (place, push) in batch.pushes.iter().enumerate() {
            if let Payload::SessionEnded(ended) = &push.what {
                if presence.is_connected(ended.user, ended.session) {
                    PresenceGuard::unlocked_fair(presence, || self.flush(progress));
                    if presence.is_pushed_to(ended.user) {
                        PresenceGuard::unlocked_fair(presence, || self.write_all(progress));
                    }
                    self.end_session(ended, push.origin.as_ref(), presence);
                }
                presence.session_uses.forget(ended.session);
                continue;
            }
            if let Some((record, message)) = push.message(batch) {
                if let Some(tail) = message.to.remote_realm().and_then(|realm| presence.outbox_tails.get(&realm)) {
                    tail.push(stored(record, message));
                }
                presence.delivered = record.seq;
            }
            seen += 1 + self.collect_push((batch, place), push, presence, progress.backlog);
            if self.round.len() >= PUSHES_AT_ONCE {
                PresenceGuard::unlocked_fair(presence, || self.flush(progress));
            }
            if self.deliveries.round().len() >= PUSHES_AT_ONCE {
                PresenceGuard::unlocked_fair(presence, || self.write_all(progress));
            }
            if seen >= PUSHES_PER_LOCK {
                PresenceGuard::bump(presence);
                seen = 0;
            }
        }
    }

    /// Collects one push for each connection of its audience that listens, in the round that the connection's earlier ones are
    /// in. Returns how many connections it has looked at.
    fn collect_push(
        &mut self,
        (batch, place): (&Arc<Batch>, usize),
        push: &Push,
        presence: &Presence,
        backlog: &PushBacklog,
    ) -> usize {
        let message = push.message(batch).map(|(_, message)| message);
        let Self { round, deliveries, .. } = self;
        let is_large = deliveries.are_in_turns() && push.is_large(presence);
        let before = deliveries.round().len();
        let (mut in_round, mut in_deliveries) = (None, None);
        let mut seen = 0;
        presence.each_of(&push.audience, |user, send_queue| {
            seen += 1;
            if !send_queue.is_listening() || !push.is_for(user, send_queue, message) {
                return;
            }
            let slot = send_queue.push_slot();
            let waits = slot.map_or(is_large, |slot| !round.has(slot));
            let (round, place_of_push) =
                if waits { (deliveries.round(), &mut in_deliveries) } else { (&mut *round, &mut in_round) };
            let push = *place_of_push.get_or_insert_with(|| round.add(batch, place));
            round.enqueue(send_queue, slot, push);
        });
        let added = deliveries.round().len() - before;
        if added > 0
            && let Some(author) = push.by
        {
            deliveries.count(author, added, backlog);
        }
        seen
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
            presence.notify_watchers(*user, name, false).iter().for_each(|watcher| watcher.flush());
        }
    }

    /// Writes the pushes to few connections.
    pub(super) fn flush(&mut self, Progress { tickets, .. }: Progress<'_>) {
        self.round.write(tickets, || false);
        self.round.set_number(self.round.next_number());
    }

    /// Whether pushes to large audiences wait to be written.
    pub(super) fn has_deliveries(&self) -> bool {
        !self.deliveries.is_idle()
    }

    /// Writes pushes to large audiences for some time.
    pub(super) fn write_turn(&mut self, Progress { tickets, backlog }: Progress<'_>, turn: Duration) {
        let end = Instant::now() + turn;
        self.deliveries.write(tickets, backlog, || Instant::now() >= end);
    }

    /// Writes all pushes to large audiences.
    pub(super) fn write_all(&mut self, Progress { tickets, backlog }: Progress<'_>) {
        self.deliveries.write(tickets, backlog, || false);
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
            || users * presence.most_connections >= LARGE_AUDIENCE
                && presence.count_listening(&self.audience) >= LARGE_AUDIENCE
    }

    /// Whether a connection of the audience gets this push. The connection that sent it has a reply instead, and the
    /// sender's other text connections get nothing; but a message to oneself goes everywhere.
    fn is_for(&self, user: UserId, send_queue: &Arc<SendQueue>, message: Option<&Message>) -> bool {
        let is_origin = self.origin.as_ref().is_some_and(|origin| Arc::ptr_eq(origin, send_queue));
        let Some(message) = message else { return !is_origin };
        let is_blocked = self.blocked_by.as_ref().is_some_and(|blocked_by| blocked_by.binary_search(&user).is_ok());
        let is_own = is_origin || (send_queue.format().is_text() && message.is_from(user));
        !is_blocked && (!is_own || message.is_to(user))
    }
}
