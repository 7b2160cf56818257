//! Pushes to large audiences, which the committer writes in turns between its batches: so replies and pushes of others
//! overtake them, and no change waits for a thousand sockets.
//!
//! Deliveries that come while a round is being written are collected in the next one, so that a connection gets many
//! messages with one write. A connection that has pushes here gets all further ones here too, in order.

use std::collections::HashMap;
use std::mem::swap;

use crate::hub::push_backlog::PushBacklog;
use crate::hub::round::Round;
use crate::hub::tickets::Tickets;
use crate::id::UserId;

pub(super) struct Deliveries {
    collected: Collected,
    /// The round that is being written, if any of it is left.
    writing: Collected,
    are_in_turns: bool,
}

/// A round, and its pushes by author.
struct Collected {
    round: Round,
    authors: HashMap<UserId, usize>,
}

impl Collected {
    fn new(number: u32) -> Self {
        Self { round: Round::new(number), authors: HashMap::new() }
    }
}

impl Deliveries {
    /// Nothing is to be collected before [`Deliveries::begin_turns`]: only then are there turns.
    pub(super) fn new() -> Self {
        Self { collected: Collected::new(1), writing: Collected::new(3), are_in_turns: false }
    }

    pub(super) fn begin_turns(&mut self) {
        self.are_in_turns = true;
    }

    pub(super) fn are_in_turns(&self) -> bool {
        self.are_in_turns
    }

    /// Whether nothing waits to be written.
    pub(super) fn is_idle(&self) -> bool {
        self.collected.round.is_empty() && self.writing.round.is_empty()
    }

    /// The round that pushes are added to.
    pub(super) fn round(&mut self) -> &mut Round {
        &mut self.collected.round
    }

    /// Counts pushes that were added to the round.
    pub(super) fn count(&mut self, author: UserId, count: usize, backlog: &PushBacklog) {
        *self.collected.authors.entry(author).or_default() += count;
        backlog.add(author, count);
    }

    /// Writes the collected pushes, to one connection after the other, until all are written or `is_over`.
    pub(super) fn write(&mut self, tickets: &Tickets, backlog: &PushBacklog, mut is_over: impl FnMut() -> bool) {
        while !self.is_idle() {
            if self.writing.round.is_empty() {
                self.writing.round.set_number(self.collected.round.next_number());
                swap(&mut self.writing, &mut self.collected);
            }
            let is_written = self.writing.round.write(tickets, &mut is_over);
            if is_written {
                backlog.remove(self.writing.authors.drain());
            }
            if !is_written || is_over() {
                return;
            }
        }
    }
}
