//! Changes: decided and applied on the thread that brings them, in one order.

use std::sync::Arc;
use std::sync::RwLockWriteGuard;
use std::sync::atomic::Ordering;

use crate::chat::{
    Audience, Command, CommandError, CommandMark, CompletedRequest, Context, Destination, Event, ForwardId,
    IdempotencyKey, Notification, ReadPage, Receipt, Record, Response, SessionEnd, State, decide, response,
};
use crate::hub::batch::{Batch, EndedSession, Payload, Push};
use crate::hub::delivery_status::{DeliveryHandle, DeliveryStatus};
use crate::hub::forward::{Forward, ToTell, mark_queued};
use crate::hub::outbox_tail::Asker;
use crate::hub::send_queue::SendQueue;
use crate::hub::shared::{Hub, Shared};
use crate::hub::tickets::Ticket;
use crate::id::{RealmId, SessionId, UserId};
use crate::time::Time;

/// The origin of a command: a request on a connection.
#[derive(Clone, Copy, Default)]
pub struct Origin<'a> {
    /// The connection: it gets a reply, and no push of what it did itself.
    pub(crate) send_queue: Option<&'a Arc<SendQueue>>,
    /// The key under which the request is done once, if it has a tag.
    pub(crate) key: Option<&'a IdempotencyKey>,
    /// Of a command that a node of the cluster has forwarded.
    pub(super) forward: Option<ForwardId>,
    /// Of the node's own thread, which is about to lead.
    pub(super) is_of_new_leader: bool,
}

impl<'a> Origin<'a> {
    /// A request on a connection, if there is one, under a key, if it has a tag.
    pub(crate) fn new(send_queue: Option<&'a Arc<SendQueue>>, key: Option<&'a IdempotencyKey>) -> Self {
        Self { send_queue, key, forward: None, is_of_new_leader: false }
    }

    /// Of a command that a node of the cluster has forwarded, if one has.
    pub(crate) fn forwarded(self, forward: Option<ForwardId>) -> Self {
        Self { forward, ..self }
    }
}

/// The result of a command.
#[derive(Clone, Debug)]
pub struct Executed {
    pub(crate) result: Result<Response, CommandError>,
    /// The result may be told once this is durable.
    pub(crate) ticket: Ticket,
    /// The delivery status of the message, if it is for another realm.
    pub(crate) delivery: Option<Arc<DeliveryHandle>>,
    /// Members of groups that it is pushed to.
    pub(crate) receivers: usize,
    /// It was forwarded to the leader of the cluster, and the result is only what a reply has beside the outcome.
    pub(crate) forward: Option<Arc<Forward>>,
    pub(super) outcome: Outcome,
}

/// Whether a command changed anything.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    Changed,
    Unchanged(Receipt),
    DoneBefore,
    /// It was refused or forwarded.
    None,
}

impl Executed {
    /// A result that nothing was changed for.
    pub(crate) fn unchanged(result: Result<Response, CommandError>, ticket: Ticket) -> Self {
        Self { result, ticket, delivery: None, receivers: 0, forward: None, outcome: Outcome::None }
    }

    /// Whether it was decided here, and not refused.
    pub(crate) fn is_done(&self) -> bool {
        self.result.is_ok() && self.forward.is_none()
    }

    /// The result as it is known once a forwarded command is done.
    pub(crate) async fn settled(self) -> Self {
        let Some(forward) = self.forward else { return self };
        Self { result: forward.told().await, forward: None, ..self }
    }
}

impl Hub {
    /// Decides a command of the server itself and applies its events.
    pub(crate) fn execute_as_server(&self, command: &Command) -> Executed {
        self.execute(&Context::server(Time::now()), command)
    }

    /// Decides a command that no request waits for and applies its events.
    pub(crate) fn execute(&self, context: &Context<'_>, command: &Command) -> Executed {
        self.execute_change(context, command, Origin::default(), None)
    }

    /// Decides a command of a request and applies its events. If the request was done before under its tag, returns the
    /// response of then.
    pub(crate) fn execute_for(&self, context: &Context<'_>, command: &Command, origin: Origin<'_>) -> Executed {
        self.execute_change(context, command, origin, None)
    }

    /// Moves a cursor over a page for a request that shows it.
    ///
    /// The result is [`CommandError::CursorMoved`] if another connection moved the cursor first, or sent the same request
    /// again and was faster: that page is to be shown then.
    pub(crate) fn execute_read(
        &self,
        context: &Context<'_>,
        command: &Command,
        origin: Origin<'_>,
        page: ReadPage,
    ) -> Executed {
        self.execute_change(context, command, origin, Some(page))
    }

    pub(super) fn execute_change(
        &self,
        context: &Context<'_>,
        command: &Command,
        origin: Origin<'_>,
        page: Option<ReadPage>,
    ) -> Executed {
        let shared = &*self.0;
        let key = origin.key;
        let state = loop {
            if shared.is_led_elsewhere(origin)
                && let Some(forwarded) = self.forward(context, command, origin, page.as_ref())
            {
                return forwarded;
            }
            let state = shared.write_state();
            // A term may have ended while this waited for the lock.
            if !shared.is_led_elsewhere(origin) {
                break state;
            }
        };
        // The time never goes back along the log, whatever the clock does.
        let (now, paced) = (context.now.max(state.time()), context.now.paced());
        let context = Context { now, paced, inboxes: Some(&shared.inboxes), ..*context };
        let decision = match shared.decide(&state, &context, command, key) {
            Ok(Decision::DoneBefore(_)) if page.is_some() => Err(CommandError::CursorMoved),
            decision => decision,
        };
        let respond = |state: &State, receipt| Ok(response(state, &context, command, receipt));
        let mut events = match decision {
            Ok(Decision::Unchanged(receipt)) if key.is_none() => {
                let result = respond(&state, receipt);
                let outcome = Outcome::Unchanged(receipt);
                return Executed { outcome, ..Executed::unchanged(result, shared.newest_ticket()) };
            }
            Ok(Decision::DoneBefore(done)) => {
                let delivery = shared.earlier_delivery(&state, command, &done, origin);
                let result = match (&done.page, command) {
                    (Some(page), Command::Acknowledge { .. }) => Ok(Response::Acknowledged(page.upto)),
                    _ => respond(&state, done.receipt),
                };
                let outcome = Outcome::DoneBefore;
                return Executed { delivery, outcome, ..Executed::unchanged(result, shared.newest_ticket()) };
            }
            // Remembered all the same: it must not change anything when it is repeated.
            Ok(Decision::Unchanged(_)) => Vec::new(),
            Ok(Decision::Events(events)) => events,
            Err(error) => return Executed::unchanged(Err(error), shared.newest_ticket()),
        };
        let receipt = Receipt { seq: state.head().next(), time: context.now };
        if let Some(key) = key {
            let page = page.or_else(|| acknowledged(&state, &context, command, &events)).map(Box::new);
            events.push(Event::RequestDone { key: *key, first: receipt.seq, page });
        }
        let Origin { send_queue, forward, .. } = origin;
        let change = Change { by: context.user, send_queue, session_end: command.session_end(), forward };
        shared.append(state, events, receipt, change, |state| respond(state, receipt))
    }
}

/// Where an acknowledgement leaves the cursor: its reply, also when the cursor has moved on.
fn acknowledged(state: &State, context: &Context<'_>, command: &Command, events: &[Event]) -> Option<ReadPage> {
    let Command::Acknowledge { .. } = command else { return None };
    let upto = match events {
        [Event::InboxRead { upto, .. }] => *upto,
        _ => state.user(context.user?)?.cursor,
    };
    Some(ReadPage { after: upto, upto, read_ranges: Vec::new(), more: false })
}

/// The origin of all events of a command.
#[derive(Clone, Copy)]
pub(super) struct Change<'a> {
    pub(super) by: Option<UserId>,
    /// Of the connection that it came from.
    pub(super) send_queue: Option<&'a Arc<SendQueue>>,
    /// Why the sessions end that it ends.
    pub(super) session_end: SessionEnd,
    pub(super) forward: Option<ForwardId>,
}

enum Decision {
    /// Nothing is to change.
    Unchanged(Receipt),
    /// The request was done before under its tag.
    DoneBefore(CompletedRequest),
    Events(Vec<Event>),
}

impl Shared {
    fn decide(
        &self,
        state: &State,
        context: &Context<'_>,
        command: &Command,
        key: Option<&IdempotencyKey>,
    ) -> Result<Decision, CommandError> {
        if let Some(error) = self.poisoned()
            && !matches!(command, Command::BeginEpoch { .. })
        {
            return Err(error);
        }
        if self.is_misplaced.load(Ordering::Relaxed) {
            return Err(CommandError::StorageFailed);
        }
        if let Some(key) = key
            && let Some(done) = state.completed_request(key, context.paced)?
        {
            return Ok(Decision::DoneBefore(done.clone()));
        }
        if self.is_disk_low.load(Ordering::Relaxed) && command.takes_room() {
            return Err(CommandError::DiskReserve);
        }
        let events = decide(state, context, command)?;
        if events.is_empty() {
            return Ok(Decision::Unchanged(Receipt { seq: state.head(), time: context.now }));
        }
        Ok(Decision::Events(events))
    }

    /// Applies events and adds them to the pending batch.
    fn append(
        &self,
        mut state: RwLockWriteGuard<'_, State>,
        events: Vec<Event>,
        receipt: Receipt,
        change: Change<'_>,
        respond: impl FnOnce(&State) -> Result<Response, CommandError>,
    ) -> Executed {
        let mut pending = self.pending();
        let (is_first, pushes) = (pending.records.is_empty(), pending.pushes.len());
        let (mut delivery, mut is_remote) = (None, false);
        for event in events {
            let record = Record { seq: state.head().next(), time: receipt.time, event };
            // The sender waits from here on: no acknowledgement of the message can come before.
            let remote = remote_realm(&record.event);
            is_remote |= remote.is_some();
            if let (Some(realm), Some(asker)) = (remote, self.asker(change.send_queue, change.forward)) {
                delivery = Some(self.wait_for(realm, record.seq, &asker));
            }
            self.apply(&mut state, &mut pending, record, change);
        }
        let Change { forward, session_end, .. } = change;
        pending.commands.push(CommandMark { last: state.head(), forward, session_end });
        let receivers = pending.pushes.iter().skip(pushes).map(|push| push.audience.members()).sum();
        let ticket = Ticket(pending.ticket);
        self.issued.store(ticket.0, Ordering::Release);
        let result = respond(&state);
        if let Some(own) = forward.filter(|forward| forward.process == self.forwards.process) {
            let mut outcome = result.clone();
            outcome.iter_mut().for_each(|response| mark_queued(response, is_remote));
            pending.to_tell.push(ToTell::at_once(own.number, outcome));
        }
        let is_awaited = is_first || pending.commands.len() == pending.wanted;
        drop(pending);
        drop(state);
        if is_awaited {
            self.work.notify_one();
        }
        Executed { result, ticket, delivery, receivers, forward: None, outcome: Outcome::Changed }
    }

    /// Applies a record to the state, and adds it to the pending batch with its pushes.
    pub(super) fn apply(&self, state: &mut State, pending: &mut Batch, record: Record, change: Change<'_>) {
        if let Event::SessionClosed { session } = record.event {
            pending.push_session_end(state, session, change);
        }
        let before = if record.event.removes_recipients() { state.notifications(&record.event) } else { Vec::new() };
        state.apply(&record);
        self.count_unread(state, &record);
        if let Event::Banned { .. } | Event::RealmRemoved { .. } = record.event {
            self.restricted.notify_one();
        }
        let notifications = if record.event.removes_recipients() { before } else { state.notifications(&record.event) };
        pending.push_notifications(notifications, change);
        pending.push_record(record, state, change);
    }

    /// Counts a message in the inbox that it is put into.
    fn count_unread(&self, state: &State, record: &Record) {
        match &record.event {
            Event::MessageSent(message) => {
                let Destination::User(to) = &message.to else { return };
                let Some(sender) = message.from.user_ref() else { return };
                if let Some(recipient) = state.user(*to) {
                    self.uncounted.want(*to, recipient.cursor);
                    self.inboxes.record((*to, recipient), sender, record.seq, message.body.size());
                }
            }
            Event::UserBlocked { user, blocked } => {
                blocked.user_ref().iter().for_each(|blocked| self.inboxes.forget(*user, blocked));
            }
            _ => {}
        }
    }

    /// The delivery status of a message to another realm that was sent before under the same tag.
    fn earlier_delivery(
        &self,
        state: &State,
        command: &Command,
        done: &CompletedRequest,
        origin: Origin<'_>,
    ) -> Option<Arc<DeliveryHandle>> {
        let (Command::SendDirect { to, .. } | Command::SendGroup { to, .. }) = command else { return None };
        let (realm, known) = state.realm_named(to.realm.as_ref()?)?;
        let peer = known.peer()?;
        let message = done.receipt.seq;
        Some(match (done.refused, self.asker(origin.send_queue, origin.forward)) {
            (Some(why), _) => Arc::new(DeliveryHandle::settled(DeliveryStatus::Refused(why))),
            (None, _) if message <= peer.cursor => Arc::new(DeliveryHandle::settled(DeliveryStatus::Delivered)),
            (None, Some(asker)) => self.wait_for(realm, message, &asker),
            (None, None) => return None,
        })
    }

    /// Who is told what becomes of a message: its connection, or the node that has forwarded it, if that is another one.
    fn asker(&self, send_queue: Option<&Arc<SendQueue>>, forward: Option<ForwardId>) -> Option<Asker> {
        let node = forward.filter(|forward| forward.process != self.forwards.process);
        send_queue.cloned().map(Asker::Connection).or(node.map(Asker::Node))
    }
}

/// The other realm that a message is for.
pub(super) fn remote_realm(event: &Event) -> Option<RealmId> {
    let Event::MessageSent(message) = event else { return None };
    message.to.remote_realm()
}

impl Batch {
    fn push_notifications(&mut self, notifications: Vec<(Notification, Audience)>, change: Change<'_>) {
        self.pushes.extend(notifications.into_iter().map(|(notification, audience)| Push {
            what: Payload::Notification(notification),
            audience,
            blocked_by: None,
            by: change.by,
            origin: change.send_queue.cloned(),
        }));
    }

    fn push_session_end(&mut self, state: &State, session: SessionId, change: Change<'_>) {
        let end = change.session_end;
        let Some(user) = state.session(session).map(|open| open.user) else { return };
        let Some(name) = state.user(user).map(|user| user.name.clone()) else { return };
        self.pushes.push(Push {
            what: Payload::SessionEnded(EndedSession { session, user, name, end }),
            audience: Audience::Pair(user, user),
            blocked_by: None,
            by: change.by,
            origin: change.send_queue.cloned(),
        });
    }

    fn push_record(&mut self, record: Record, state: &State, change: Change<'_>) {
        if let Event::MessageSent(message) = &record.event {
            self.bytes += message.body.size();
            self.pushes.push(Push {
                what: Payload::Message(self.records.len()),
                audience: state.audience(message),
                blocked_by: state.recipients_blocking(message),
                by: change.by,
                origin: change.send_queue.cloned(),
            });
        }
        self.records.push(record);
    }
}
