//! Commands that this node of a cluster has forwarded to the leader, until their outcome is told.
//!
//! The log is the answer: a command that changed something stands in it with its number, and is told once this node has its
//! records. Only what changed nothing is answered. So a command is neither lost nor done twice, whichever nodes die.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;
use uuid::Uuid;

use crate::chat::{CommandError, Record};
use crate::hub::awaited_deliveries::{AwaitedDeliveries, AwaitedDelivery, Settled};
use crate::hub::contact::Contact;
use crate::hub::delivery_status::{DeliveryHandle, DeliveryStatus};
use crate::hub::elsewhere::NodeDelivery;
use crate::hub::forward::Forward;
use crate::hub::forwarded_command::{ForwardAnswer, ForwardedCommand, UnchangedOutcome};
use crate::hub::send_queue::SendQueue;
use crate::id::{RealmId, Seq};
use crate::limits::{FORWARD_DELIVERY_WAIT, FORWARD_PATIENCE, FORWARDS};

/// The commands of this node that are on their way.
pub(super) struct Forwards {
    /// This process, in the log: a random number.
    pub(super) process: u64,
    pub(super) contact: Contact,
    /// Commands are forwarded, and not decided here.
    is_following: AtomicBool,
    outstanding: Mutex<Outstanding>,
    /// As the leader: the newest command of each process that was decided in this term.
    decided: Mutex<HashMap<u64, u64>>,
    /// Of this process so far.
    terms: AtomicU64,
    /// There are commands to send.
    unsent: Notify,
}

impl Default for Forwards {
    fn default() -> Self {
        Self {
            process: Uuid::new_v4().as_u64_pair().1,
            contact: Contact::default(),
            is_following: AtomicBool::new(false),
            outstanding: Mutex::default(),
            decided: Mutex::default(),
            terms: AtomicU64::new(0),
            unsent: Notify::new(),
        }
    }
}

#[derive(Default)]
struct Outstanding {
    newest: u64,
    commands: BTreeMap<u64, Waiting>,
    /// The newest that was sent to the leader of the current channel.
    sent: u64,
    /// What is to be told once this node has the log up to a place.
    answers: BTreeMap<(Seq, u64), UnchangedOutcome>,
    /// Of messages to other realms, which the log has.
    deliveries: AwaitedDeliveries,
}

struct Waiting {
    command: ForwardedCommand,
    forward: Arc<Forward>,
    /// The connection that waits for the reply.
    send_queue: Option<Arc<SendQueue>>,
    since: Instant,
    /// A leader may have it.
    was_sent: bool,
    /// Of a message to another realm: the leader's word may come before the log's.
    delivery: Option<DeliveryStatus>,
}

impl Forwards {
    pub(super) fn is_following(&self) -> bool {
        self.is_following.load(Ordering::Acquire)
    }

    /// Forwards commands from now on. Only under the state's write lock: what was decided before is in the pending batch.
    pub(super) fn begin_following(&self) {
        self.contact.need();
        self.is_following.store(true, Ordering::Release);
    }

    /// Has commands decided here from now on, unless some wait to be: then those come first. Returns whether it did.
    pub(super) fn end_following(&self) -> bool {
        let outstanding = self.outstanding();
        let is_first = outstanding.commands.last_key_value().is_none_or(|(newest, _)| *newest <= outstanding.sent);
        if is_first {
            self.is_following.store(false, Ordering::Release);
        }
        is_first
    }

    /// As the leader: begins a term.
    pub(super) fn begin_term(&self) {
        self.terms.fetch_add(1, Ordering::Relaxed);
        self.decided.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.begin_sending();
    }

    /// As the leader: whether a command of a process comes for the first time in this term. They come in order.
    pub(super) fn is_first(&self, process: u64, number: u64) -> bool {
        let mut decided = self.decided.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = decided.entry(process).or_default();
        let is_first = number > *newest;
        *newest = number.max(*newest);
        is_first
    }

    /// Adds a command; its number is given here. `None` if this node leads by now.
    pub(super) fn add(
        &self,
        mut command: ForwardedCommand,
        send_queue: Option<&Arc<SendQueue>>,
    ) -> Option<Result<Arc<Forward>, CommandError>> {
        let (forward, send_queue) = (Arc::new(Forward::default()), send_queue.cloned());
        let mut outstanding = self.outstanding();
        if !self.is_following() {
            return None;
        }
        if outstanding.commands.len() >= FORWARDS {
            return Some(Err(CommandError::Unavailable));
        }
        outstanding.newest += 1;
        command.number = outstanding.newest;
        let (since, number) = (Instant::now(), command.number);
        let waiting = Waiting { command, forward: forward.clone(), send_queue, since, was_sent: false, delivery: None };
        outstanding.commands.insert(number, waiting);
        drop(outstanding);
        self.unsent.notify_one();
        Some(Ok(forward))
    }

    /// How many terms this process has begun.
    pub(super) fn terms(&self) -> u64 {
        self.terms.load(Ordering::Relaxed)
    }

    /// How many commands wait for their outcome.
    pub(super) fn waiting(&self) -> usize {
        self.outstanding().commands.len()
    }

    pub(super) fn has_capacity(&self) -> bool {
        !self.is_following() || self.waiting() < FORWARDS
    }

    /// A channel to a leader begins, which has nothing yet, or only what this node has seen in the log.
    pub(super) fn begin_sending(&self) {
        let mut outstanding = self.outstanding();
        outstanding.sent = 0;
        outstanding.answers.clear();
    }

    /// The next command to send, in order.
    pub(super) fn next_unsent(&self) -> Option<ForwardedCommand> {
        let mut outstanding = self.outstanding();
        let after = outstanding.sent;
        let (number, waiting) = outstanding.commands.range_mut((Excluded(after), Unbounded)).next()?;
        waiting.was_sent = true;
        let (number, command) = (*number, waiting.command.clone());
        outstanding.sent = number;
        Some(command)
    }

    /// Waits until a command may be to be sent.
    pub(super) async fn wait_unsent(&self) {
        self.unsent.notified().await;
    }

    /// The command of a number, and the connection that waits for it, if it is still waited for.
    pub(super) fn find(&self, number: u64) -> Option<(ForwardedCommand, Option<Arc<SendQueue>>)> {
        let outstanding = self.outstanding();
        let waiting = outstanding.commands.get(&number)?;
        Some((waiting.command.clone(), waiting.send_queue.clone()))
    }

    /// Takes a command out whose outcome is about to be told.
    pub(super) fn take(&self, number: u64) -> Option<(Arc<Forward>, Option<Arc<SendQueue>>)> {
        self.outstanding().commands.remove(&number).map(|waiting| (waiting.forward, waiting.send_queue))
    }

    /// Notes what the leader has answered.
    pub(super) fn note_answer(&self, answer: ForwardAnswer) {
        let mut outstanding = self.outstanding();
        if outstanding.commands.contains_key(&answer.number) {
            outstanding.answers.insert((answer.at, answer.number), answer.outcome);
        }
    }

    /// Takes the next answer that may be told by a node that has the log up to a place.
    pub(super) fn next_answer(&self, upto: Seq) -> Option<(u64, UnchangedOutcome)> {
        let mut outstanding = self.outstanding();
        let first = outstanding.answers.first_entry()?;
        if first.key().0 > upto {
            return None;
        }
        let ((_, number), outcome) = first.remove_entry();
        Some((number, outcome))
    }

    /// The commands that have waited for too long, with the error to tell.
    pub(super) fn late(&self, now: Instant) -> Vec<(u64, CommandError)> {
        let outstanding = self.outstanding();
        let error = |was_sent| if was_sent { CommandError::UnknownOutcome } else { CommandError::Unavailable };
        // In the order in which they came: the first that is not late ends it.
        let late = outstanding.commands.iter().take_while(|(_, waiting)| now >= waiting.since + FORWARD_PATIENCE);
        late.map(|(number, waiting)| (*number, error(waiting.was_sent))).collect()
    }

    /// Has a command, which the log has, wait for what becomes of its message to another realm.
    pub(super) fn await_delivery(&self, number: u64, realm: RealmId, message: Seq) -> Arc<DeliveryHandle> {
        let mut outstanding = self.outstanding();
        let waiting = outstanding.commands.get(&number);
        let known = waiting.and_then(|waiting| waiting.delivery);
        // Who leads by now has no link of before.
        if let Some(status) = known.or((!self.is_following()).then_some(DeliveryStatus::Queued)) {
            return DeliveryHandle::settled(status).into();
        }
        let send_queue = waiting.and_then(|waiting| waiting.send_queue.clone());
        let (delivery, until) = (Arc::new(DeliveryHandle::default()), Instant::now() + FORWARD_DELIVERY_WAIT);
        let awaited = AwaitedDelivery { realm, message, delivery: delivery.clone(), send_queue, until };
        outstanding.deliveries.insert(number, awaited);
        delivery
    }

    /// Notes what the leader says of messages. Returns those that were waited for.
    pub(super) fn note_deliveries(&self, deliveries: &[NodeDelivery]) -> Vec<Settled> {
        let mut outstanding = self.outstanding();
        let mut settled = Vec::new();
        for (number, status) in deliveries {
            if let Some(awaited) = outstanding.deliveries.take(*number) {
                settled.push((awaited, *status));
            } else if let Some(waiting) = outstanding.commands.get_mut(number) {
                waiting.delivery = Some(*status);
            }
        }
        settled
    }

    /// Takes out the messages of which records of the log say what became of them.
    pub(super) fn settled_deliveries(&self, records: &[Record]) -> Vec<Settled> {
        let mut outstanding = self.outstanding();
        let mut settled = Vec::new();
        if outstanding.deliveries.is_empty() {
            return settled;
        }
        records.iter().for_each(|record| outstanding.deliveries.take_settled(record, &mut settled));
        settled
    }

    /// Takes out the messages whose senders have waited for too long.
    pub(super) fn late_deliveries(&self, now: Instant) -> Vec<AwaitedDelivery> {
        self.outstanding().deliveries.take_late(now).collect()
    }

    fn outstanding(&self) -> MutexGuard<'_, Outstanding> {
        self.outstanding.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
