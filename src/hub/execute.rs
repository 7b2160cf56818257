//! Changes: decided and applied on the thread that brings them, in one order.

use std::sync::Arc;
use std::sync::RwLockWriteGuard;
use std::sync::atomic::Ordering;

use crate::chat::{
    Audience, Command, CommandError, CompletedRequest, Context, Destination, Event, IdempotencyKey, Notification,
    ReadPage, Receipt, Record, Response, SessionEnd, State, decide, response,
};
use crate::hub::batch::{Batch, EndedSession, Payload, Push};
use crate::hub::delivery_status::{DeliveryHandle, DeliveryStatus};
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
}

impl Executed {
    /// A result that nothing was changed for.
    pub(crate) fn unchanged(result: Result<Response, CommandError>, ticket: Ticket) -> Self {
        Self { result, ticket, delivery: None, receivers: 0 }
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

    fn execute_change(
        &self,
        context: &Context<'_>,
        command: &Command,
        origin: Origin<'_>,
        page: Option<ReadPage>,
    ) -> Executed {
        let shared = &*self.0;
        let key = origin.key;
        let state = shared.write_state();
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
                return Executed::unchanged(result, shared.newest_ticket());
            }
            Ok(Decision::DoneBefore(done)) => {
                let delivery = shared.earlier_delivery(&state, command, &done, origin);
                let result = match (&done.page, command) {
                    (Some(page), Command::Acknowledge { .. }) => Ok(Response::Acknowledged(page.upto)),
                    _ => respond(&state, done.receipt),
                };
                return Executed { delivery, ..Executed::unchanged(result, shared.newest_ticket()) };
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
        let change = Change { by: context.user, send_queue: origin.send_queue, session_end: command.session_end() };
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
struct Change<'a> {
    by: Option<UserId>,
    /// Of the connection that it came from.
    send_queue: Option<&'a Arc<SendQueue>>,
    /// Why the sessions end that it ends.
    session_end: SessionEnd,
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
        let mut delivery = None;
        for event in events {
            if let Event::SessionClosed { session } = event {
                pending.push_session_end(&state, session, change);
            }
            let before = if event.removes_recipients() { state.notifications(&event) } else { Vec::new() };
            let record = Record { seq: state.head().next(), time: receipt.time, event };
            state.apply(&record);
            self.count_unread(&state, &record);
            // The sender waits from here on: no acknowledgement of the message can come before.
            if let (Some(realm), Some(send_queue)) = (remote_realm(&record.event), change.send_queue) {
                delivery = Some(self.wait_for(realm, record.seq, send_queue));
            }
            let notifications =
                if record.event.removes_recipients() { before } else { state.notifications(&record.event) };
            pending.push_notifications(notifications, change);
            pending.push_record(record, &state, change);
        }
        let end = pending.records.len();
        pending.command_ends.push(end);
        let receivers = pending.pushes.iter().skip(pushes).map(|push| push.audience.members()).sum();
        let ticket = Ticket(pending.ticket);
        self.issued.store(ticket.0, Ordering::Release);
        drop(pending);
        let result = respond(&state);
        drop(state);
        if is_first {
            self.work.notify_one();
        }
        Executed { result, ticket, delivery, receivers }
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
        Some(match (done.refused, origin.send_queue) {
            (Some(why), _) => Arc::new(DeliveryHandle::settled(DeliveryStatus::Refused(why))),
            (None, _) if message <= peer.cursor => Arc::new(DeliveryHandle::settled(DeliveryStatus::Delivered)),
            (None, Some(send_queue)) => self.wait_for(realm, message, send_queue),
            (None, None) => return None,
        })
    }
}

/// The other realm that a message is for.
fn remote_realm(event: &Event) -> Option<RealmId> {
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
