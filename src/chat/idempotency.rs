//! Doing a request once, however often it is sent (PROTOCOL §7): the tag under which a user sent it is remembered in
//! the same commit as what it did.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::chat::accounts::User;
use crate::chat::error::{BounceReason, CommandError};
use crate::chat::event::Event;
use crate::chat::response::Receipt;
use crate::chat::state::State;
use crate::id::{Hash64, Seq, UserId};
use crate::limits::{TAG_MEMORY, TAGS_PER_USER};
use crate::time::Time;

/// Under which tag a request is to be done once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyKey {
    /// Who sends it: nobody else's tags matter.
    pub user: UserId,
    /// Of the tag.
    pub tag: Hash64,
    /// Of the request: the same tag with another one is a mistake.
    pub request: Hash64,
}

/// A request that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedRequest {
    /// Of its tag.
    pub tag: Hash64,
    /// Of the request itself.
    pub request: Hash64,
    /// What it was answered with.
    pub receipt: Receipt,
    /// The page that it read, where it read one.
    pub page: Option<Box<ReadPage>>,
    /// Why another realm did not take the message that it sent, if that came back.
    pub refused: Option<BounceReason>,
}

/// A page that was read and can be read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadPage {
    /// The cursor stood here …
    pub after: Seq,
    /// … and went here.
    pub upto: Seq,
    /// What was left out in between, for it had been pushed live.
    pub read_ranges: Vec<(Seq, Seq)>,
    /// A page limit had cut it.
    pub more: bool,
}

impl State {
    /// What became of the request when it was sent before; none where it was not, within a day.
    ///
    /// # Errors
    /// [`CommandError::TagReused`] where the tag stood on another request.
    pub fn done_before(&self, once: &IdempotencyKey, now: Time) -> Result<Option<&CompletedRequest>, CommandError> {
        let Some(user) = self.user(once.user) else { return Ok(None) };
        let remembered = user.done.0.iter().rev().find(|done| done.tag == once.tag);
        match remembered {
            Some(done) if now.since(done.receipt.time) >= TAG_MEMORY => Ok(None),
            Some(done) if done.request != once.request => Err(CommandError::TagReused),
            done => Ok(done),
        }
    }
}

/// The event that remembers a request, to follow those that it made.
#[must_use]
pub fn remember(once: IdempotencyKey, first: Seq, page: Option<ReadPage>) -> Event {
    Event::RequestDone { once, first, page: page.map(Box::new) }
}

pub(super) fn apply(user: &mut User, once: &IdempotencyKey, receipt: Receipt, page: Option<&ReadPage>) {
    let CompletedRequests(done) = &mut user.done;
    done.retain(|earlier| earlier.tag != once.tag);
    let page = page.cloned().map(Box::new);
    done.push_back(CompletedRequest { tag: once.tag, request: once.request, receipt, page, refused: None });
    if done.len() > TAGS_PER_USER {
        done.pop_front();
    }
}

/// The requests of a user that are remembered, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompletedRequests(VecDeque<CompletedRequest>);

impl CompletedRequests {
    /// Adds what a store kept, in order.
    pub fn push(&mut self, done: CompletedRequest) {
        self.0.push_back(done);
    }

    pub(super) fn note_refused(&mut self, message: Seq, why: BounceReason) {
        if let Some(done) = self.0.iter_mut().find(|done| done.receipt.seq == message) {
            done.refused = Some(why);
        }
    }
}
