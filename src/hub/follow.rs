//! A node that follows: it forwards the commands of its clients to the leader, and takes over what the log has.

use std::sync::Arc;
use std::time::Instant;

use crate::chat::{
    Command, CommandError, CommandMark, Context, ForwardId, Policy, ReadPage, Receipt, Record, Response, State,
    response,
};
use crate::hub::delivery_status::DeliveryHandle;
#[cfg(all(test, not(feature = "loom")))]
use crate::hub::delivery_status::DeliveryStatus;
use crate::hub::epoch::new_epoch;
use crate::hub::execute::{Change, Executed, Origin, Outcome, remote_realm};
use crate::hub::forward::{ToTell, Told};
use crate::hub::forwarded_command::{ForwardAnswer, ForwardedCommand, UnchangedOutcome};
use crate::hub::send_queue::SendQueue;
use crate::hub::shared::{Hub, Shared};
use crate::hub::tickets::Ticket;
use crate::id::Seq;
use crate::time::Time;

impl Hub {
    /// Forwards commands to a leader from now on, as a node of a cluster.
    pub(crate) fn follow(&self) {
        let state = self.0.write_state();
        self.0.forwards.begin_following();
        drop(state);
    }

    /// Whether this is a node of a cluster.
    #[must_use]
    pub(crate) fn is_of_cluster(&self) -> bool {
        self.0.forwards.contact.is_needed()
    }

    /// Sets what users may do whose commands are forwarded to this node.
    pub(crate) fn set_policy(&self, policy: Policy) {
        self.0.policy.store(Arc::new(policy));
    }

    /// Whether commands are forwarded, and so what a connection did may not be in this node's state yet.
    #[must_use]
    pub(crate) fn is_following(&self) -> bool {
        self.0.forwards.is_following()
    }

    /// Forwards a command: it is told once this node has the log up to what it did. `None` if this node leads by now.
    pub(super) fn forward(
        &self,
        context: &Context<'_>,
        command: &Command,
        origin: Origin<'_>,
        page: Option<&ReadPage>,
    ) -> Option<Executed> {
        if origin.forward.is_some() || command.is_of_links() {
            // Only a leader has links, and nothing is forwarded twice.
            return Some(Executed::unchanged(Err(CommandError::Unavailable), Ticket::NONE));
        }
        let forwarded = ForwardedCommand {
            number: 0,
            user: context.user,
            session: context.session,
            recipient_online: context.recipient_online,
            key: origin.key.copied(),
            page: page.cloned(),
            command: command.clone(),
        };
        Some(match self.0.forwards.add(forwarded, origin.send_queue)? {
            Ok(forward) => {
                let result = Ok(placeholder(command, context.now));
                Executed { forward: Some(forward), ..Executed::unchanged(result, Ticket::NONE) }
            }
            Err(error) => Executed::unchanged(Err(error), Ticket::NONE),
        })
    }

    /// As the leader: decides a command that a process of another node has forwarded, once in a term. Returns the answer; if
    /// the command changed something, or this node leads no more, the log is the answer. A server that is to be dialled first
    /// is answered for later.
    pub(crate) fn execute_forwarded(&self, process: u64, forwarded: ForwardedCommand) -> Option<ForwardAnswer> {
        let number = forwarded.number;
        let forward = ForwardId { process, number };
        let outcome = match self.0.forwards.is_first(process, number) {
            true if forwarded.command.needs_dial() => self.0.begin_dial(forward, forwarded)?,
            true => self.decide_forwarded(forward, forwarded, false)?,
            false if self.0.dials.is_running(forward) => return None,
            false => UnchangedOutcome::Repeated,
        };
        let (at, _) = self.read(State::head);
        (!self.is_following()).then_some(ForwardAnswer { number, outcome, at })
    }

    /// Decides a forwarded command. `None` if it changed something.
    fn decide_forwarded(
        &self,
        forward: ForwardId,
        forwarded: ForwardedCommand,
        is_of_new_leader: bool,
    ) -> Option<UnchangedOutcome> {
        let ForwardedCommand { user, session, recipient_online, key, page, command, .. } = forwarded;
        let policy = self.0.policy.load();
        let context = Context { user, session, recipient_online, policy: &policy, ..Context::server(Time::now()) };
        let origin = Origin { send_queue: None, key: key.as_ref(), forward: Some(forward), is_of_new_leader };
        let Executed { result, outcome, .. } = self.execute_change(&context, &command, origin, page);
        match (result, outcome) {
            (Err(error), _) => Some(UnchangedOutcome::Failed(error)),
            (Ok(_), Outcome::Unchanged(receipt)) => Some(UnchangedOutcome::Unchanged(receipt)),
            (Ok(_), Outcome::DoneBefore) => Some(UnchangedOutcome::DoneBefore),
            (Ok(_), Outcome::Changed | Outcome::None) => None,
        }
    }

    /// About to lead: begins the epoch of this term, which must be durable before any client or other server is told a number.
    pub(super) fn begin_epoch_of_term(&self) -> Result<(), CommandError> {
        self.forget_links();
        self.0.dials.begin_term();
        self.0.forwards.begin_term();
        let origin = Origin { is_of_new_leader: true, ..Origin::default() };
        let command = Command::BeginEpoch { epoch: new_epoch(Time::now()) };
        self.execute_change(&Context::server(Time::now()), &command, origin, None).result.map(drop)
    }

    /// About to lead: decides the commands that clients of this node have forwarded, and from then on all others.
    pub(super) fn decide_own_forwards(&self) {
        let forwards = &self.0.forwards;
        loop {
            while let Some(forwarded) = forwards.next_unsent() {
                let number = forwarded.number;
                let forward = ForwardId { process: forwards.process, number };
                if let Some(outcome) = self.decide_forwarded(forward, forwarded, true) {
                    let (at, _) = self.read(State::head);
                    self.note_answer(ForwardAnswer { number, outcome, at });
                }
            }
            if forwards.end_following() {
                return;
            }
        }
    }

    /// Notes what the leader has answered. The thread of the node tells it.
    pub(crate) fn note_answer(&self, answer: ForwardAnswer) {
        self.0.forwards.note_answer(answer);
    }

    /// This process, as the log names it.
    #[must_use]
    pub(crate) fn process(&self) -> u64 {
        self.0.forwards.process
    }

    /// A channel to a leader begins.
    pub(crate) fn begin_forwarding(&self) {
        self.0.forwards.begin_sending();
    }

    /// The cluster has given word that this node is part of it: the node may serve until a time.
    pub(crate) fn note_contact(&self, until: Instant) {
        self.0.forwards.contact.extend(until);
    }

    /// Whether this node has not heard from its cluster for too long to answer for it.
    #[must_use]
    pub(crate) fn is_cut_off(&self) -> bool {
        self.0.forwards.contact.is_lost(Instant::now())
    }

    /// The outcome of a forwarded command, once it is told.
    #[cfg(test)]
    pub(crate) fn outcome_of(executed: &Executed) -> Option<Result<Response, CommandError>> {
        executed.forward.as_ref()?.outcome().map(|told| told.outcome.clone())
    }

    /// What is known of the delivery of a message to another realm that was forwarded, once the log has it.
    #[cfg(all(test, not(feature = "loom")))]
    pub(crate) fn delivery_of(executed: &Executed) -> Option<DeliveryStatus> {
        Some(executed.forward.as_ref()?.outcome()?.delivery.as_ref()?.get())
    }

    /// The next command to send to the leader, in order.
    pub(crate) fn next_forward(&self) -> Option<ForwardedCommand> {
        self.0.forwards.next_unsent()
    }

    /// Waits until there may be a command to send.
    pub(crate) async fn wait_for_forward(&self) {
        self.0.forwards.wait_unsent().await;
    }
}

/// A reply has this beside the outcome.
fn placeholder(command: &Command, now: Time) -> Response {
    match command {
        Command::SendDirect { .. } | Command::SendGroup { .. } | Command::Broadcast { .. } | Command::Wall { .. } => {
            Response::Sent { receipt: Receipt { seq: Seq(0), time: now }, to: None, delivered: None }
        }
        _ => Response::Done,
    }
}

impl Shared {
    /// Whether another node decides commands of this origin.
    pub(super) fn is_led_elsewhere(&self, origin: Origin<'_>) -> bool {
        self.forwards.is_following() && !origin.is_of_new_leader
    }

    /// Applies records of the shared log, and adds them to the pending batch with their pushes.
    pub(super) fn append_followed(&self, records: Vec<Record>, commands: &[CommandMark]) {
        let mut state = self.write_state();
        let mut pending = self.pending();
        let mut records = records.into_iter().peekable();
        for command in commands {
            let own = command.forward.filter(|forward| forward.process == self.forwards.process);
            let own = own.and_then(|own| Some((own.number, self.forwards.find(own.number)?)));
            let (by, send_queue) = match &own {
                Some((_, (forwarded, send_queue))) => (forwarded.user, send_queue.as_ref()),
                None => (None, None),
            };
            let change = Change { by, send_queue, session_end: command.session_end, forward: command.forward };
            let (mut receipt, mut remote) = (None, None);
            while let Some(record) = records.next_if(|record| record.seq <= command.last) {
                receipt.get_or_insert(Receipt { seq: record.seq, time: record.time });
                remote = remote.or(remote_realm(&record.event).map(|realm| (realm, record.seq)));
                self.apply(&mut state, &mut pending, record, change);
            }
            pending.commands.push(*command);
            if let (Some((number, (forwarded, _))), Some(receipt)) = (own, receipt) {
                // From here on the records that follow are looked at for what became of the message.
                let delivery = remote.map(|(realm, message)| self.forwards.await_delivery(number, realm, message));
                let outcome = Ok(respond(&state, &forwarded, receipt));
                pending.to_tell.push(ToTell { number, outcome, delivery });
            }
        }
        self.issued.store(pending.ticket, std::sync::atomic::Ordering::Release);
    }

    /// Tells outcomes, and has the replies leave whose pushes have.
    pub(super) fn tell(&self, ticket: Ticket, outcomes: Vec<ToTell>) {
        let told = self.note_told(ticket, outcomes);
        told.iter().for_each(|send_queue| self.waiters.send_replies(send_queue));
    }

    /// Tells the outcomes of a batch that is durable. Returns the connections whose replies are to be sent, each once: one
    /// write for all replies of a connection.
    pub(super) fn note_told(&self, ticket: Ticket, outcomes: Vec<ToTell>) -> Vec<Arc<SendQueue>> {
        if outcomes.is_empty() {
            return Vec::new();
        }
        let mut told = Vec::new();
        for ToTell { number, outcome, delivery } in outcomes {
            let Some((forward, send_queue)) = self.forwards.take(number) else { continue };
            forward.tell(Told { ticket, outcome, delivery });
            told.extend(send_queue);
        }
        self.capacity.notify_waiters();
        told.sort_unstable_by_key(Arc::as_ptr);
        told.dedup_by(|one, other| Arc::ptr_eq(one, other));
        told
    }

    /// Tells what the leader has answered to commands that changed nothing, up to where this node has the log and has pushed
    /// it; and the end of their patience to those who waited too long.
    pub(super) fn tell_answers(&self) {
        let upto = self.presence().delivered;
        let mut answered = Vec::new();
        while let Some((number, outcome)) = self.forwards.next_answer(upto) {
            let Some((forwarded, _)) = self.forwards.find(number) else { continue };
            let told = self.unchanged_outcome(&forwarded, outcome);
            let (outcome, delivery) = told.map_or_else(|error| (Err(error), None), |(done, its)| (Ok(done), its));
            answered.push(ToTell { number, outcome, delivery });
        }
        self.tell(Ticket::NONE, answered);
        let now = Instant::now();
        let late = self.forwards.late(now);
        self.tell(Ticket::NONE, late.into_iter().map(|(number, error)| ToTell::at_once(number, Err(error))).collect());
        self.expire_deliveries(now);
    }

    fn unchanged_outcome(
        &self,
        forwarded: &ForwardedCommand,
        outcome: UnchangedOutcome,
    ) -> Result<(Response, Option<Arc<DeliveryHandle>>), CommandError> {
        let state = self.read_state();
        match outcome {
            UnchangedOutcome::Failed(error) => Err(error),
            UnchangedOutcome::Repeated => Err(CommandError::Unavailable),
            UnchangedOutcome::Unchanged(receipt) => Ok((respond(&state, forwarded, receipt), None)),
            UnchangedOutcome::DoneBefore => {
                let key = forwarded.key.as_ref().ok_or(CommandError::Unavailable)?;
                let done = state.completed_request(key, Time::now().paced())?.ok_or(CommandError::Unavailable)?;
                if let (Some(page), Command::Acknowledge { .. }) = (&done.page, &forwarded.command) {
                    return Ok((Response::Acknowledged(page.upto), None));
                }
                let request = (forwarded.number, &forwarded.command);
                let delivery = self.earlier_forwarded_delivery(&state, request, done)?;
                Ok((respond(&state, forwarded, done.receipt), delivery))
            }
        }
    }
}

/// The response as the leader would give it.
fn respond(state: &State, forwarded: &ForwardedCommand, receipt: Receipt) -> Response {
    let context = Context { user: forwarded.user, session: forwarded.session, ..Context::server(receipt.time) };
    response(state, &context, &forwarded.command, receipt)
}
