//! Idempotency keys: a tagged request is done once, however often it is sent (PROTOCOL §7). The key is stored in the same
//! commit as what the request did.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::chat::error::BounceReason;
use crate::id::{Hash64, Seq, UserId};
use crate::limits::TAGS_PER_USER;
use crate::time::Time;

/// The log's receipt for a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The number of the (first) log entry.
    pub seq: Seq,
    pub time: Time,
}

/// The tag of a request to be done once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyKey {
    /// The sender: tags of other users do not matter.
    pub user: UserId,
    pub tag: Hash64,
    /// A hash of the request: the same tag with another request is an error.
    pub request: Hash64,
}

/// A request that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedRequest {
    pub tag: Hash64,
    pub request: Hash64,
    pub receipt: Receipt,
    /// The page that it read, if it read one.
    pub page: Option<Box<ReadPage>>,
    /// Why another realm refused the message that it sent, if it did.
    pub refused: Option<BounceReason>,
}

/// A page that was read and can be read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadPage {
    /// The cursor before.
    pub after: Seq,
    /// The cursor afterwards.
    pub upto: Seq,
    /// Ranges in between that were left out: they had been pushed live, or were said by blocked users.
    pub read_ranges: Vec<(Seq, Seq)>,
    /// The page limit cut it.
    pub more: bool,
}

impl ReadPage {
    /// Leaves out everything but the messages that were shown, sorted.
    pub fn keep_only(&mut self, shown: impl Iterator<Item = Seq>) {
        let mut after = self.after;
        self.read_ranges.clear();
        for seq in shown {
            let before = Seq(seq.0.saturating_sub(1));
            if after < before {
                self.read_ranges.push((after, before));
            }
            after = seq;
        }
        if after < self.upto {
            self.read_ranges.push((after, self.upto));
        }
    }
}

/// The most recent completed requests of a user, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompletedRequests(VecDeque<CompletedRequest>);

impl CompletedRequests {
    /// Adds one that a store kept; they come in order.
    pub fn push(&mut self, done: CompletedRequest) {
        self.0.push_back(done);
    }

    pub(in crate::chat) fn find(&self, tag: Hash64) -> Option<&CompletedRequest> {
        self.0.iter().rev().find(|done| done.tag == tag)
    }

    pub(in crate::chat) fn record(&mut self, key: &IdempotencyKey, receipt: Receipt, page: Option<&ReadPage>) {
        self.0.retain(|earlier| earlier.tag != key.tag);
        let page = page.cloned().map(Box::new);
        self.push(CompletedRequest { tag: key.tag, request: key.request, receipt, page, refused: None });
        if self.0.len() > TAGS_PER_USER {
            self.0.pop_front();
        }
    }

    pub(in crate::chat) fn record_refusal(&mut self, message: Seq, why: BounceReason) {
        if let Some(done) = self.0.iter_mut().find(|done| done.receipt.seq == message) {
            done.refused = Some(why);
        }
    }
}
