//! Changes: decided and applied on the thread that brings them, in one order.

use std::sync::Arc;
use std::sync::RwLockWriteGuard;
use std::sync::atomic::Ordering;

use crate::chat::{
    Audience, Command, CommandError, CompletedRequest, Event, IdempotencyKey, Notification, ReadPage, Receipt, Record,
    State, decide, remember,
};
use crate::hub::batch::{Batch, Payload, Push};
use crate::hub::delivery_status::{DeliveryHandle, DeliveryStatus};
use crate::hub::send_queue::SendQueue;
use crate::hub::shared::{Hub, Shared};
use crate::hub::tickets::Ticket;
use crate::id::{RealmId, SessionId, UserId};
use crate::time::Time;

/// What came of a command.
#[derive(Clone, Debug)]
pub struct Executed {
    /// The receipt, or why not.
    pub(crate) result: Result<Receipt, CommandError>,
    /// When that may be told.
    pub(crate) ticket: Ticket,
    /// What becomes of the message at its realm, where it is for another one.
    pub(crate) delivery: Option<Arc<DeliveryHandle>>,
}

impl Hub {
    /// Decides a command and applies what it comes to. `origin` is the connection that brings it.
    pub(crate) fn execute(&self, command: &Command, origin: Option<&Arc<SendQueue>>) -> Executed {
        self.execute_once(command, origin, None, None)
    }

    /// Does the same, but where the request was done before under its tag, only gives the receipt of then. `page` is
    /// what a reading request shows.
    pub(crate) fn execute_once(
        &self,
        command: &Command,
        origin: Option<&Arc<SendQueue>>,
        once: Option<&IdempotencyKey>,
        page: Option<ReadPage>,
    ) -> Executed {
        let shared = &*self.0;
        let state = shared.write_state();
        let now = Time::now().max(state.time());
        let mut decided = shared.decide(&state, now, command, once);
        if page.is_some() && matches!(decided, Ok(Decision::Before(_))) {
            // The same request, sent again, was faster: this one is to show that page and not its own.
            decided = Err(CommandError::CursorMoved);
        }
        match decided {
            Ok(Decision::Nothing(receipt)) => {
                Executed { result: Ok(receipt), ticket: shared.newest_ticket(), delivery: None }
            }
            Ok(Decision::Before(done)) => {
                let delivery = shared.earlier_delivery(&state, command, &done, origin);
                Executed { result: Ok(done.receipt), ticket: shared.newest_ticket(), delivery }
            }
            Ok(Decision::Events(mut events)) => {
                let receipt = Receipt { seq: state.head().next(), time: now };
                events.extend(once.map(|once| remember(*once, receipt.seq, page)));
                let taken = shared.append(state, events, now, origin);
                for (user, session) in taken.closed {
                    self.detach_session(user, session);
                }
                Executed { result: Ok(receipt), ticket: taken.ticket, delivery: taken.delivery }
            }
            Err(error) => Executed { result: Err(error), ticket: shared.newest_ticket(), delivery: None },
        }
    }
}

/// What came of taking events in.
struct Appended {
    /// Of the batch that they are in.
    ticket: Ticket,
    /// Sessions that they closed: no connection is bound to them any more.
    closed: Vec<(UserId, SessionId)>,
    /// Of the message to another realm that is among them.
    delivery: Option<Arc<DeliveryHandle>>,
}

/// What a command comes to.
enum Decision {
    /// Nothing is to change.
    Nothing(Receipt),
    /// It was changed before, under the request's tag.
    Before(CompletedRequest),
    Events(Vec<Event>),
}

impl Shared {
    fn decide(
        &self,
        state: &State,
        now: Time,
        command: &Command,
        once: Option<&IdempotencyKey>,
    ) -> Result<Decision, CommandError> {
        if let Some(error) = self.poisoned() {
            return Err(error);
        }
        if let Some(once) = once
            && let Some(done) = state.done_before(once, now)?
        {
            return Ok(Decision::Before(done.clone()));
        }
        let events = decide(state, now, command)?;
        if events.is_empty() {
            return Ok(Decision::Nothing(Receipt { seq: state.head(), time: now }));
        }
        Ok(Decision::Events(events))
    }

    /// Applies events and adds them to the pending batch.
    fn append(
        &self,
        mut state: RwLockWriteGuard<'_, State>,
        events: Vec<Event>,
        now: Time,
        origin: Option<&Arc<SendQueue>>,
    ) -> Appended {
        let mut pending = self.pending();
        let is_first = pending.records.is_empty();
        let mut closed = Vec::new();
        let mut delivery = None;
        for event in events {
            if let Event::SessionClosed { session } = event {
                closed.extend(state.session(session).map(|open| (open.user, session)));
            }
            let of_leaving = if event.removes_recipients() { state.notification(&event) } else { None };
            let record = Record { seq: state.head().next(), time: now, event };
            state.apply(&record);
            // Whoever sends to another realm waits from here on: nothing can be heard of the message before.
            if let (Some(realm), Some(origin)) = (remote_realm(&record.event), origin) {
                delivery = Some(self.wait_for(realm, record.seq, origin));
            }
            pending.push_notification(of_leaving.or_else(|| state.notification(&record.event)), origin);
            pending.push_record(record, &state, origin);
        }
        let ticket = Ticket(pending.ticket);
        self.issued.store(ticket.0, Ordering::Release);
        drop(pending);
        drop(state);
        if is_first {
            self.work.notify_one();
        }
        Appended { ticket, closed, delivery }
    }

    /// What became, or becomes, of a message to another realm that was sent before under the same tag.
    fn earlier_delivery(
        &self,
        state: &State,
        command: &Command,
        done: &CompletedRequest,
        origin: Option<&Arc<SendQueue>>,
    ) -> Option<Arc<DeliveryHandle>> {
        let (Command::SendDirect { to, .. } | Command::SendGroup { to, .. }) = command else { return None };
        let (realm, known) = state.realm_named(to.realm.as_ref()?)?;
        let link = known.peer()?;
        let message = done.receipt.seq;
        Some(match (done.refused, origin) {
            (Some(why), _) => Arc::new(DeliveryHandle::settled(DeliveryStatus::Refused(why))),
            (None, _) if message <= link.cursor => Arc::new(DeliveryHandle::settled(DeliveryStatus::Delivered)),
            (None, Some(origin)) => self.wait_for(realm, message, origin),
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
    fn push_notification(&mut self, notification: Option<(Notification, Audience)>, origin: Option<&Arc<SendQueue>>) {
        self.pushes.extend(notification.map(|(notification, audience)| Push {
            what: Payload::Notification(notification),
            audience,
            blocked_by: None,
            origin: origin.cloned(),
        }));
    }

    fn push_record(&mut self, record: Record, state: &State, origin: Option<&Arc<SendQueue>>) {
        if let Event::MessageSent(message) = &record.event {
            self.bytes += message.body.0.len();
            self.pushes.push(Push {
                what: Payload::Message(self.records.len()),
                audience: state.audience(message),
                blocked_by: state.recipients_blocking(message),
                origin: origin.cloned(),
            });
        }
        self.records.push(record);
    }
}
