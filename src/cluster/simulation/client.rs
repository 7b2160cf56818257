//! A simulated client: it sends one message after the other to whatever node. If it uses tags, it sends one again until it is
//! acknowledged; else it goes on with the next one when nobody can tell it what became of the last.

use crate::chat::{Command, CommandError, Context, IdempotencyKey};
use crate::cluster::simulation::node::Process;
use crate::hub::{CommitStatus, Executed, Hub, Origin};
use crate::id::{Hash64, UserId};
use crate::time::Time;

pub(super) struct Client {
    user: UserId,
    uses_tags: bool,
    /// The numbers of the messages that were acknowledged, in order.
    acknowledged: Vec<u64>,
    /// The numbers of messages that were refused: they are nowhere.
    refused: Vec<u64>,
    next: u64,
    in_flight: Option<InFlight>,
}

/// Messages that were sent to a node at once.
struct InFlight {
    hub: Hub,
    sent: Vec<(u64, Executed)>,
}

impl Client {
    pub(super) fn new(user: u64) -> Self {
        let uses_tags = user.is_multiple_of(2);
        let user = UserId(user);
        Self { user, uses_tags, acknowledged: Vec::new(), refused: Vec::new(), next: 0, in_flight: None }
    }

    /// Sends the next messages to a node, if all before have an outcome, without waiting for a reply in between.
    pub(super) fn send(&mut self, process: &Process, count: u64) {
        if self.in_flight.is_some() {
            return;
        }
        let sent = (self.next..self.next + count).map(|number| {
            let key = IdempotencyKey { user: self.user, tag: Hash64(number), request: Hash64(number) };
            let origin = Origin::new(None, self.uses_tags.then_some(&key));
            let command = Command::Broadcast { text: text(self.user, number).as_str().into() };
            let context = Context::on_behalf_of(self.user, Time::now());
            (number, process.hub.execute_for(&context, &command, origin))
        });
        self.in_flight = Some(InFlight { sent: sent.collect(), hub: process.hub.clone() });
    }

    /// Reads the replies, if all are there.
    pub(super) fn read(&mut self) {
        let Some(InFlight { hub, sent }) = &self.in_flight else { return };
        let outcomes: Option<Vec<_>> =
            sent.iter().map(|(number, executed)| Some((*number, outcome(hub, executed)?))).collect();
        let Some(outcomes) = outcomes else { return };
        self.in_flight = None;
        for (number, outcome) in outcomes {
            match outcome {
                Ok(()) => self.acknowledged.push(number),
                // Sent again with what follows.
                Err(_) if self.uses_tags => return,
                Err(CommandError::UnknownOutcome) => {}
                Err(_) => self.refused.push(number),
            }
            self.next = number + 1;
        }
    }

    /// The node is gone, and with it the connection.
    pub(super) fn disconnect(&mut self) {
        let Some(InFlight { sent, .. }) = self.in_flight.take() else { return };
        if !self.uses_tags {
            self.next += sent.len() as u64;
        }
    }

    /// Whether it is connected to the node of a hub.
    pub(super) fn is_connected_to(&self, process: &Process) -> bool {
        self.in_flight.as_ref().is_some_and(|in_flight| in_flight.hub.process() == process.hub.process())
    }

    /// Whether nothing is in flight.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight.is_none()
    }

    /// Checks that the acknowledged messages are in the log once and in order, and the refused ones are not.
    pub(super) fn check(&self, texts: &[String]) {
        let number = |text: &String| {
            let (user, number) = text.split_once(' ')?;
            (user == self.user.to_string()).then(|| number.parse::<u64>().unwrap())
        };
        let found: Vec<u64> = texts.iter().filter_map(number).collect();
        assert!(found.is_sorted_by(|one, next| one < next), "out of order, or twice: {found:?}");
        let is_there = |number: &u64| found.binary_search(number).is_ok();
        assert!(self.acknowledged.iter().all(is_there), "an acknowledged message is lost");
        assert!(!self.refused.iter().any(is_there), "a refused message is there");
    }
}

/// The outcome of a request, if its reply may leave.
fn outcome(hub: &Hub, executed: &Executed) -> Option<Result<(), CommandError>> {
    if executed.forward.is_some() {
        return Hub::outcome_of(executed).map(|outcome| outcome.map(drop));
    }
    if let Err(error) = &executed.result {
        return Some(Err(*error));
    }
    match hub.commit_status(executed.ticket) {
        CommitStatus::Pending => None,
        CommitStatus::Durable => Some(Ok(())),
        CommitStatus::Failed(error) => Some(Err(error)),
    }
}

fn text(user: UserId, number: u64) -> String {
    format!("{user} {number}")
}
